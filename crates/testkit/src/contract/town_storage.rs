//! The contract of a town's storage: enrolment, the push chain, judgement here, the feed within cells in `feed`.

mod feed;
mod person;

use yaoguan_model::env::System;
use yaoguan_model::{DeviceId, Dot, Kind, Record, ReplicaId, Role, Value};
use yaoguan_town::demo;
use yaoguan_town::people::{Enrolment, NewDevice, NewInvite};
use yaoguan_town::storage::{Batch, Outcome, Pushed};
use yaoguan_wire::{ErrorCode, Judgement, PushToken};

use feed::{
    a_household_and_what_hangs_on_it_is_hidden_from_volunteers, a_reader_gets_its_own_cells_alone,
    a_record_that_moves_leaves_the_old_readers, checks_move_with_their_household,
    own_states_do_not_come_back_and_merged_ones_do, pages_bring_every_record_once,
    the_town_writes_as_a_replica_of_its_own,
};
use person::{NOW, Town, hash_of, head, person};

use crate::town::GRID;

/// Runs every fact on a new demo town each.
pub async fn run<G>(new: impl AsyncFn() -> (G, Town)) {
    macro_rules! facts {
        ($($fact:ident),+ $(,)?) => {$(
            println!(stringify!($fact));
            let (_guard, town) = new().await;
            let admin = demo::add_admin(town.as_ref(), &System).await.unwrap();
            demo::fill(town.as_ref(), admin, &System).await.unwrap();
            $fact(&town).await;
            assert_eq!(town.verify().await.unwrap().findings, [], "{}", stringify!($fact));
        )+};
    }
    facts!(
        a_town_tells_the_same_of_itself_each_time,
        an_invite_enrols_once,
        a_push_taken_twice_changes_nothing,
        a_chain_that_does_not_fit_is_a_twin,
        a_replica_id_belongs_to_one_person,
        one_bad_record_does_not_block_the_others,
        dots_that_a_phone_cannot_have_are_refused,
        a_reader_gets_its_own_cells_alone,
        a_household_and_what_hangs_on_it_is_hidden_from_volunteers,
        own_states_do_not_come_back_and_merged_ones_do,
        a_record_that_moves_leaves_the_old_readers,
        checks_move_with_their_household,
        pages_bring_every_record_once,
        the_town_writes_as_a_replica_of_its_own,
    );
}

async fn a_town_tells_the_same_of_itself_each_time(town: &Town) {
    let (a, b) = (town.info().await.unwrap(), town.info().await.unwrap());
    assert_eq!((a.epoch, a.replica, a.cursor_secret), (b.epoch, b.replica, b.cursor_secret));
    town.set_secret("ca_cert", "pem".to_owned()).await.unwrap();
    assert_eq!(town.secret("ca_cert").await.unwrap().as_deref(), Some("pem"));
    assert_eq!(town.secret("ca_key").await.unwrap(), None);
    assert_eq!((town.grids().await.unwrap().len(), town.counts().await.unwrap()["grid"]), (91, 91));
}

async fn an_invite_enrols_once(town: &Town) {
    let chief = person(town, Role::Chief, &[GRID]).await;
    let new = |n: u8| NewDevice {
        id: DeviceId::from_bytes([n; 16]),
        name: "x".to_owned(),
        public_key: "k".to_owned(),
    };
    let enrol = async |hash, now| town.enrol(hash, new(1), now).await.unwrap();
    assert!(matches!(enrol(hash_of(chief.device), NOW).await, Enrolment::Gone), "used");
    assert!(matches!(enrol([1; 32], NOW).await, Enrolment::Unknown));
    let invite = NewInvite { code_hash: [2; 32], account: chief.account.id, expires_at: NOW };
    town.add_invite(invite, NOW).await.unwrap();
    assert!(matches!(enrol([2; 32], NOW + 1).await, Enrolment::Gone), "stale");
    assert!(matches!(enrol([2; 32], NOW).await, Enrolment::Done(_)), "a late try uses nothing up");
    let device = town.device(DeviceId::from_bytes([1; 16])).await.unwrap().unwrap();
    assert_eq!((device.account, device.barred), (chief.account, None));
    assert!(town.device(DeviceId::from_bytes([9; 16])).await.unwrap().is_none());
}

