//! A phone that enrols again keeps everything; a town put back from before has forgotten no password and no
//! entry of its audit log.

use yaoguan_field::{EnrolOptions, FieldError};
use yaoguan_model::{Env as _, Kind, Role};
use yaoguan_testkit::town::{GRID, OTHER_GRID, TestTown};
use yaoguan_town::audit::{Act, Attribution};
use yaoguan_town::people::password;
use yaoguan_town::people::sign_in::{SignInError, Try, sign_in};
use yaoguan_town::storage::{AuditAsk, AuditLog as _, People as _, SignIns as _};

use crate::{assert_sound, edit, hazards, report};

fn options() -> EnrolOptions {
    EnrolOptions { device_name: "again".to_owned(), lang: "en" }
}

#[tokio::test]
async fn a_phone_that_enrols_again_keeps_store_unsent_saves_and_drafts() {
    let town = TestTown::start().await.unwrap();
    let mut phone = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let identity =
        |phone: &yaoguan_testkit::town::TestPhone| phone.phone.store().identity().unwrap().unwrap();
    let before = identity(&phone);
    let sent = report(&mut phone.phone, 1);
    phone.phone.sync(|_| {}).await.unwrap();
    let unsent = report(&mut phone.phone, 2);
    let form = phone.phone.new_form(Kind::Hazard).unwrap();
    phone.phone.keep_draft(&form, edit(&Kind::Hazard, &[("title", "半句话")])).unwrap();
    let (chain, replica) = {
        let state = phone.phone.store().state().unwrap();
        (state.clone(), state.replica)
    };
    town.revoke(&phone);

    let other = town.account(Role::Chief, &[OTHER_GRID]).await.unwrap();
    let theirs = town.invite(other, town.address).await.unwrap();
    let refused = phone.phone.enrol_again(&theirs, &options()).await;
    assert!(matches!(refused, Err(FieldError::OtherAccount)), "{refused:?}");
    assert_eq!(identity(&phone), before, "nothing changed");
    town.phone_of(other, town.address).await.unwrap();

    let own = town.invite(before.account, town.address).await.unwrap();
    phone.phone.enrol_again(&own, &options()).await.unwrap();
    let after = identity(&phone);
    assert_eq!(after.account, before.account);
    assert!(after.device != before.device && after.private_key != before.private_key);
    assert_eq!(phone.phone.store().state().unwrap(), chain, "cursor, chain and counter go on");
    let summary = phone.phone.sync(|_| {}).await.unwrap();
    assert_eq!((summary.sent, summary.held, summary.pending), (1, 0, 0));
    assert_eq!(phone.phone.store().state().unwrap().replica, replica, "and it is no twin");
    assert_eq!(hazards(&phone.phone).len(), 2);
    assert!(phone.phone.show(sent).is_ok() && phone.phone.show(unsent).is_ok());
    assert_eq!(phone.phone.drafts().unwrap().len(), 1);
    assert_sound(&phone);
}

#[tokio::test]
async fn a_restored_town_knows_the_last_password_and_its_whole_log() {
    let mut town = TestTown::start().await.unwrap();
    let id = town.town.storage.person("supervisor".to_owned()).await.unwrap().unwrap().account.id;
    let set = async |town: &TestTown, password: &str| {
        let hash = password::hash(password.to_owned(), &town.clock).await.unwrap();
        let done = Attribution::town(town.clock.now_s());
        town.town.storage.set_password(id, hash, done).await.unwrap();
    };
    set(&town, "the first password").await;
    let dir = tempfile::tempdir().unwrap();
    let kept = dir.path().join("town.db");
    let keep = |data: &std::path::Path| {
        std::fs::copy(data.join("town.db"), &kept).unwrap();
    };
    town.meddled(keep).await.unwrap();
    set(&town, "the second password").await;
    let ask = || AuditAsk { after: 0, limit: u32::MAX, subject: None };
    let before = town.town.storage.audit(ask()).await.unwrap();
    let put_back = |data: &std::path::Path| {
        std::fs::copy(&kept, data.join("town.db")).unwrap();
    };
    town.meddled(put_back).await.unwrap();

    let typed = |password| Try { login: "supervisor", password, totp: None, address: "192.0.2.1" };
    let old = sign_in(&town.town.storage, &town.clock, typed("the first password")).await;
    assert!(matches!(old, Err(SignInError::Wrong)), "{old:?}");
    assert!(sign_in(&town.town.storage, &town.clock, typed("the second password")).await.is_ok());
    let after = town.town.storage.audit(ask()).await.unwrap();
    assert_eq!(after[..before.len()], before[..], "not an entry is lost");
    assert!(after[before.len()..].iter().any(|entry| entry.act == Act::Restored.as_str()));
    assert_eq!(town.town.storage.verify_audit().await.unwrap().flaws, []);
}
