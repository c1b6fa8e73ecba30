//! The contract of a town's people: accounts and their scope versions, passwords and one-time passwords,
//! invites, devices, and the audit log that each act leaves.

use std::collections::BTreeSet;
use std::sync::Arc;

use yaoguan_model::env::System;
use yaoguan_model::{AccountId, DeviceId, Env, Role};
use yaoguan_town::audit::{Act, Attribution, By, Subject};
use yaoguan_town::people::sign_in::{SignInError, Try, sign_in, use_reset};
use yaoguan_town::people::{
    Account, Coverage, Enrolment, NewDevice, NewInvite, NewPerson, PeopleError, PersonChange, code,
    hash_code, invite_id, password, totp,
};
use yaoguan_town::storage::{AuditAsk, Storage};
use yaoguan_town::{TownError, demo};
use yaoguan_wire::ErrorCode;

use crate::clock::Clock;
use crate::town::{GRID, OTHER_GRID};

const NOW: i64 = 1_795_000_000;
const PASSWORD: &str = "correct horse battery";

type Town = Arc<dyn Storage>;

/// Runs every fact on a new demo town each.
pub async fn run<G>(new: impl AsyncFn() -> (G, Town)) {
    macro_rules! facts {
        ($($fact:ident),+ $(,)?) => {$(
            println!(stringify!($fact));
            let (_guard, town) = new().await;
            let admin = demo::add_admin(town.as_ref(), &System).await.unwrap();
            demo::fill(town.as_ref(), admin, &System).await.unwrap();
            $fact(&town).await;
            let checked = town.verify_audit().await.unwrap();
            assert_eq!(checked.flaws, [], "{}", stringify!($fact));
        )+};
    }
    facts!(
        a_login_is_one_persons,
        a_change_of_scope_counts_once_and_only_when_it_is_one,
        all_or_none_of_a_batch_is_written,
        one_enabled_admin_remains,
        a_closed_account_bars_its_phones_invites_and_resets,
        a_revoked_device_stays_revoked,
        an_invite_that_was_revoked_is_gone,
        a_password_lets_in_and_a_wrong_one_does_not,
        wrong_tries_slow_down_and_never_lock_out,
        a_one_time_password_is_asked_for_once_confirmed_and_used_once,
        a_reset_is_used_once_and_in_time,
        acts_stand_in_the_log_with_who_did_them,
    );
}

fn done() -> Attribution {
    Attribution::new(By::Console("test".to_owned()), NOW)
}

fn new(login: Option<&str>, role: Role, grids: &[&str]) -> NewPerson {
    let id = AccountId(System.new_record_id().0);
    let grids: BTreeSet<_> = grids.iter().map(|code| code.parse().unwrap()).collect();
    let account =
        Account { id, name: "王".to_owned(), role, whole_town: false, grids, scope_version: 1 };
    NewPerson { account, login: login.map(str::to_owned) }
}

async fn chief(town: &Town, login: &str) -> AccountId {
    let person = new(Some(login), Role::Chief, &[GRID]);
    let id = person.account.id;
    town.write_people(vec![person], vec![], done()).await.unwrap();
    id
}

async fn version(town: &Town, id: AccountId) -> u64 {
    town.person(id.to_string()).await.unwrap().unwrap().account.scope_version
}

