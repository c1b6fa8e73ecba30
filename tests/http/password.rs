//! `POST /v1/password`: a new password with a one-time code.

use serde_json::{Value, json};
use yaoguan_model::Env as _;
use yaoguan_testkit::town::TestTown;
use yaoguan_town::audit::Attribution;
use yaoguan_town::people::sign_in::{SignInError, Try, sign_in};
use yaoguan_town::people::{code, hash_code};
use yaoguan_town::storage::{People as _, SignIns as _};

use crate::http;

async fn set(town: &TestTown, login: &str, code: &str, password: &str) -> (u16, String) {
    let body = json!({ "login": login, "code": code, "password": password });
    let request = http(town).post(format!("{}/v1/password", town.url));
    let answer = request.body(body.to_string()).send().await.unwrap();
    let status = answer.status().as_u16();
    let body: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default();
    (status, body["code"].as_str().unwrap_or_default().to_owned())
}

async fn offer(town: &TestTown) -> String {
    let storage = &town.town.storage;
    let id = storage.person("supervisor".to_owned()).await.unwrap().unwrap().account.id;
    let (code, now) = (code::new(&town.clock), town.clock.now_s());
    let hash = hash_code(&code);
    storage.offer_reset(id, hash, now + 60, Attribution::town(now)).await.unwrap();
    code
}

#[tokio::test]
async fn a_code_sets_a_password_once_and_the_password_lets_in() {
    let town = TestTown::start().await.unwrap();
    let code = offer(&town).await;
    let gone = (410, "reset_gone".to_owned());
    assert_eq!(set(&town, "admin", &code, "correct horse").await, gone, "it is one login's");
    assert_eq!(set(&town, "nobody", &code, "correct horse").await, gone);
    let bad = (422, "bad_password".to_owned());
    assert_eq!(set(&town, "supervisor", &code, "short").await, bad, "the code is still there");
    assert_eq!(set(&town, "supervisor", &code, "correct horse").await.0, 204);
    assert_eq!(set(&town, "supervisor", &code, "another horse").await, gone, "used");
    let typed = |password| Try { login: "supervisor", password, totp: None, address: "192.0.2.1" };
    let (storage, clock) = (&town.town.storage, &town.clock);
    assert!(sign_in(storage, clock, typed("correct horse")).await.is_ok());
    let wrong = sign_in(storage, clock, typed("another horse")).await;
    assert!(matches!(wrong, Err(SignInError::Wrong)));
}

#[tokio::test]
async fn a_stale_code_sets_nothing() {
    let town = TestTown::start().await.unwrap();
    let code = offer(&town).await;
    town.clock.shift(61);
    assert_eq!(set(&town, "supervisor", &code, "correct horse").await.0, 410);
    assert_eq!(set(&town, "supervisor", "", "correct horse").await.0, 410);
}

#[tokio::test]
async fn what_is_no_request_is_a_bad_one() {
    let town = TestTown::start().await.unwrap();
    let request = http(&town).post(format!("{}/v1/password", town.url));
    assert_eq!(request.body("{}").send().await.unwrap().status().as_u16(), 400);
}
