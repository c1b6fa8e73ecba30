//! What a person was entitled to when they wrote it is never dropped: it is held for a supervisor.

use yaoguan_field::{ErrorCode, FieldError};
use yaoguan_model::authorise::Actor;
use yaoguan_model::{Env as _, Kind, RecordId, Role};
use yaoguan_testkit::town::{GRID, OTHER_GRID, TestPhone, TestTown};
use yaoguan_town::audit::{Attribution, By};
use yaoguan_town::storage::{Apart as _, Held, Release, Storage as _};

use crate::{assert_sound, change, edit, hazards, report};

fn household(phone: &mut TestPhone, grid: &str, address: &str) -> RecordId {
    let form = phone.phone.new_form(Kind::Household).unwrap();
    let fields = edit(&Kind::Household, &[("address", address), ("grid", grid)]);
    phone.phone.save(&form, fields).unwrap().ids[0]
}

fn account(phone: &TestPhone) -> yaoguan_model::AccountId {
    phone.phone.store().identity().unwrap().unwrap().account
}

fn kinds(phone: &TestPhone, kind: &str) -> u64 {
    phone.phone.status().unwrap().records.get(kind).copied().unwrap_or(0)
}

async fn only_hold(town: &TestTown) -> Held {
    let mut held = town.town.storage.held().await.unwrap();
    assert_eq!(held.len(), 1, "{held:?}");
    held.remove(0)
}

async fn release(town: &TestTown, held: &Held) -> Result<RecordId, yaoguan_town::TownError> {
    let accounts = town.town.storage.accounts().await.unwrap();
    let admin = accounts.iter().find(|account| account.role == Role::Admin).unwrap().id;
    let grids = town.town.storage.grids().await.unwrap();
    let release = Release {
        hold: held.id,
        by: Actor { account: admin, role: Role::Supervisor, grids },
        mended: Default::default(),
        fresh_id: town.clock.new_record_id(),
        note: String::new(),
        now: town.clock.now_s(),
    };
    town.town.storage.release(release, By::Town).await
}

/// Two chiefs with a household of the other grid on both phones; the first then loses that grid and has
/// written meanwhile.
async fn narrowed() -> (TestTown, TestPhone, TestPhone, RecordId) {
    let town = TestTown::start().await.unwrap();
    let mut a = town.phone(Role::Chief, &[GRID, OTHER_GRID]).await.unwrap();
    let mut b = town.phone(Role::Chief, &[OTHER_GRID]).await.unwrap();
    let id = household(&mut a, OTHER_GRID, "村口 1 号");
    report(&mut a.phone, 1);
    for phone in [&mut a, &mut b] {
        phone.phone.sync(|_| {}).await.unwrap();
    }
    change(&mut a.phone, id, "contact_name", "老李");
    town.rescope(account(&a), Role::Chief, &[GRID]);
    (town, a, b, id)
}

#[tokio::test]
async fn a_save_from_before_the_scope_narrowed_is_held_released_and_loses_nothing() {
    let (town, mut a, mut b, id) = narrowed().await;
    // The record moves on while the save is under way.
    change(&mut b.phone, id, "address", "村口 2 号");
    b.phone.sync(|_| {}).await.unwrap();
    let summary = a.phone.sync(|_| {}).await.unwrap();
    assert_eq!((summary.held, summary.refused, summary.pending), (1, 0, 0));
    assert_eq!((kinds(&a, "household"), kinds(&a, "hazard")), (0, 1), "the lost grid is gone");
    let kept = a.phone.quarantined().unwrap();
    assert_eq!(kept[0].save.code.as_str(), "held");
    assert!(matches!(
        a.phone.mend(kept[0].number, &Default::default()),
        Err(FieldError::HeldByTown)
    ));

    let held = only_hold(&town).await;
    assert_eq!((held.about.id, held.code.as_str()), (id, "out_of_scope"));
    release(&town, &held).await.unwrap();
    b.phone.sync(|_| {}).await.unwrap();
    let shown = b.phone.show(id).unwrap();
    assert_eq!(shown.fields["contact_name"].as_text(), Some("老李"), "the released save");
    assert_eq!(shown.fields["address"].as_text(), Some("村口 2 号"), "the newer edit");
    assert!(shown.siblings.is_empty());
    a.phone.sync(|_| {}).await.unwrap();
    assert!(a.phone.quarantined().unwrap().is_empty(), "the phone lets its copy go");
    assert_sound(&a);
    assert_sound(&b);
}

