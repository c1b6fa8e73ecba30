//! A town restored from an older backup: everything that any phone still holds comes back.

use std::path::Path;

use yaoguan_model::{Kind, RecordId, Role};
use yaoguan_testkit::town::{GRID, OTHER_GRID, TestPhone, TestTown};
use yaoguan_town::audit::Attribution;
use yaoguan_town::storage::{Apart as _, OwnWrite, Storage as _};

use crate::{assert_same, assert_sound, change, edit, hazards, report};

async fn sync(phone: &mut TestPhone) -> yaoguan_field::SyncSummary {
    phone.phone.sync(|_| {}).await.unwrap()
}

fn keep(town: &TestTown, at: &Path) {
    town.town.storage.with_raw(|c| c.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap());
    std::fs::copy(town.data().join("town.db"), at).unwrap();
}

async fn restore(town: &mut TestTown, from: &Path) {
    town.restored(|data| {
        for gone in ["town.db-wal", "town.db-shm"] {
            _ = std::fs::remove_file(data.join(gone));
        }
        std::fs::copy(from, data.join("town.db")).unwrap();
    })
    .await
    .unwrap();
}

fn save(phone: &mut yaoguan_field::Phone, kind: Kind, fields: &[(&str, &str)]) -> RecordId {
    let form = phone.new_form(kind.clone()).unwrap();
    let id = form.record().id;
    phone.save(&form, edit(&kind, fields)).unwrap();
    id
}

/// A write of the town itself, as a supervisor's decision is.
async fn town_writes(town: &TestTown, id: RecordId, text: &str) {
    let record = town.town.storage.records(Kind::Hazard).await.unwrap();
    let record = record.into_iter().find(|record| record.id == id).unwrap();
    let change = yaoguan_model::Change {
        replaces: record.dots("due_on"),
        value: Some(yaoguan_model::Value::text(text)),
    };
    let changes = [("due_on".parse().unwrap(), change)].into();
    let write = OwnWrite { id, kind: Kind::Hazard, author: record.created_by, changes };
    town.town.storage.write_own(vec![write], Attribution::town(0)).await.unwrap();
}