async fn a_push_taken_twice_changes_nothing(town: &Town) {
    let mut a = person(town, Role::Chief, &[GRID]).await;
    let hazard = a.hazard(GRID, "一");
    let token = PushToken::new([1; 16]);
    let batch = a.batch(std::slice::from_ref(&hazard), token);
    town.push(batch.clone()).await.unwrap();
    let before = (head(town, &a).await, a.sees(town).await);
    // The answer was lost: the same push again, now with its own token among those known.
    let again = Batch { tokens: vec![token], ..batch };
    let Pushed::Done(outcomes) = town.push(again).await.unwrap() else { panic!("the chain fits") };
    assert_eq!(outcomes[0].judgement, Judgement::Taken);
    assert_eq!((head(town, &a).await, a.sees(town).await), before);
}

async fn a_chain_that_does_not_fit_is_a_twin(town: &Town) {
    let mut a = person(town, Role::Chief, &[GRID]).await;
    let first = a.hazard(GRID, "一");
    a.take(town, &[first]).await;
    let twin =
        Batch { tokens: vec![PushToken::new([8; 16])], ..a.batch(&[], PushToken::new([9; 16])) };
    let second = a.hazard(GRID, "二");
    let forked = town.push(Batch { records: vec![second.clone()], ..twin.clone() }).await.unwrap();
    assert!(matches!(forked, Pushed::Forked));
    assert!(!a.sees(town).await.contains_key(&second.id), "nothing is merged");
    let empty = Batch { next: None, ..twin };
    assert!(matches!(town.push(empty).await.unwrap(), Pushed::Forked), "an empty push is checked");
    let empty = Batch { next: None, ..a.batch(&[], PushToken::new([9; 16])) };
    assert!(matches!(town.push(empty).await.unwrap(), Pushed::Done(_)));
    a.take(town, &[second]).await;
}

async fn a_replica_id_belongs_to_one_person(town: &Town) {
    let mut a = person(town, Role::Chief, &[GRID]).await;
    let mut thief = person(town, Role::Chief, &[GRID]).await;
    let hazard = a.hazard(GRID, "一");
    a.take(town, &[hazard]).await;
    thief.replica = a.replica;
    thief.token = a.token;
    let pushed = town.push(thief.batch(&[], PushToken::new([3; 16]))).await.unwrap();
    assert!(matches!(pushed, Pushed::Forked));
}

async fn one_bad_record_does_not_block_the_others(town: &Town) {
    let mut a = person(town, Role::Chief, &[GRID]).await;
    let mut batch: Vec<Record> = (0..500).map(|n| a.hazard(GRID, &n.to_string())).collect();
    let bad = Value::text("closed");
    batch[250] = a.edit(&batch[250], "status", bad);
    let outcomes = a.push(town, &batch).await;
    let taken = |o: &&Outcome| o.judgement == Judgement::Taken;
    assert_eq!((outcomes.len(), outcomes.iter().filter(taken).count()), (500, 499));
    let Judgement::Refused { code, .. } = &outcomes[250].judgement else { panic!("refused") };
    assert_eq!(*code, ErrorCode::StepNotAllowed);
    assert_eq!(a.sees(town).await.len(), 499);
}

async fn dots_that_a_phone_cannot_have_are_refused(town: &Town) {
    let mut a = person(town, Role::Chief, &[GRID]).await;
    let mut b = person(town, Role::Chief, &[GRID]).await;
    let hazard = a.hazard(GRID, "一");
    a.take(town, std::slice::from_ref(&hazard)).await;
    let mut huge = b.edit(&hazard, "title", Value::text("二"));
    huge.context.join_dot(Dot::new(a.replica, 1 << 52));
    b.refuse(town, huge, ErrorCode::ForeignDot).await;
    let mut ahead = b.edit(&hazard, "title", Value::text("二"));
    ahead.context.join_dot(Dot::new(b.replica, b.counter + 1));
    b.refuse(town, ahead, ErrorCode::ForeignDot).await;
    let mut unknown = b.edit(&hazard, "title", Value::text("二"));
    unknown.context.join_dot(Dot::new(ReplicaId([4; 16]), 1 << 40));
    b.refuse(town, unknown, ErrorCode::ForeignDot).await;
    let towns = town.info().await.unwrap().replica;
    let mut as_town = b.edit(&hazard, "title", Value::text("二"));
    as_town.context.join_dot(Dot::new(towns, 1));
    b.refuse(town, as_town, ErrorCode::ForeignDot).await;
    let mut changed = b.edit(&hazard, "title", Value::text("二"));
    changed.kind = Kind::Patrol;
    b.refuse(town, changed, ErrorCode::IdentityChanged).await;
    let mut stolen = b.edit(&hazard, "title", Value::text("二"));
    stolen.created_by = b.account.id;
    b.refuse(town, stolen, ErrorCode::IdentityChanged).await;
    assert_eq!(a.sees(town).await[&hazard.id], hazard, "without effect");
}
