//! A town's files put back from before, by command and by plain copy: phones bring back what they hold, and
//! what was struck off stays so.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use yaoguan_field::{EnrolOptions, Home, Phone};
use yaoguan_model::env::System;
use yaoguan_model::{Env as _, Kind, RecordId, Role};
use yaoguan_testkit::town::{GRID, OTHER_GRID, TestPhone, TestTown, copy};
use yaoguan_town::audit::Attribution;
use yaoguan_town::backup;
use yaoguan_town::blobs::BlobPlace;
use yaoguan_town::storage::{Apart as _, Erasure, Purging as _, Storage as _};

use crate::{assert_same, assert_sound, change, edit, hazards, report};

async fn sync(phone: &mut TestPhone) -> yaoguan_field::SyncSummary {
    phone.phone.sync(|_| {}).await.unwrap()
}

fn household(phone: &mut TestPhone) -> RecordId {
    let form = phone.phone.new_form(Kind::Household).unwrap();
    let fields = edit(&Kind::Household, &[("address", "村口 1 号"), ("grid", GRID)]);
    phone.phone.save(&form, fields).unwrap().ids[0]
}

fn account(phone: &TestPhone) -> yaoguan_model::AccountId {
    phone.phone.store().identity().unwrap().unwrap().account
}

/// How the town's files are put back.
#[derive(Clone, Copy, Debug, PartialEq)]
enum How {
    ByCommand,
    /// The database is copied over; journal and marker stay.
    ByPlainCopy,
    /// The marker was copied back too: the journal knows better.
    WithItsMarker,
    /// So was the journal: the first phone that saw more tells.
    WithEverything,
}

/// Puts an older state in place and serves it.
async fn put_back(town: &mut TestTown, how: How, backup: &Path, files: &Path) {
    let key = town.data().with_file_name("town.key");
    town.meddled(|data| match how {
        How::ByCommand => {}
        How::ByPlainCopy => drop(std::fs::copy(files.join("town.db"), data.join("town.db"))),
        How::WithItsMarker => {
            std::fs::copy(files.join("town.db"), data.join("town.db")).unwrap();
            std::fs::copy(files.join("town.line"), data.with_file_name("town.line")).unwrap();
        }
        How::WithEverything => {
            std::fs::copy(files.join("town.db"), data.join("town.db")).unwrap();
            for name in ["town.line", "town.journal"] {
                std::fs::copy(files.join(name), data.with_file_name(name)).unwrap();
            }
        }
    })
    .await
    .unwrap();
    if how == How::ByCommand {
        town.stop().await.unwrap();
        let restored = backup::restore(&town.data(), &key, &BlobPlace::Folder, backup, &town.clock)
            .await
            .unwrap();
        assert_eq!(restored.findings, []);
        assert!(restored.aside.unwrap().join("town.db").exists(), "nothing is deleted");
        town.restart().await.unwrap();
    }
}

/// The stopped town's files, as somebody copies them.
async fn keep_files(town: &mut TestTown, files: &Path) {
    town.meddled(|data| {
        copy(data, files).unwrap();
        for name in ["town.line", "town.journal"] {
            std::fs::copy(data.with_file_name(name), files.join(name)).unwrap();
        }
    })
    .await
    .unwrap();
}

/// The reports are on this phone, with the edit of the first.
fn assert_whole(phone: &TestPhone, reports: [RecordId; 3]) {
    assert_eq!(hazards(&phone.phone), reports.into());
    let title = phone.phone.show(reports[0]).unwrap().fields["title"].clone();
    assert_eq!(title.as_text(), Some("甲改的"));
    assert_sound(phone);
}

