//! Own changes: taken from a base, put elsewhere, split and joined.

use proptest::prelude::*;

use super::*;
use crate::deletion::Deletion;
use crate::ids::{AccountId, RecordId};
use crate::{Kind, merge};

fn dot(replica: u8, counter: u64) -> Dot {
    Dot::new(ReplicaId([replica; 16]), counter)
}

fn base() -> Record {
    let author = AccountId::from_bytes([2; 16]);
    let mut record = Record::new(RecordId::from_bytes([1; 16]), Kind::Hazard, author);
    save(&mut record, &[("title", Some("old")), ("address", Some("here"))], dot(1, 1));
    record
}

fn save(record: &mut Record, fields: &[(&str, Option<&str>)], dot: Dot) {
    let change = |(path, value): &(&str, Option<&str>)| {
        let change = Change { replaces: record.dots(path), value: value.map(Value::from) };
        (path.parse::<FieldPath>().unwrap(), change)
    };
    let changes: BTreeMap<_, _> = fields.iter().map(change).collect();
    record.put(&changes, dot);
}

/// Draws dots of one replica from a counter on.
fn pen(replica: u8) -> impl FnMut() -> Dot {
    let mut counter = 0;
    move || {
        counter += 1;
        dot(replica, counter)
    }
}

/// What a record says, without the dots that say it.
fn content(record: &Record) -> BTreeMap<String, BTreeSet<Value>> {
    let values = |list: &Vec<Sibling>| list.iter().map(|s| s.value.clone()).collect();
    let fields = record.fields.iter().filter(|(path, _)| !path.is_deleted());
    fields.map(|(path, list)| (path.to_string(), values(list))).collect()
}

#[test]
fn nothing_changed_is_empty() {
    assert!(Changes::between(Some(&base()), &base()).is_empty());
    assert!(!Changes::between(None, &base()).is_empty());
}

#[test]
fn between_names_what_was_replaced_and_added() {
    let mut record = base();
    save(&mut record, &[("title", Some("new")), ("address", None)], dot(2, 1));
    let changes = Changes::between(Some(&base()), &record);
    let title = &changes.paths["title"];
    assert_eq!((&title.removed[..], title.added.len()), (&[dot(1, 1)][..], 1));
    let address = &changes.paths["address"];
    assert_eq!((&address.removed[..], address.added.len()), (&[dot(1, 1)][..], 0));
    assert_eq!(changes.dots(), [dot(2, 1)].into());
}

#[test]
fn put_on_the_base_says_the_same_under_fresh_dots() {
    let mut record = base();
    save(&mut record, &[("title", Some("new")), ("address", None)], dot(2, 1));
    save(&mut record, &[("description", Some("more"))], dot(2, 2));
    let mut again = base();
    Changes::between(Some(&base()), &record).put_on(&mut again, pen(3));
    assert_eq!(content(&again), content(&record));
    assert_eq!(again.dots("title"), [dot(3, 1)]);
    assert_eq!(again.dots("description"), [dot(3, 2)]);
    assert_eq!(again.context.get(ReplicaId([2; 16])), 0);
}

#[test]
fn put_on_a_state_that_went_on_drops_only_what_its_writer_replaced() {
    let mut record = base();
    save(&mut record, &[("title", Some("mine"))], dot(2, 1));
    let mut town = base();
    save(&mut town, &[("title", Some("theirs")), ("address", Some("there"))], dot(4, 1));
    Changes::between(Some(&base()), &record).put_on(&mut town, pen(3));
    assert_eq!(town.distinct("title").len(), 2);
    assert_eq!(town.shown_text("address"), Some("there"));
}

#[test]
fn a_removal_alone_is_a_save_of_its_own() {
    let mut record = base();
    save(&mut record, &[("address", None)], dot(2, 1));
    let changes = Changes::between(Some(&base()), &record);
    assert!(changes.dots().is_empty());
    let mut again = base();
    changes.put_on(&mut again, pen(3));
    assert!(again.siblings("address").is_empty());
    assert_eq!(again.context.get(ReplicaId([3; 16])), 1);
}

#[test]
fn a_deletion_put_again_covers_the_saves_it_had_seen_and_no_others() {
    let mut seen = base();
    save(&mut seen, &[("title", Some("new"))], dot(2, 1));
    let mut gone = seen.clone();
    gone.put(&[deletion::delete(&seen)].into(), dot(2, 2));
    let mut again = base();
    Changes::between(Some(&base()), &gone).put_on(&mut again, pen(3));
    assert_eq!(deletion::state(&again), Deletion::Deleted);

    let mut went_on = gone.clone();
    save(&mut went_on, &[("address", Some("after"))], dot(2, 3));
    assert_eq!(deletion::state(&went_on), Deletion::Contested);
    let mut again = base();
    Changes::between(Some(&base()), &went_on).put_on(&mut again, pen(3));
    assert_eq!(deletion::state(&again), Deletion::Contested);
}