#[tokio::test]
async fn a_held_save_that_is_declined_comes_back_with_the_supervisors_words() {
    let (town, mut a, ..) = narrowed().await;
    a.phone.sync(|_| {}).await.unwrap();
    let held = only_hold(&town).await;
    let now = town.clock.now_s();
    let done = Attribution::town(now);
    town.town.storage.refuse_held(held.id, "已由新网格长核实".to_owned(), done).await.unwrap();
    a.phone.sync(|_| {}).await.unwrap();
    let kept = a.phone.quarantined().unwrap();
    assert_eq!(kept[0].save.code.as_str(), "hold_refused");
    assert_eq!(kept[0].save.detail, "已由新网格长核实");
    assert!(release(&town, &held).await.is_err(), "it was decided");
    a.phone.discard(kept[0].number).unwrap();
    assert!(a.phone.quarantined().unwrap().is_empty());
}

#[tokio::test]
async fn a_hold_that_the_town_has_lost_is_sent_again() {
    let (town, mut a, ..) = narrowed().await;
    a.phone.sync(|_| {}).await.unwrap();
    town.town.storage.with_raw(|c| c.execute("DELETE FROM held", []).unwrap());
    a.phone.sync(|_| {}).await.unwrap();
    // The phone knows its new scope by now: it is refused, and what was written is still here.
    let kept = a.phone.quarantined().unwrap();
    assert_eq!(kept.len(), 1);
    assert!(kept[0].save.hold.is_none());
    assert!(kept[0].save.kept.changes.paths.contains_key("contact_name"));
}

#[tokio::test]
async fn a_push_that_arrives_twice_is_held_once() {
    let (town, mut a, ..) = narrowed().await;
    a.phone.sync(|_| {}).await.unwrap();
    let held = only_hold(&town).await;
    release(&town, &held).await.unwrap();
    // The same save again, as a network that repeats would bring it.
    let changes = held.changes.clone();
    assert_eq!(yaoguan_wire::HoldId::of(held.about.id, &changes), held.id);
    assert!(town.town.storage.held().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_added_grid_is_filled_in_without_pulling_the_rest_again() {
    let town = TestTown::start().await.unwrap();
    let mut a = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let mut other = town.phone(Role::Chief, &[OTHER_GRID]).await.unwrap();
    for n in 0..30 {
        report(&mut a.phone, n);
        let id = report(&mut other.phone, 100 + n);
        change(&mut other.phone, id, "grid", OTHER_GRID);
    }
    for phone in [&mut a, &mut other] {
        phone.phone.sync(|_| {}).await.unwrap();
    }
    town.rescope(account(&a), Role::Chief, &[GRID, OTHER_GRID]);
    let summary = a.phone.sync(|_| {}).await.unwrap();
    assert_eq!((summary.received, hazards(&a.phone).len()), (30, 60));
    // And away again: what the phone did not write itself goes.
    town.rescope(account(&a), Role::Chief, &[GRID]);
    let summary = a.phone.sync(|_| {}).await.unwrap();
    assert_eq!((summary.evicted, hazards(&a.phone).len()), (30, 30));
    town.rescope(account(&a), Role::Chief, &[GRID, OTHER_GRID]);
    a.phone.sync(|_| {}).await.unwrap();
    assert_eq!(hazards(&a.phone).len(), 60);
    assert_sound(&a);
}

#[tokio::test]
async fn a_chief_who_becomes_a_volunteer_keeps_no_household() {
    let town = TestTown::start().await.unwrap();
    let mut a = town.phone(Role::Chief, &[GRID]).await.unwrap();
    household(&mut a, GRID, "村口 1 号");
    a.phone.sync(|_| {}).await.unwrap();
    household(&mut a, GRID, "村口 2 号");
    town.rescope(account(&a), Role::Volunteer, &[GRID]);
    let summary = a.phone.sync(|_| {}).await.unwrap();
    assert_eq!((summary.held, summary.evicted, kinds(&a, "household")), (1, 1, 0));
    assert_eq!(only_hold(&town).await.code.as_str(), "kind_not_allowed");
}

#[tokio::test]
async fn a_revoked_phone_hands_over_what_it_has_and_receives_nothing() {
    let town = TestTown::start().await.unwrap();
    let mut a = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let mut b = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let first = report(&mut a.phone, 1);
    a.phone.sync(|_| {}).await.unwrap();
    change(&mut a.phone, first, "title", "改过的");
    report(&mut a.phone, 2);
    report(&mut b.phone, 3);
    b.phone.sync(|_| {}).await.unwrap();
    town.revoke(&a);
    let refused = a.phone.sync(|_| {}).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::TownRefused);
    let status = a.phone.status().unwrap();
    assert_eq!((status.pending, status.quarantined), (0, 2));
    assert_eq!(hazards(&a.phone), [first].into(), "nothing new came");
    let held = town.town.storage.held().await.unwrap();
    assert_eq!(held.len(), 2);
    assert!(held.iter().all(|held| held.code.as_str() == "device_revoked"));
    for one in &held {
        release(&town, one).await.unwrap();
    }
    b.phone.sync(|_| {}).await.unwrap();
    assert_eq!(hazards(&b.phone).len(), 3);
    assert_eq!(b.phone.show(first).unwrap().fields["title"].as_text(), Some("改过的"));
}