async fn a_restored_town(how: How) {
    let mut town = TestTown::start().await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (taken, files) = (dir.path().join("backup"), dir.path().join("files"));
    let mut a = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let mut b = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let mut lost = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let mut moved = town.phone(Role::Chief, &[GRID, OTHER_GRID]).await.unwrap();
    let (old, erased) = (report(&mut a.phone, 1), household(&mut a));
    for phone in [&mut a, &mut b, &mut lost] {
        sync(phone).await;
    }
    let unused = town.invite(account(&a), town.address).await.unwrap();
    let manifest = backup::backup(&town.town, &taken, &town.clock).await.unwrap();
    assert!(manifest.files.contains_key("journal.db"));
    keep_files(&mut town, &files).await;

    // What neither has: a report, an edit, an erasure, a phone struck off, a grid taken away, an invite used,
    // a new phone of a new person.
    change(&mut a.phone, old, "title", "甲改的");
    let new = report(&mut b.phone, 2);
    sync(&mut a).await;
    sync(&mut b).await;
    let done = Attribution::town(town.clock.now_s());
    let gone = town.town.storage.erase(erased, false, done).await.unwrap();
    assert!(matches!(gone, Erasure::Done(_)));
    town.revoke(&lost);
    town.rescope(account(&moved), Role::Chief, &[OTHER_GRID]);
    let place: PathBuf = dir.path().join("second");
    let options = EnrolOptions { device_name: "second".to_owned(), lang: "en" };
    let second = Home::with_state(&place, dir.path());
    Phone::enrol(second, &unused, &options, Arc::new(System)).await.unwrap();
    let mut later = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let of_later = report(&mut later.phone, 3);
    sync(&mut later).await;
    sync(&mut a).await;
    // The audit log and the like are written outside, too; the marker within a second.
    town.town.storage.mark_line().await.unwrap();

    let before = town.town.storage.info().await.unwrap().epoch;
    put_back(&mut town, how, &taken, &files).await;
    if how == How::WithEverything {
        // Nothing on this machine remembers: what is left is that the phones' records come back.
        assert_eq!(town.town.storage.info().await.unwrap().epoch, before);
        assert!(sync(&mut a).await.reconciled);
        sync(&mut b).await;
        sync(&mut a).await;
        assert_ne!(town.town.storage.info().await.unwrap().epoch, before);
        assert_whole(&a, [old, new, of_later]);
        return;
    }
    for _ in 0..2 {
        for phone in [&mut a, &mut b, &mut later] {
            sync(phone).await;
        }
    }
    let storage = &town.town.storage;
    assert_ne!(storage.info().await.unwrap().epoch, before, "{how:?}");
    let done = Attribution::town(town.clock.now_s());
    storage.take_recovered(None, done).await.unwrap();
    for phone in [&mut a, &mut b, &mut later] {
        sync(phone).await;
        assert_whole(phone, [old, new, of_later]);
    }
    assert_same(&a.phone, &b.phone, old);
    assert_eq!(storage.verify().await.unwrap().findings, []);
    assert!(storage.records(Kind::Household).await.unwrap().is_empty(), "erased stays erased");
    assert!(a.phone.show(erased).is_err());
    assert!(lost.phone.sync(|_| {}).await.is_err(), "struck off stays struck off");
    let third = Home::with_state(&dir.path().join("third"), dir.path());
    let again = Phone::enrol(third, &unused, &options, Arc::new(System)).await;
    assert!(again.is_err(), "a used invite stays used");
    sync(&mut moved).await;
    let grids = moved.phone.store().identity().unwrap().unwrap().grids;
    assert_eq!(grids.len(), 1, "a grid that was taken away stays away");
}

#[tokio::test]
async fn restored_by_command_it_has_everything_again_and_nobody_is_let_in_again() {
    a_restored_town(How::ByCommand).await;
}

#[tokio::test]
async fn a_database_put_back_by_plain_copy_is_noticed_at_start() {
    a_restored_town(How::ByPlainCopy).await;
}

#[tokio::test]
async fn a_database_put_back_with_its_marker_is_noticed_by_the_journal() {
    a_restored_town(How::WithItsMarker).await;
}

#[tokio::test]
async fn a_town_put_back_with_all_that_stands_beside_it_is_noticed_by_the_first_phone_that_saw_more()
 {
    a_restored_town(How::WithEverything).await;
}

#[tokio::test]
async fn a_damaged_or_foreign_backup_changes_nothing() {
    let mut town = TestTown::start().await.unwrap();
    let mut a = town.phone(Role::Chief, &[GRID]).await.unwrap();
    report(&mut a.phone, 1);
    sync(&mut a).await;
    let dir = tempfile::tempdir().unwrap();
    let (whole, key) = (dir.path().join("whole"), town.data().with_file_name("town.key"));
    backup::backup(&town.town, &whole, &town.clock).await.unwrap();
    assert!(backup::backup(&town.town, &whole, &town.clock).await.is_err());
    let served = backup::restore(&town.data(), &key, &BlobPlace::Folder, &whole, &town.clock).await;
    assert!(served.is_ok(), "the test server takes no lock");
    town.stop().await.unwrap();
    for (name, damage) in [("town.db", 5_000), ("journal.db", 10), ("backup.json", 30)] {
        let bad = dir.path().join(format!("bad-{name}"));
        copy(&whole, &bad).unwrap();
        let mut bytes = std::fs::read(bad.join(name)).unwrap();
        bytes[damage] ^= 1;
        std::fs::write(bad.join(name), bytes).unwrap();
        let before = std::fs::read(town.data().join("town.db")).unwrap();
        let refused =
            backup::restore(&town.data(), &key, &BlobPlace::Folder, &bad, &town.clock).await;
        assert!(refused.is_err(), "{name}");
        assert_eq!(std::fs::read(town.data().join("town.db")).unwrap(), before, "{name}");
    }
    let other = TestTown::start().await.unwrap();
    let foreign = dir.path().join("foreign");
    backup::backup(&other.town, &foreign, &other.clock).await.unwrap();
    assert!(
        backup::restore(&town.data(), &key, &BlobPlace::Folder, &foreign, &town.clock)
            .await
            .is_err()
    );
}
