//! Deleting, editing meanwhile, and taking back.

use super::*;
use crate::ids::{AccountId, RecordId, ReplicaId};
use crate::{Kind, merge};

fn written() -> Record {
    let author = AccountId::from_bytes([2; 16]);
    let mut record = Record::new(RecordId::from_bytes([1; 16]), Kind::Hazard, author);
    edit(&mut record, "first", 1, 1);
    record
}

fn edit(record: &mut Record, text: &str, replica: u8, counter: u64) {
    let change = Change { replaces: record.dots("title"), value: Some(text.into()) };
    record.put(
        &[("title".parse().unwrap(), change)].into(),
        Dot::new(ReplicaId([replica; 16]), counter),
    );
}

fn deleted(record: &Record, replica: u8, counter: u64) -> Record {
    let mut record = record.clone();
    record.put(&[delete(&record)].into(), Dot::new(ReplicaId([replica; 16]), counter));
    record
}

#[test]
fn a_deleted_record_is_deleted_and_keeps_its_content() {
    let record = deleted(&written(), 2, 1);
    assert_eq!(state(&written()), Deletion::Live);
    assert_eq!(state(&record), Deletion::Deleted);
    assert_eq!(record.shown_text("title"), Some("first"));
    assert_eq!(record.conflicts().count(), 0);
}

#[test]
fn an_edit_that_the_deleter_had_not_seen_is_contested_in_any_order() {
    let gone = deleted(&written(), 2, 1);
    let mut edited = written();
    edit(&mut edited, "second", 3, 1);
    for (a, b) in [(&gone, &edited), (&edited, &gone)] {
        let both = merge(a, b).unwrap().record;
        assert_eq!(state(&both), Deletion::Contested);
        // Deleting again with the edit in view settles it.
        assert_eq!(state(&deleted(&both, 2, 2)), Deletion::Deleted);
    }
}

#[test]
fn two_deletions_are_one() {
    let both = merge(&deleted(&written(), 2, 1), &deleted(&written(), 3, 1)).unwrap().record;
    assert_eq!(state(&both), Deletion::Deleted);
}

#[test]
fn taking_every_deletion_back_revives() {
    let both = merge(&deleted(&written(), 2, 1), &deleted(&written(), 3, 1)).unwrap().record;
    let mut revived = both.clone();
    revived.put(&[undelete(&both)].into(), Dot::new(ReplicaId([4; 16]), 1));
    assert_eq!(state(&revived), Deletion::Live);
}

#[test]
fn a_context_survives_its_value() {
    let context = deleted(&written(), 2, 5).context;
    assert_eq!(context_of(&value_of(&context)), Some(context));
    assert_eq!(context_of(&Value::map([("no replica", 1.into())])), None);
    assert_eq!(context_of(&1.into()), None);
}
