//! A phone's folder copied or brought back while it was in use: two phones, or two times of one phone,
//! would write under one replica id. The marker outside the folder tells at start, the push chain at the
//! town. Nothing is lost and nothing doubled.

use std::path::Path;

use yaoguan_model::{RecordId, Role};
use yaoguan_testkit::town::{GRID, TestPhone, TestTown, copy};
use yaoguan_town::Storage as _;

use crate::{assert_same, assert_sound, change, hazards, report};

async fn sync(phone: &mut TestPhone) -> yaoguan_field::SyncSummary {
    phone.phone.sync(|_| {}).await.unwrap()
}

/// One after the other, until each has what the other wrote.
async fn both(first: &mut TestPhone, second: &mut TestPhone) {
    sync(first).await;
    sync(second).await;
    sync(first).await;
}

fn replica(phone: &TestPhone) -> yaoguan_model::ReplicaId {
    phone.phone.status().unwrap().replica
}

fn text(phone: &TestPhone, id: RecordId, path: &str) -> String {
    phone.phone.show(id).unwrap().fields[path].as_text().unwrap().to_owned()
}

/// Both have everything, alike, and a person has nothing to settle.
fn assert_all_well(a: &TestPhone, b: &TestPhone, all: &[RecordId]) {
    for phone in [a, b] {
        assert_eq!(hazards(&phone.phone), all.iter().copied().collect());
        assert_sound(phone);
        let status = phone.phone.status().unwrap();
        assert_eq!((status.siblings, status.pending, status.quarantined), (0, 0, 0));
    }
    for id in all {
        assert_same(&a.phone, &b.phone, *id);
    }
    assert_ne!(replica(a), replica(b));
}

#[tokio::test]
async fn a_copied_folder_takes_a_new_replica_id_at_its_first_start() {
    let town = TestTown::start().await.unwrap();
    let mut original = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let shared = report(&mut original.phone, 0);
    sync(&mut original).await;
    let unsent = report(&mut original.phone, 1);
    let before = replica(&original);
    let mut original = original.restart().unwrap();
    assert_eq!(replica(&original), before, "a start alone changes nothing");
    let mut twin = original.copied(false).unwrap();
    assert_ne!(replica(&twin), before);
    assert_eq!(twin.phone.status().unwrap().pending, 1);
    let first = report(&mut original.phone, 2);
    let second = report(&mut twin.phone, 3);
    change(&mut twin.phone, unsent, "title", "副本改的");
    both(&mut original, &mut twin).await;
    assert_eq!(replica(&original), before);
    let status = original.phone.status().unwrap();
    assert_eq!(status.siblings, 1, "both phones' titles of the record that neither had sent");
    let values = &original.phone.show(unsent).unwrap().siblings;
    assert!(values.keys().all(|path| path.as_str() == "title"), "{values:?}");
    crate::change(&mut original.phone, unsent, "title", "定下来的");
    both(&mut original, &mut twin).await;
    assert_all_well(&original, &twin, &[shared, unsent, first, second]);
}

#[tokio::test]
async fn a_folder_copied_with_its_marker_is_found_out_at_its_push() {
    let town = TestTown::start().await.unwrap();
    let mut original = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let shared = report(&mut original.phone, 0);
    sync(&mut original).await;
    let mut original = original.restart().unwrap();
    let before = replica(&original);
    let mut twin = original.copied(true).unwrap();
    assert_eq!(replica(&twin), before, "nothing tells yet");
    let first = report(&mut original.phone, 1);
    let second = report(&mut twin.phone, 2);
    both(&mut original, &mut twin).await;
    assert_eq!(replica(&original), before);
    assert_all_well(&original, &twin, &[shared, first, second]);
}