fn refused<T: std::fmt::Debug>(result: Result<T, TownError>) -> PeopleError {
    match result {
        Err(TownError::People(error)) => error,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

async fn enrol(town: &Town, account: AccountId) -> DeviceId {
    let id = DeviceId(System.new_record_id().0);
    let code_hash = hash_code(&id.to_string());
    town.add_invite(NewInvite { code_hash, account, expires_at: NOW }, NOW).await.unwrap();
    let device = NewDevice { id, name: "x".to_owned(), public_key: "k".to_owned() };
    let enrolled = town.enrol(code_hash, device, NOW).await.unwrap();
    assert!(matches!(enrolled, Enrolment::Done(_)));
    id
}

async fn acts(town: &Town, about: &str) -> Vec<(String, String)> {
    let ask = AuditAsk { after: 0, limit: 1_000, subject: Some(about.to_owned()) };
    town.audit(ask).await.unwrap().into_iter().map(|entry| (entry.act, entry.by)).collect()
}

async fn a_login_is_one_persons(town: &Town) {
    let id = chief(town, "w1").await;
    let again = town.write_people(vec![new(Some("w1"), Role::Chief, &[GRID])], vec![], done());
    assert!(matches!(refused(again.await), PeopleError::LoginTaken(_)));
    let found = town.person(" W1 ".to_owned()).await.unwrap().unwrap();
    assert_eq!((found.account.id, found.login.as_deref()), (id, Some("w1")));
    assert!(town.person("w2".to_owned()).await.unwrap().is_none());
    // Accounts without a login do not collide.
    town.write_people(
        vec![new(None, Role::Chief, &[GRID]), new(None, Role::Chief, &[GRID])],
        vec![],
        done(),
    )
    .await
    .unwrap();
}

async fn a_change_of_scope_counts_once_and_only_when_it_is_one(town: &Town) {
    let id = chief(town, "w1").await;
    let write =
        async |change: PersonChange| town.write_people(vec![], vec![change], done()).await.unwrap();
    let grids = |codes: &[&str]| {
        Some(Coverage::Grids(codes.iter().map(|code| code.parse().unwrap()).collect()))
    };
    let both = PersonChange {
        role: Some(Role::Volunteer),
        coverage: grids(&[GRID, OTHER_GRID]),
        ..PersonChange::of(id)
    };
    assert_eq!((write(both.clone()).await, version(town, id).await), (1, 2));
    assert_eq!((write(both).await, version(town, id).await), (0, 2), "the same again is none");
    let name = PersonChange { name: Some("李".to_owned()), ..PersonChange::of(id) };
    assert_eq!((write(name).await, version(town, id).await), (1, 2), "a name is no scope");
    let whole = PersonChange {
        role: Some(Role::Supervisor),
        coverage: Some(Coverage::WholeTown),
        ..PersonChange::of(id)
    };
    assert_eq!((write(whole).await, version(town, id).await), (1, 3));
    let account = town.person(id.to_string()).await.unwrap().unwrap().account;
    assert_eq!((account.whole_town, account.grids.len()), (true, 91));
    let narrow = PersonChange { coverage: grids(&[GRID]), ..PersonChange::of(id) };
    assert_eq!((write(narrow).await, version(town, id).await), (1, 4));
    let account = town.person(id.to_string()).await.unwrap().unwrap().account;
    assert_eq!((account.whole_town, account.grids.len()), (false, 1));
}

async fn all_or_none_of_a_batch_is_written(town: &Town) {
    let before = (town.people().await.unwrap(), acts(town, "").await.len());
    let people = vec![new(Some("a1"), Role::Chief, &[GRID]), new(Some("a1"), Role::Chief, &[GRID])];
    refused(town.write_people(people, vec![], done()).await);
    let nobody = AccountId(System.new_record_id().0);
    let change = PersonChange { name: Some("x".to_owned()), ..PersonChange::of(nobody) };
    let written = town.write_people(vec![new(Some("a1"), Role::Chief, &[])], vec![change], done());
    assert!(matches!(refused(written.await), PeopleError::NoAccount(_)));
    assert_eq!((town.people().await.unwrap(), acts(town, "").await.len()), before);
}

async fn one_enabled_admin_remains(town: &Town) {
    let admin = town.person(demo::ADMIN.to_owned()).await.unwrap().unwrap().account.id;
    assert!(matches!(
        refused(town.set_disabled(admin, true, done()).await),
        PeopleError::LastAdmin
    ));
    let coverage = Some(Coverage::Grids(BTreeSet::from([GRID.parse().unwrap()])));
    let demoted = PersonChange { role: Some(Role::Chief), coverage, ..PersonChange::of(admin) };
    let change = town.write_people(vec![], vec![demoted.clone()], done()).await;
    assert!(matches!(refused(change), PeopleError::LastAdmin));
    // In one go with a successor it may be.
    let successor = new(Some("admin2"), Role::Admin, &[]);
    let second = successor.account.id;
    town.write_people(vec![successor], vec![demoted], done()).await.unwrap();
    assert!(matches!(
        refused(town.set_disabled(second, true, done()).await),
        PeopleError::LastAdmin
    ));
}

async fn a_closed_account_bars_its_phones_invites_and_resets(town: &Town) {
    let id = chief(town, "w1").await;
    let device = enrol(town, id).await;
    let waiting = NewInvite { code_hash: [4; 32], account: id, expires_at: NOW + 60 };
    town.add_invite(waiting, NOW).await.unwrap();
    town.offer_reset(id, [5; 32], NOW + 60, done()).await.unwrap();
    assert!(town.reset_waits("w1".to_owned(), [5; 32], NOW).await.unwrap());
    assert!(town.set_disabled(id, true, done()).await.unwrap());
    assert!(!town.set_disabled(id, true, done()).await.unwrap(), "it is closed already");
    let barred = async || town.device(device).await.unwrap().unwrap().barred;
    assert_eq!(barred().await, Some(ErrorCode::AccountDisabled));
    assert!(!town.reset_waits("w1".to_owned(), [5; 32], NOW).await.unwrap());
    assert!(town.set_disabled(id, false, done()).await.unwrap());
    assert_eq!(barred().await, None, "an account that is opened again has its phones");
    let new = NewDevice {
        id: DeviceId::from_bytes([9; 16]),
        name: String::new(),
        public_key: String::new(),
    };
    let late = town.enrol([4; 32], new, NOW).await.unwrap();
    assert!(matches!(late, Enrolment::Gone), "its invites stay void");
    assert!(!town.reset_waits("w1".to_owned(), [5; 32], NOW).await.unwrap());
}

async fn a_revoked_device_stays_revoked(town: &Town) {
    let id = chief(town, "w1").await;
    let (first, second) = (enrol(town, id).await, enrol(town, id).await);
    assert!(town.revoke_device(first, done()).await.unwrap());
    assert!(!town.revoke_device(first, done()).await.unwrap(), "for good already");
    let barred = async |device| town.device(device).await.unwrap().unwrap().barred;
    assert_eq!(barred(first).await, Some(ErrorCode::DeviceRevoked));
    assert_eq!(barred(second).await, None, "the other phone of the person goes on");
    let nobody = DeviceId(System.new_record_id().0);
    let unknown = refused(town.revoke_device(nobody, done()).await);
    assert!(matches!(unknown, PeopleError::NoDevice(_)));
    let listed = town.devices().await.unwrap();
    let own: Vec<_> = listed.iter().filter(|device| device.account == id).collect();
    assert_eq!(own.iter().filter(|device| device.revoked_at == Some(NOW)).count(), 1);
    assert_eq!((own.len(), own[0].account_name.as_str()), (2, "王"));
}

async fn an_invite_that_was_revoked_is_gone(town: &Town) {
    let id = chief(town, "w1").await;
    let invite = NewInvite { code_hash: [7; 32], account: id, expires_at: NOW + 60 };
    town.add_invites(vec![invite], done()).await.unwrap();
    assert_eq!(town.invited([7; 32]).await.unwrap(), Some(id));
    let name = invite_id(&[7; 32]);
    let waiting = town.invites(false, NOW).await.unwrap();
    assert_eq!((waiting.len(), waiting[0].id.as_str()), (1, name.as_str()));
    assert!(town.invites(false, NOW + 61).await.unwrap().is_empty(), "stale ones do not wait");
    town.revoke_invite(name.clone(), done()).await.unwrap();
    assert!(town.invites(false, NOW).await.unwrap().is_empty());
    assert_eq!(town.invites(true, NOW).await.unwrap()[0].revoked_at, Some(NOW));
    let again = refused(town.revoke_invite(name.clone(), done()).await);
    assert!(matches!(again, PeopleError::NoInvite(_)));
    for text in ["", "07", "%", "_"] {
        refused(town.revoke_invite(text.to_owned(), done()).await);
    }
    let device = NewDevice {
        id: DeviceId::from_bytes([9; 16]),
        name: String::new(),
        public_key: String::new(),
    };
    assert!(matches!(town.enrol([7; 32], device, NOW).await.unwrap(), Enrolment::Gone));
    assert_eq!(acts(town, &name).await.len(), 2);
}

/// Signs in at a time of the test.
async fn enter(
    town: &Town,
    clock: &Clock,
    login: &str,
    typed: (&str, Option<&str>),
) -> Result<AccountId, SignInError> {
    let (password, totp) = typed;
    let asked = Try { login, password, totp, address: "192.0.2.1" };
    sign_in(town.as_ref(), clock, asked).await.map(|account| account.id)
}

async fn with_password(town: &Town, login: &str) -> AccountId {
    let id = chief(town, login).await;
    let hash = password::hash(PASSWORD.to_owned(), &System).await.unwrap();
    town.set_password(id, hash, done()).await.unwrap();
    id
}

async fn a_password_lets_in_and_a_wrong_one_does_not(town: &Town) {
    let clock = Clock::default();
    let id = with_password(town, "w1").await;
    chief(town, "w2").await;
    assert_eq!(enter(town, &clock, "W1", (PASSWORD, None)).await.unwrap(), id);
    for (login, typed) in [("w1", "wrong"), ("w2", ""), ("w2", PASSWORD), ("nobody", PASSWORD)] {
        let refused = enter(town, &clock, login, (typed, None)).await;
        assert!(matches!(refused, Err(SignInError::Wrong)), "{login}: {refused:?}");
    }
    town.set_disabled(id, true, done()).await.unwrap();
    let wrong = enter(town, &clock, "w1", ("wrong", None)).await;
    assert!(matches!(wrong, Err(SignInError::Wrong)), "only the right one hears more");
    let closed = enter(town, &clock, "w1", (PASSWORD, None)).await;
    assert!(matches!(closed, Err(SignInError::Disabled)));
}

async fn wrong_tries_slow_down_and_never_lock_out(town: &Town) {
    let clock = Clock::default();
    let id = with_password(town, "w1").await;
    for login in ["w1", "nobody"] {
        let mut waits = Vec::new();
        for _ in 0..9 {
            let refused = enter(town, &clock, login, ("wrong", None)).await;
            if let Err(SignInError::Slow { retry_after_s }) = refused {
                waits.push(retry_after_s);
                clock.shift(retry_after_s);
                let after = enter(town, &clock, login, ("wrong", None)).await;
                assert!(matches!(after, Err(SignInError::Wrong)), "the wait was told right");
            } else {
                assert!(matches!(refused, Err(SignInError::Wrong)));
            }
        }
        // A second may pass between two tries; then a wait of one is over.
        assert!(waits.windows(2).all(|pair| pair[0] <= pair[1]), "{login}: {waits:?}");
        assert!(waits.last().is_some_and(|wait| (2..=60).contains(wait)), "{login}: {waits:?}");
    }
    let early = enter(town, &clock, "w1", (PASSWORD, None)).await;
    assert!(early.is_ok() || matches!(early, Err(SignInError::Slow { .. })));
    clock.shift(60 * 15);
    assert_eq!(enter(town, &clock, "w1", (PASSWORD, None)).await.unwrap(), id);
    // The right password clears the login's count.
    let wrong = enter(town, &clock, "w1", ("wrong", None)).await;
    assert!(matches!(wrong, Err(SignInError::Wrong)));
    clock.shift(60 * 15);
    assert!(enter(town, &clock, "w1", (PASSWORD, None)).await.is_ok());
}

async fn a_one_time_password_is_asked_for_once_confirmed_and_used_once(town: &Town) {
    let clock = Clock::default();
    let id = with_password(town, "w1").await;
    let secret = totp::new_secret(&System);
    town.enrol_totp(id, secret.clone(), done()).await.unwrap();
    assert!(enter(town, &clock, "w1", (PASSWORD, None)).await.is_ok(), "not confirmed yet");
    let at = |clock: &Clock| Attribution::new(By::Console("test".to_owned()), clock.now_s());
    let wrong = refused(town.confirm_totp(id, "12345".to_owned(), at(&clock)).await);
    assert!(matches!(wrong, PeopleError::TotpWrong));
    let shown = |clock: &Clock| totp::code_at(&secret, clock.now_s() / totp::STEP_S);
    let first = shown(&clock);
    town.confirm_totp(id, first.clone(), at(&clock)).await.unwrap();
    let there = refused(town.enrol_totp(id, vec![1; 20], done()).await);
    assert!(matches!(there, PeopleError::TotpThere), "nobody slips another secret in");

    let needed = enter(town, &clock, "w1", (PASSWORD, None)).await;
    assert!(matches!(needed, Err(SignInError::TotpNeeded)));
    let used = enter(town, &clock, "w1", (PASSWORD, Some(&first))).await;
    assert!(matches!(used, Err(SignInError::Wrong)), "confirming spent it");
    clock.shift(90);
    let second = shown(&clock);
    assert_eq!(enter(town, &clock, "w1", (PASSWORD, Some(&second))).await.unwrap(), id);
    let again = enter(town, &clock, "w1", (PASSWORD, Some(&second))).await;
    assert!(matches!(again, Err(SignInError::Wrong)), "each is used once");
    assert!(town.disable_totp(id, done()).await.unwrap());
    assert!(enter(town, &clock, "w1", (PASSWORD, None)).await.is_ok());
}

async fn a_reset_is_used_once_and_in_time(town: &Town) {
    let clock = Clock::default();
    let id = with_password(town, "w1").await;
    let offer = async |code: &str| {
        let until = clock.now_s() + 60;
        town.offer_reset(id, hash_code(code), until, done()).await.unwrap();
    };
    let set = async |login: &str, code: &str, new: &str| {
        use_reset(town.as_ref(), &clock, login, code, new).await
    };
    let (first, second) = (code::new(&System), code::new(&System));
    offer(&first).await;
    offer(&second).await;
    assert!(enter(town, &clock, "w1", (PASSWORD, None)).await.is_ok(), "the old one goes on");
    let gone = |result| matches!(refused(result), PeopleError::ResetGone);
    assert!(gone(set("w1", &first, "another password").await), "a later code voids it");
    assert!(gone(set("admin", &second, "another password").await), "it is one login's");
    assert!(matches!(refused(set("w1", &second, "short").await), PeopleError::Password(_)));
    set("w1", &second.to_uppercase(), "another password").await.unwrap();
    assert!(gone(set("w1", &second, "a third password").await), "used");
    assert!(enter(town, &clock, "w1", ("another password", None)).await.is_ok());
    let old = enter(town, &clock, "w1", (PASSWORD, None)).await;
    assert!(matches!(old, Err(SignInError::Wrong)));
    offer(&first).await;
    clock.shift(61);
    assert!(gone(set("w1", &first, "another password").await), "stale");
}

async fn acts_stand_in_the_log_with_who_did_them(town: &Town) {
    let id = chief(town, "w1").await;
    let device = enrol(town, id).await;
    town.revoke_device(device, done().because("lost")).await.unwrap();
    town.set_disabled(id, true, done()).await.unwrap();
    let console = || "console:test".to_owned();
    let about = |act: Act, by: String| (act.as_str().to_owned(), by);
    let expected = [about(Act::AccountAdded, console()), about(Act::AccountDisabled, console())];
    assert_eq!(acts(town, &id.to_string()).await, expected);
    let expected =
        [about(Act::DeviceEnrolled, id.to_string()), about(Act::DeviceRevoked, console())];
    assert_eq!(acts(town, &device.to_string()).await, expected);
    let entry = done().entry(Act::Exported, Subject::Kind("hazard".to_owned())).with("count", 3);
    let sequence = town.note(entry).await.unwrap();
    let last = town.audit(AuditAsk { after: sequence - 1, limit: 9, subject: None }).await.unwrap();
    assert_eq!((last.len(), last[0].detail["count"].as_u64()), (1, Some(3)));
}
