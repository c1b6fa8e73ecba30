//! What was typed and not saved outlives the app; after a fork a draft names only what is confirmed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails where it stands"
)]

mod common;

use std::collections::BTreeMap;

use common::{OTHER, Phone, in_view};
use uuid::Uuid;
use yaoguan_model::{Dot, FieldPath, Kind, RecordId, Value, VersionVector};
use yaoguan_store::StoreError;
use yaoguan_store::draft::Draft;
use yaoguan_sync::{PhoneStore as _, SyncError, Tx as _, rewrite_after_fork};

fn path(text: &str) -> FieldPath {
    text.parse().unwrap()
}

fn id(number: u8) -> Uuid {
    Uuid::from_bytes([number; 16])
}

/// A form opened on a record: it has the dots in view of two paths.
fn draft_of(phone: &Phone, number: u8, record: RecordId) -> Draft {
    let shown = phone.record(record);
    let dots = |text: &str| (path(text), shown.dots(text));
    Draft {
        id: id(number),
        kind: Kind::Hazard,
        record: Some(record),
        values: BTreeMap::from([
            (path("title"), Some("滑坡 \"引号\" 𠀀".into())),
            (path("description"), None),
            (path("seen_at"), Some(Value::Int(1_760_000_000))),
            (path("photos.ab12"), Some(Value::map([("caption", "坡脚".into())]))),
            (path("members"), Some(Value::Int(0))),
            (path("later"), Some(Value::List(vec![Value::Null, Value::Bool(false)]))),
        ]),
        replaces: BTreeMap::from([dots("title"), dots("description")]),
        updated_at: 1_760_000_000_123,
    }
}

fn new_form(number: u8, updated_at: i64) -> Draft {
    Draft {
        id: id(number),
        kind: "of_a_later_program".parse().unwrap(),
        record: None,
        values: BTreeMap::new(),
        replaces: BTreeMap::new(),
        updated_at,
    }
}

/// A record with one confirmed and one unsent sibling on `title`.
fn half_confirmed(phone: &mut Phone, other_counter: u64) -> (RecordId, Dot, Dot) {
    let record = phone.hazard("一");
    phone.confirm(record);
    let mut other = phone.record(record);
    let dot = Dot::new(OTHER, other_counter);
    other.put(&in_view(&other, &[("title", Some("二".into()))]), dot);
    phone.edit(record, &[("title", Some("三".into()))]);
    phone.pull(&other);
    let own = phone.record(record).dots("title").into_iter().find(|d| d.replica != OTHER);
    (record, dot, own.unwrap())
}

#[test]
fn drafts_survive_the_end_of_the_app() {
    let mut phone = Phone::new();
    let (record, ..) = half_confirmed(&mut phone, 1);
    let (draft, new) = (draft_of(&phone, 1, record), new_form(2, 5));
    assert_eq!(draft.replaces[&path("title")].len(), 2);
    phone.transact(|tx| {
        tx.put_draft(&draft)?;
        tx.put_draft(&new)
    });
    let phone = phone.reopened();
    // Latest first.
    assert_eq!(phone.store.drafts().unwrap(), [draft, new]);
    assert!(phone.store.has_draft(id(1)).unwrap() && phone.store.has_draft(id(2)).unwrap());
    assert!(!phone.store.has_draft(id(3)).unwrap());
}

#[test]
fn second_put_replaces_the_first() {
    let mut phone = Phone::new();
    let record = phone.hazard("滑坡");
    let mut draft = draft_of(&phone, 1, record);
    phone.transact(|tx| tx.put_draft(&draft));
    draft.values = BTreeMap::from([(path("address"), Some("村口".into()))]);
    draft.replaces.clear();
    draft.updated_at += 1;
    phone.transact(|tx| tx.put_draft(&draft));
    assert_eq!(phone.store.drafts().unwrap(), [draft]);
}