#[tokio::test]
async fn a_folder_copied_between_a_push_and_its_answer_loses_nothing() {
    for marker in [false, true] {
        let town = TestTown::start().await.unwrap();
        let line = town.line().await.unwrap();
        let account = town.account(Role::Chief, &[GRID]).await.unwrap();
        let mut original = town.phone_of(account, line.address).await.unwrap();
        let shared = report(&mut original.phone, 0);
        let before = line.bytes().1;
        sync(&mut original).await;
        let whole = i64::try_from(line.bytes().1 - before).unwrap();
        let sent = report(&mut original.phone, 1);
        line.cut_down_after(whole - 200);
        original.phone.sync(|_| {}).await.unwrap_err();
        assert_eq!(town.town.storage.counts().await.unwrap()["hazard"], 2, "it was taken");
        line.mend();
        let mut original = original.restart().unwrap();
        let mut twin = original.copied(marker).unwrap();
        change(&mut original.phone, sent, "address", "原机补的");
        change(&mut twin.phone, sent, "description", "副本补的");
        let (first, second) = (report(&mut original.phone, 2), report(&mut twin.phone, 3));
        both(&mut twin, &mut original).await;
        both(&mut original, &mut twin).await;
        // Whoever took the new id wrote on top of what it could not know to be sent, and its first values
        // stand beside what the other wrote meanwhile: a person settles that, and nothing is lost.
        let shown = original.phone.show(sent).unwrap();
        for (path, words) in [("address", "原机补的"), ("description", "副本补的")] {
            match shown.siblings.get(path) {
                Some(list) => assert!(list.iter().any(|s| s.value.as_text() == Some(words))),
                None => assert_eq!(shown.fields[path].as_text(), Some(words)),
            }
            if shown.siblings.contains_key(path) {
                change(&mut original.phone, sent, path, words);
            }
        }
        both(&mut original, &mut twin).await;
        assert_all_well(&original, &twin, &[shared, sent, first, second]);
        assert_eq!(text(&twin, sent, "address"), "原机补的");
        assert_eq!(text(&original, sent, "description"), "副本补的");
    }
}

fn put_back(data: &Path, backup: &Path) {
    std::fs::remove_dir_all(data).unwrap();
    copy(backup, data).unwrap();
}

#[tokio::test]
async fn a_folder_brought_back_from_last_week_gets_everything_again_and_writes_on() {
    let town = TestTown::start().await.unwrap();
    let mut other = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let mut phone = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let old = report(&mut phone.phone, 0);
    sync(&mut phone).await;
    let backup = tempfile::tempdir().unwrap();
    let mut phone = phone.after(|data| copy(data, backup.path()).unwrap()).unwrap();
    let before = replica(&phone);

    // What is sent after the backup, some of it superseded by another phone.
    change(&mut phone.phone, old, "title", "上周之后改的");
    let since = report(&mut phone.phone, 1);
    sync(&mut phone).await;
    sync(&mut other).await;
    change(&mut other.phone, old, "title", "别人后来改的");
    sync(&mut other).await;

    let mut phone = phone.after(|data| put_back(data, backup.path())).unwrap();
    assert_ne!(replica(&phone), before, "the marker has seen higher counters");
    let next = report(&mut phone.phone, 2);
    both(&mut phone, &mut other).await;
    assert_all_well(&phone, &other, &[old, since, next]);
    assert_eq!(text(&phone, old, "title"), "别人后来改的");
}

#[tokio::test]
async fn what_was_unsent_in_a_backup_and_sent_since_is_there_once() {
    let town = TestTown::start().await.unwrap();
    let mut other = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let mut phone = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let old = report(&mut phone.phone, 0);
    sync(&mut phone).await;
    change(&mut phone.phone, old, "address", "备份里还没发的");
    let unsent = report(&mut phone.phone, 1);
    let backup = tempfile::tempdir().unwrap();
    let mut phone = phone.after(|data| copy(data, backup.path()).unwrap()).unwrap();
    sync(&mut phone).await;
    let mut phone = phone.after(|data| put_back(data, backup.path())).unwrap();
    both(&mut phone, &mut other).await;
    assert_all_well(&phone, &other, &[old, unsent]);
}

