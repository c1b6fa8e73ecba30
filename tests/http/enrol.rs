//! `POST /v1/enrol`.

use serde_json::{Value, json};
use yaoguan_model::Role;
use yaoguan_model::env::System;
use yaoguan_testkit::town::{GRID, TestTown};
use yaoguan_wire::Invite;
use yaoguan_wire::proof::DeviceKey;

use crate::http;

async fn enrol(town: &TestTown, code: &str, lang: &str) -> (u16, Value) {
    let public_key = DeviceKey::generate(&System).public_pem().unwrap();
    let body = json!({ "protocol": 1, "code": code, "public_key": public_key, "device_name": "x" });
    let request = http(town).post(format!("{}/v1/enrol", town.url)).header("accept-language", lang);
    let response = request.body(body.to_string()).send().await.unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap())
}

async fn code(town: &TestTown) -> String {
    let account = town.account(Role::Chief, &[GRID]).await.unwrap();
    let uri = town.invite(account, town.address).await.unwrap();
    uri.parse::<Invite>().unwrap().code
}

#[tokio::test]
async fn an_invite_works_once_and_then_is_gone() {
    let town = TestTown::start().await.unwrap();
    let code = code(&town).await;
    assert_eq!(enrol(&town, &code, "en").await.0, 200);
    let (status, body) = enrol(&town, &code, "en").await;
    assert_eq!((status, body["code"].as_str().unwrap()), (410, "invite_gone"));
}

#[tokio::test]
async fn a_stale_invite_is_gone() {
    let town = TestTown::start().await.unwrap();
    let code = code(&town).await;
    town.clock.shift(11 * 60);
    assert_eq!(enrol(&town, &code, "en").await.0, 410);
}

#[tokio::test]
async fn an_unknown_invite_is_not_found_in_the_askers_language() {
    let town = TestTown::start().await.unwrap();
    let (status, english) = enrol(&town, "nonsense", "en").await;
    assert_eq!((status, english["code"].as_str().unwrap()), (404, "invite_unknown"));
    let (_, chinese) = enrol(&town, "nonsense", "zh-CN").await;
    assert!(chinese["message"].as_str().unwrap().contains("邀请码"), "{chinese}");
}

#[tokio::test]
async fn a_phone_believes_only_the_ca_of_its_invite() {
    let town = TestTown::start().await.unwrap();
    let account = town.account(Role::Chief, &[GRID]).await.unwrap();
    let uri = town.invite(account, town.address).await.unwrap();
    let mut invite: Invite = uri.parse().unwrap();
    invite.ca = Some("00".repeat(32));
    let key = DeviceKey::generate(&System).public_pem().unwrap();
    let error = yaoguan_transport::enrol(&invite, key, "x", None, "en").await.unwrap_err();
    assert!(matches!(error, yaoguan_transport::TransportError::NotTheTown(_)), "{error:?}");
}
