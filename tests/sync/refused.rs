//! One bad record never blocks the others.

use std::collections::BTreeMap;

use yaoguan_model::{Change, Kind, Role, Value};
use yaoguan_sync::{Local, PhoneStore as _, Tx as _};
use yaoguan_testkit::town::{GRID, TestPhone, TestTown};

use crate::{assert_sound, edit, hazards, report};

/// Saves what the phone's own rules would not let a person save: a report that starts as closed.
fn smuggle(phone: &mut TestPhone) {
    let form = phone.phone.new_form(Kind::Hazard).unwrap();
    let fields = [
        ("category", "fire"),
        ("severity", "general"),
        ("grid", GRID),
        ("seen_at", "0"),
        ("status", "closed"),
    ];
    let change = |value: Option<Value>| Change { replaces: Vec::new(), value };
    let edit = edit(&Kind::Hazard, &fields);
    let changes: BTreeMap<_, _> = edit.into_iter().map(|(path, v)| (path, change(v))).collect();
    let store = phone.phone.store_mut();
    store
        .transact(|tx| -> Result<(), yaoguan_store::StoreError> {
            let mut state = tx.state()?;
            let local = Local::created(form.record().clone(), &changes, state.next_dot());
            tx.set_state(&state)?;
            tx.put(&local)
        })
        .unwrap();
}

#[tokio::test]
async fn one_refused_record_among_500_does_not_hold_the_other_499() {
    let town = TestTown::start().await.unwrap();
    let mut a = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let mut b = town.phone(Role::Chief, &[GRID]).await.unwrap();
    for n in 0..250 {
        report(&mut a.phone, n);
    }
    smuggle(&mut a);
    for n in 250..499 {
        report(&mut a.phone, n);
    }
    let before = a.phone.status().unwrap().replica;
    let summary = a.phone.sync(|_| {}).await.unwrap();
    assert_eq!((summary.sent, summary.refused, summary.pending), (499, 1, 0));
    let status = a.phone.status().unwrap();
    assert_eq!((status.quarantined, status.records["hazard"]), (1, 499));
    assert_ne!(status.replica, before, "a save that goes back leaves its replica id with it");
    let kept = a.phone.store().quarantined().unwrap();
    assert_eq!(kept[0].save.code.as_str(), "step_not_allowed");
    assert!(!kept[0].save.kept.changes.is_empty(), "what was written is kept");
    b.phone.sync(|_| {}).await.unwrap();
    assert_eq!(hazards(&b.phone), hazards(&a.phone));
    // The phone goes on under its new replica id.
    report(&mut a.phone, 999);
    assert_eq!(a.phone.sync(|_| {}).await.unwrap().sent, 1);
    assert_sound(&a);
}