#[tokio::test]
async fn what_was_unsent_in_a_backup_sent_since_and_replaced_does_not_come_back_beside_it() {
    let town = TestTown::start().await.unwrap();
    let mut other = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let mut phone = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let old = report(&mut phone.phone, 0);
    sync(&mut phone).await;
    change(&mut phone.phone, old, "title", "备份里还没发的");
    let created = report(&mut phone.phone, 1);
    let backup = tempfile::tempdir().unwrap();
    let mut phone = phone.after(|data| copy(data, backup.path()).unwrap()).unwrap();
    sync(&mut phone).await;
    sync(&mut other).await;
    change(&mut other.phone, old, "title", "别人后来改的");
    change(&mut other.phone, created, "title", "也是别人改的");
    sync(&mut other).await;

    let mut phone = phone.after(|data| put_back(data, backup.path())).unwrap();
    // Written before the phone has asked anything: it had the old title in view.
    change(&mut phone.phone, old, "address", "恢复后写的");
    let next = report(&mut phone.phone, 2);
    both(&mut phone, &mut other).await;
    assert_all_well(&phone, &other, &[old, created, next]);
    assert_eq!(text(&phone, old, "title"), "别人后来改的");
    assert_eq!(text(&phone, created, "title"), "也是别人改的");
    assert_eq!(text(&other, old, "address"), "恢复后写的");
}

/// The marker tells that something went out; only the town can tell whether a twin's was taken instead.
#[tokio::test]
async fn a_backup_brought_back_beside_a_living_twin_loses_no_save() {
    let mut town = TestTown::start().await.unwrap();
    let mut other = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let mut phone = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let old = report(&mut phone.phone, 0);
    sync(&mut phone).await;
    let mut phone = phone.restart().unwrap();
    let mut twin = phone.copied(true).unwrap();
    // The twin's save and this phone's first one stand under the same dot.
    change(&mut twin.phone, old, "title", "另一部写的");
    sync(&mut twin).await;
    change(&mut phone.phone, old, "title", "这一部写的");
    let backup = tempfile::tempdir().unwrap();
    let mut phone = phone.after(|data| copy(data, backup.path()).unwrap()).unwrap();
    report(&mut phone.phone, 1);
    town.stop().await.unwrap();
    phone.phone.sync(|_| {}).await.unwrap_err();
    let mut phone = phone.after(|data| put_back(data, backup.path())).unwrap();
    town.restart().await.unwrap();

    both(&mut phone, &mut other).await;
    for phone in [&phone, &other] {
        let shown = phone.phone.show(old).unwrap();
        let titles: Vec<_> = shown.siblings["title"].iter().map(|s| s.value.as_text()).collect();
        assert_eq!(titles.len(), 2);
        assert!(titles.contains(&Some("另一部写的")) && titles.contains(&Some("这一部写的")));
    }
}

/// A town that gives nothing any more cannot be compared with; what the phone holds goes out all the same.
#[tokio::test]
async fn a_revoked_phone_brought_back_hands_over_what_it_has() {
    let town = TestTown::start().await.unwrap();
    let mut phone = town.phone(Role::Chief, &[GRID]).await.unwrap();
    report(&mut phone.phone, 0);
    sync(&mut phone).await;
    let unsent = report(&mut phone.phone, 1);
    let backup = tempfile::tempdir().unwrap();
    let mut phone = phone.after(|data| copy(data, backup.path()).unwrap()).unwrap();
    report(&mut phone.phone, 2);
    sync(&mut phone).await;
    let mut phone = phone.after(|data| put_back(data, backup.path())).unwrap();
    change(&mut phone.phone, unsent, "title", "恢复后改的");
    town.revoke(&phone);
    phone.phone.sync(|_| {}).await.unwrap_err();
    assert_eq!(phone.phone.status().unwrap().pending, 0, "the town holds it");
}

#[tokio::test]
async fn nothing_is_sent_while_the_marker_cannot_be_written_and_nothing_is_lost() {
    let town = TestTown::start().await.unwrap();
    let phone = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let state = phone.state();
    // A file where the folder should be: nobody can write a marker there, not even root.
    let mut phone = phone
        .after(|_| {
            std::fs::remove_dir_all(&state).unwrap();
            std::fs::write(&state, "").unwrap();
        })
        .unwrap();
    let id = report(&mut phone.phone, 1);
    let error = phone.phone.sync(|_| {}).await.unwrap_err();
    assert_eq!(error.code(), yaoguan_field::ErrorCode::StateUnwritable);
    assert!(!town.town.storage.counts().await.unwrap().contains_key("hazard"));
    let mut phone = phone.restart().unwrap();
    assert!(hazards(&phone.phone).contains(&id), "reading needs no marker");
    std::fs::remove_file(phone.state()).unwrap();
    assert_eq!(sync(&mut phone).await.sent, 1);
    assert_sound(&phone);
}