#[tokio::test]
async fn what_phones_hold_comes_back_to_a_restored_town() {
    let mut town = TestTown::start().await.unwrap();
    let mut a = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let mut b = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let old = report(&mut a.phone, 1);
    sync(&mut a).await;
    sync(&mut b).await;
    let backup = tempfile::NamedTempFile::new().unwrap();
    keep(&town, backup.path());

    // What the backup has not: edits and reports of both, seen by both, and a decision of the town.
    change(&mut a.phone, old, "title", "甲改的");
    let of_a = report(&mut a.phone, 2);
    sync(&mut a).await;
    sync(&mut b).await;
    change(&mut b.phone, of_a, "address", "乙补的");
    let of_b = report(&mut b.phone, 3);
    sync(&mut b).await;
    town_writes(&town, old, "2026-12-01").await;
    sync(&mut a).await;
    sync(&mut b).await;
    // And something that never was sent.
    let unsent = report(&mut a.phone, 4);
    change(&mut a.phone, of_b, "address", "甲在乙的上面");

    restore(&mut town, backup.path()).await;
    for _ in 0..2 {
        sync(&mut a).await;
        sync(&mut b).await;
    }
    let recovered = town.town.storage.recovered().await.unwrap();
    assert!(!recovered.is_empty(), "what rests on others' lost saves waits for the administrator");
    assert_eq!(
        hazards(&a.phone),
        [old, of_a, of_b, unsent].into(),
        "phones lose nothing meanwhile"
    );
    town.town.storage.take_recovered(None, Attribution::town(1)).await.unwrap();
    for _ in 0..2 {
        sync(&mut a).await;
        sync(&mut b).await;
    }
    for id in [old, of_a, of_b, unsent] {
        assert_same(&a.phone, &b.phone, id);
        assert!(a.phone.show(id).unwrap().siblings.is_empty());
    }
    let text =
        |id, path: &str| a.phone.show(id).unwrap().fields[path].as_text().unwrap().to_owned();
    assert_eq!(text(old, "title"), "甲改的");
    assert_eq!(text(old, "due_on"), "2026-12-01", "the town's own decision");
    assert_eq!(text(of_a, "address"), "乙补的");
    assert_eq!(text(of_b, "address"), "甲在乙的上面");
    for phone in [&a, &b] {
        assert_sound(phone);
        assert_eq!(phone.phone.status().unwrap().pending, 0);
    }
    assert_eq!(town.town.storage.verify().await.unwrap().findings, []);
    assert!(town.town.storage.recovered().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_recovered_save_is_confirmed_also_where_its_writer_no_longer_reads_it() {
    let mut town = TestTown::start().await.unwrap();
    let mut a = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let mut b = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let id = report(&mut b.phone, 1);
    sync(&mut b).await;
    let backup = tempfile::NamedTempFile::new().unwrap();
    keep(&town, backup.path());
    change(&mut b.phone, id, "title", "备份之后");
    sync(&mut b).await;
    sync(&mut a).await;
    change(&mut a.phone, id, "address", "在它上面");
    restore(&mut town, backup.path()).await;
    assert_eq!(sync(&mut a).await.recovered, 1);
    let account = a.phone.store().identity().unwrap().unwrap().account;
    town.rescope(account, Role::Chief, &[OTHER_GRID]);
    town.town.storage.take_recovered(None, Attribution::town(1)).await.unwrap();
    town.clock.shift(25 * 60 * 60);
    a.clock.shift(25 * 60 * 60);
    for _ in 0..2 {
        sync(&mut a).await;
    }
    assert_eq!(a.phone.status().unwrap().pending, 0);
    assert!(hazards(&a.phone).is_empty(), "nothing of it waits: it left with its grid");
}

#[tokio::test]
async fn a_check_comes_back_whose_household_the_town_has_lost_too() {
    let mut town = TestTown::start().await.unwrap();
    let mut owner = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let mut checker = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let backup = tempfile::NamedTempFile::new().unwrap();
    keep(&town, backup.path());
    let home = save(&mut owner.phone, Kind::Household, &[("address", "1 号"), ("grid", GRID)]);
    sync(&mut owner).await;
    sync(&mut checker).await;
    let home = home.to_string();
    let answers = [("household", home.as_str()), ("note", "通道堵塞")];
    let check = save(&mut checker.phone, Kind::HouseholdCheck, &answers);
    sync(&mut checker).await;
    let account = checker.phone.store().identity().unwrap().unwrap().account;
    town.rescope(account, Role::Chief, &[OTHER_GRID]);
    restore(&mut town, backup.path()).await;
    sync(&mut checker).await;
    town.town.storage.take_recovered(None, Attribution::town(1)).await.unwrap();
    let checks = town.town.storage.records(Kind::HouseholdCheck).await.unwrap();
    assert_eq!(checks.iter().map(|check| check.id).collect::<Vec<_>>(), [check]);
    assert_eq!(town.town.storage.verify().await.unwrap().findings, []);
}

#[tokio::test]
async fn a_reconciliation_of_equals_costs_little_and_finds_nothing() {
    let mut town = TestTown::start().await.unwrap();
    let mut a = town.phone(Role::Chief, &[GRID]).await.unwrap();
    for n in 0..300 {
        report(&mut a.phone, n);
    }
    sync(&mut a).await;
    town.restored(|_| {}).await.unwrap();
    let summary = sync(&mut a).await;
    println!("{summary:?}");
    assert!(summary.reconciled);
    assert_eq!((summary.sent, summary.received, summary.recovered), (0, 0, 0));
    assert!(summary.bytes_down < 4_000 && summary.bytes_up < 4_000, "{summary:?}");
}

#[tokio::test]
async fn a_phone_that_lacks_something_without_knowing_gets_it_within_a_day() {
    let town = TestTown::start().await.unwrap();
    let mut a = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let mut b = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let id = report(&mut a.phone, 1);
    sync(&mut a).await;
    sync(&mut b).await;
    // A fault that took a record off the phone behind everyone's back.
    use yaoguan_sync::{PhoneStore as _, Tx as _};
    let store = b.phone.store_mut();
    store.transact(|tx| tx.remove(id)).unwrap();
    town.clock.shift(25 * 60 * 60);
    b.clock.shift(25 * 60 * 60);
    sync(&mut b).await;
    let summary = sync(&mut b).await;
    assert!(summary.reconciled, "{summary:?}");
    assert!(hazards(&b.phone).contains(&id));
}