#[test]
fn a_deletion_does_not_cover_an_edit_with_a_lower_dot_that_it_had_not_seen() {
    // Two replicas of one account: the deletion has the higher dot and had not seen the edit.
    let mut edited = base();
    save(&mut edited, &[("title", Some("edit"))], dot(5, 1));
    let mut gone = base();
    gone.put(&[deletion::delete(&base())].into(), dot(2, 9));
    let both = merge(&edited, &gone).unwrap().record;
    assert_eq!(deletion::state(&both), Deletion::Contested);
    let mut again = base();
    Changes::between(Some(&base()), &both).put_on(&mut again, pen(3));
    assert_eq!(deletion::state(&again), Deletion::Contested);
}

#[test]
fn split_keeps_a_save_whole() {
    let mut first = base();
    save(&mut first, &[("title", Some("refused"))], dot(2, 1));
    let refused = Changes::between(Some(&base()), &first);
    let mut later = first.clone();
    // One save touches the refused title and the address, the other neither.
    save(&mut later, &[("title", Some("on it")), ("address", Some("too"))], dot(2, 2));
    save(&mut later, &[("description", Some("free"))], dot(2, 3));
    let (free, tied) = Changes::between(Some(&first), &later).split(&refused);
    let paths = |c: &Changes| c.paths.keys().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(paths(&free), ["description"]);
    assert_eq!(paths(&tied), ["address", "title"]);
}

#[test]
fn the_stored_form_is_read_back() {
    let mut record = base();
    save(&mut record, &[("title", Some("new")), ("address", None)], dot(2, 1));
    let changes = Changes::between(Some(&base()), &record);
    let json = serde_json::to_string(&changes).unwrap();
    assert_eq!(serde_json::from_str::<Changes>(&json).unwrap(), changes);
}

const PATHS: [&str; 3] = ["title", "address", "note"];

/// Saves of replica 2 on a record: path, and a value or a removal.
fn apply(record: &mut Record, saves: &[(u8, Option<u8>)], counter: &mut u64) {
    for (path, value) in saves {
        *counter += 1;
        let text = value.map(|v| format!("{v}-{counter}"));
        save(record, &[(PATHS[usize::from(*path) % 3], text.as_deref())], dot(2, *counter));
    }
}

proptest! {
    #[test]
    fn putting_changes_on_their_base_says_what_the_record_says(
        first in prop::collection::vec(any::<(u8, Option<u8>)>(), 0..12),
        later in prop::collection::vec(any::<(u8, Option<u8>)>(), 0..12),
    ) {
        let (base, mut counter) = (base(), 0);
        let mut sent = base.clone();
        apply(&mut sent, &first, &mut counter);
        let mut record = sent.clone();
        apply(&mut record, &later, &mut counter);

        let mut again = base.clone();
        Changes::between(Some(&base), &record).put_on(&mut again, pen(3));
        prop_assert_eq!(content(&again), content(&record));

        let joined = Changes::between(Some(&base), &sent).then(Changes::between(Some(&sent), &record));
        let mut again = base.clone();
        joined.put_on(&mut again, pen(3));
        prop_assert_eq!(content(&again), content(&record));
    }

    #[test]
    fn splitting_loses_nothing(
        first in prop::collection::vec(any::<(u8, Option<u8>)>(), 1..8),
        later in prop::collection::vec(any::<(u8, Option<u8>)>(), 0..12),
    ) {
        let (base, mut counter) = (base(), 0);
        let mut sent = base.clone();
        apply(&mut sent, &first, &mut counter);
        let mut record = sent.clone();
        apply(&mut record, &later, &mut counter);
        let refused = Changes::between(Some(&base), &sent);
        let all = Changes::between(Some(&sent), &record);
        let (free, tied) = all.clone().split(&refused);
        prop_assert!(free.dots().is_disjoint(&tied.dots()));
        let mut joined = free.paths.clone();
        joined.extend(tied.paths);
        prop_assert_eq!(joined, all.paths);
        let touched = refused.dots();
        let replaces = |c: &PathChange| c.removed.iter().any(|d| touched.contains(d));
        prop_assert!(!free.paths.values().any(replaces));
    }
}
