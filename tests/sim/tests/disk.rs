//! A disk that fails at each I/O in turn, while a check is saved and while a page of the feed is applied: what
//! was said to be saved is there, the rest can be done again, and the file is whole.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails where it stands"
)]

use std::collections::BTreeSet;

use yaoguan_model::{Kind, RecordId};
use yaoguan_sim::rig::{Rig, check_of, household};
use yaoguan_testkit::disk::Failure;

const FAILURES: [Failure; 3] = [Failure::Eio, Failure::Enospc, Failure::Short];

#[test]
fn a_check_is_saved_or_not_saved_wherever_the_disk_fails() {
    let mut rig = Rig::new(2);
    let home = household(rig.phone(1)).expect("a household");
    let mut saved: BTreeSet<RecordId> = BTreeSet::new();
    let mut failed = 0;
    for failure in FAILURES {
        for k in 1.. {
            let struck = rig.disk(1).struck();
            rig.disk(1).fail_at(k, failure);
            let result = check_of(rig.phone(1), home, &format!("{failure:?} {k}"));
            let has_struck = rig.disk(1).struck() > struck;
            rig.disk(1).revive();
            match result {
                Ok(id) => _ = saved.insert(id),
                Err(error) => {
                    failed += 1;
                    assert!(has_struck, "{failure:?} at {k}: {error}");
                    // The same again, now that the disk is whole.
                    saved.insert(check_of(rig.phone(1), home, "again").expect("a whole disk"));
                }
            }
            if k % 3 == 0 {
                rig.restart(1);
            }
            let there: BTreeSet<RecordId> = rig.ids(1, &Kind::HouseholdCheck);
            assert!(there.is_superset(&saved), "{failure:?} at {k}: an acknowledged check is gone");
            assert_eq!(
                rig.phone(1).verify().expect("a file that can be read"),
                [],
                "{failure:?} at {k}"
            );
            if !has_struck {
                break;
            }
        }
    }
    println!("{failed} saves failed, {} were acknowledged", saved.len());
    assert!(failed >= 6, "{failed}");
}

#[test]
fn a_page_is_applied_or_not_applied_wherever_the_disk_fails() {
    let mut rig = Rig::new(2);
    let home = household(rig.phone(0)).expect("a household");
    let mut failed = 0;
    for failure in FAILURES {
        // Each I/O near the beginning, then larger steps: a page has many.
        let mut k = 1;
        loop {
            for n in 0..6 {
                check_of(rig.phone(0), home, &format!("{failure:?} {k} {n}"))
                    .expect("a whole disk");
            }
            rig.sync(0).expect("a sync");
            let before = rig.ids(1, &Kind::HouseholdCheck);
            let struck = rig.disk(1).struck();
            rig.disk(1).fail_at(k, failure);
            let result = rig.sync(1);
            let has_struck = rig.disk(1).struck() > struck;
            rig.disk(1).revive();
            failed += u32::from(result.is_err());
            let there = rig.ids(1, &Kind::HouseholdCheck);
            assert!(there.is_superset(&before));
            assert_eq!(
                rig.phone(1).verify().expect("a file that can be read"),
                [],
                "{failure:?} at {k}"
            );
            if k % 4 == 0 {
                rig.restart(1);
            }
            rig.sync(1).expect("a whole disk");
            assert_eq!(
                rig.ids(1, &Kind::HouseholdCheck),
                rig.ids(0, &Kind::HouseholdCheck),
                "{failure:?} at {k}: the cursor went on without its page"
            );
            if !has_struck {
                break;
            }
            k += 1 + k / 12;
        }
    }
    println!("{failed} syncs failed");
    assert!(failed >= 6, "{failed}");
}