#[test]
fn removed_draft_is_gone_and_the_others_stay() {
    let mut phone = Phone::new();
    let (one, two) = (new_form(1, 1), new_form(2, 2));
    phone.transact(|tx| {
        tx.put_draft(&one)?;
        tx.put_draft(&two)?;
        tx.remove_draft(id(2))?;
        tx.remove_draft(id(9))
    });
    assert_eq!(phone.reopened().store.drafts().unwrap(), [one]);
}

#[test]
fn draft_of_a_failed_transaction_is_not_kept() {
    let mut phone = Phone::new();
    let result: Result<(), StoreError> = phone.store.transact(|tx| {
        tx.put_draft(&new_form(1, 1))?;
        Err(StoreError::Corrupt("on purpose".to_owned()))
    });
    assert!(result.is_err());
    assert_eq!(phone.store.drafts().unwrap(), []);
}

#[test]
fn draft_stays_when_its_record_is_taken_off_the_phone() {
    let mut phone = Phone::new();
    let record = phone.hazard("滑坡");
    let draft = draft_of(&phone, 1, record);
    phone.transact(|tx| {
        tx.put_draft(&draft)?;
        tx.remove(record)
    });
    assert_eq!(phone.store.drafts().unwrap(), [draft]);
}

#[test]
fn narrowing_keeps_only_confirmed_dots_of_that_record() {
    let mut phone = Phone::new();
    let (record, confirmed, own) = half_confirmed(&mut phone, 1);
    let (other_record, ..) = half_confirmed(&mut phone, 2);
    let (draft, other) = (draft_of(&phone, 1, record), draft_of(&phone, 2, other_record));
    assert_eq!(draft.replaces[&path("title")], phone.record(record).dots("title"));
    assert!(draft.replaces[&path("title")].contains(&own));
    let seen: VersionVector = [confirmed].into_iter().collect();
    phone.transact(|tx| {
        tx.put_draft(&draft)?;
        tx.put_draft(&other)?;
        tx.put_draft(&new_form(3, 0))?;
        tx.narrow_drafts(record, &seen)
    });
    let drafts = phone.store.drafts().unwrap();
    let of = |number| drafts.iter().find(|d| d.id == id(number)).unwrap();
    assert_eq!(of(1).replaces[&path("title")], [confirmed]);
    assert_eq!((&of(1).values, of(1).updated_at), (&draft.values, draft.updated_at));
    assert_eq!(*of(2), other);
    assert_eq!(*of(3), new_form(3, 0));
}

#[test]
fn rewriting_after_a_fork_narrows_the_drafts_of_unsent_records() {
    let mut phone = Phone::new();
    let (record, confirmed, own) = half_confirmed(&mut phone, 1);
    let never_sent = phone.hazard("新");
    let settled = phone.hazard("旧");
    phone.confirm(settled);
    let drafts = [(1, record), (2, never_sent), (3, settled)];
    let drafts = drafts.map(|(number, record)| draft_of(&phone, number, record));
    phone.transact(|tx| drafts.iter().try_for_each(|draft| tx.put_draft(draft)));
    let old = phone.store.state().unwrap().replica;

    let env = common::Seeded::new(77);
    let rewritten: Result<u64, SyncError<StoreError>> =
        phone.store.transact(|tx| rewrite_after_fork(tx, &env));
    assert_eq!(rewritten.unwrap(), 2);
    assert_ne!(phone.store.state().unwrap().replica, old);

    let phone = phone.reopened();
    let after = phone.store.drafts().unwrap();
    let of = |number| after.iter().find(|d| d.id == id(number)).unwrap();
    assert_eq!(of(1).replaces[&path("title")], [confirmed]);
    assert_eq!(of(2).replaces[&path("title")], []);
    assert_eq!(*of(3), drafts[2]);
    assert_eq!(of(1).values, drafts[0].values);
    // The save itself stands under the new id, beside what the town has.
    let titles = phone.record(record).dots("title");
    assert!(!titles.contains(&own) && titles.contains(&confirmed) && titles.len() == 2);
    assert_eq!(phone.store.verify().unwrap(), []);
}
