//! Finished records leave a phone 30 days after the town confirmed them; what is left still counts, and
//! what changes comes back.

use yaoguan_model::retention::PHONE_KEEPS_S;
use yaoguan_model::{Env as _, RecordId, Role};
use yaoguan_store::StoreError;
use yaoguan_sync::{PhoneStore as _, rewrite_after_fork};
use yaoguan_testkit::town::{GRID, TestPhone, TestTown};

use crate::{assert_sound, change, edit, hazards, report};

const DAY_S: i64 = 24 * 60 * 60;

async fn sync(phone: &mut TestPhone) -> yaoguan_field::SyncSummary {
    phone.phone.sync(|_| {}).await.unwrap()
}

async fn days_pass(town: &TestTown, phones: &mut [&mut TestPhone], days: i64) {
    town.clock.shift(days * DAY_S);
    for phone in phones {
        phone.clock.shift(days * DAY_S);
    }
}

/// A chief, a supervisor, and two reports, the first of which the supervisor has closed.
async fn closed() -> (TestTown, TestPhone, TestPhone, RecordId, RecordId) {
    let town = TestTown::start().await.unwrap();
    let mut chief = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let mut boss = town.phone(Role::Supervisor, &[]).await.unwrap();
    let (done, open) = (report(&mut chief.phone, 1), report(&mut chief.phone, 2));
    sync(&mut chief).await;
    sync(&mut boss).await;
    change(&mut boss.phone, done, "status", "verified");
    change(&mut boss.phone, done, "status", "closed");
    sync(&mut boss).await;
    sync(&mut chief).await;
    (town, chief, boss, done, open)
}

#[tokio::test]
async fn a_closed_record_goes_after_30_days_of_the_town_and_comes_back_when_it_changes() {
    let (town, mut chief, mut boss, done, open) = closed().await;
    // A phone's own clock says nothing.
    chief.clock.shift(2 * PHONE_KEEPS_S);
    assert_eq!(sync(&mut chief).await.given_up, 0);
    chief.clock.shift(-2 * PHONE_KEEPS_S);
    days_pass(&town, &mut [&mut chief, &mut boss], 29).await;
    assert_eq!(sync(&mut chief).await.given_up, 0);
    days_pass(&town, &mut [&mut chief, &mut boss], 2).await;
    assert_eq!(sync(&mut chief).await.given_up, 1);
    assert_eq!(hazards(&chief.phone), [open].into());
    assert_eq!(chief.phone.status().unwrap().stubs, 1);
    assert_sound(&chief);

    // It still counts: phone and town are found alike, and a feed that starts again does not bring it.
    days_pass(&town, &mut [&mut chief, &mut boss], 2).await;
    sync(&mut chief).await;
    assert!(!sync(&mut chief).await.reconciled, "what was given up is not missed");
    let env = chief.clock.clone();
    let store = chief.phone.store_mut();
    let forked = store.transact(|tx| {
        rewrite_after_fork(tx, &env).map_err(|e| StoreError::Corrupt(e.to_string()))
    });
    forked.unwrap();
    sync(&mut chief).await;
    assert_eq!(hazards(&chief.phone), [open].into());

    // Reopened at the town: it is news.
    let form = boss.phone.open_form(done).unwrap();
    let kind = form.record().kind.clone();
    let again = edit(&kind, &[("status", "reported"), ("note", "又裂开了")]);
    boss.phone.save(&form, again).unwrap();
    sync(&mut boss).await;
    sync(&mut chief).await;
    assert_eq!(hazards(&chief.phone), [done, open].into());
    assert_eq!(chief.phone.status().unwrap().stubs, 0);
    assert_sound(&chief);
}

#[tokio::test]
async fn what_somebody_still_works_on_is_not_given_up() {
    let (town, mut chief, mut boss, done, _) = closed().await;
    let form = chief.phone.open_form(done).unwrap();
    let kind = form.record().kind.clone();
    chief.phone.keep_draft(&form, edit(&kind, &[("title", "草稿")])).unwrap();
    days_pass(&town, &mut [&mut chief, &mut boss], 40).await;
    assert_eq!(sync(&mut chief).await.given_up, 0, "a draft is open on it");
    let record = form.record().clone();
    chief.phone.drop_draft(record.id).unwrap();
    chief
        .phone
        .store_mut()
        .transact(|tx| {
            use yaoguan_sync::Tx as _;
            let mut state = tx.state()?;
            state.reconcile = true;
            tx.set_state(&state)
        })
        .unwrap();
    let store = chief.phone.store_mut();
    let gone = store.transact(|tx| yaoguan_sync::purge(tx, 0, 10)).unwrap();
    assert!(gone.is_empty(), "a reconciliation is owed");
    assert_eq!(sync(&mut chief).await.given_up, 1);
}

#[tokio::test]
async fn a_nearly_full_disk_gives_up_what_is_finished_before_its_time_and_nothing_else() {
    let (town, mut chief, _boss, done, open) = closed().await;
    let unsent = report(&mut chief.phone, 3);
    assert_eq!(chief.phone.free_space(0).unwrap(), 0, "there is room");
    assert_eq!(chief.phone.free_space(u64::MAX).unwrap(), 1);
    assert_eq!(hazards(&chief.phone), [open, unsent].into());
    assert!(!hazards(&chief.phone).contains(&done));
    assert_eq!(sync(&mut chief).await.sent, 1);
    assert!(town.clock.now_s() > 0);
    assert_sound(&chief);
}
