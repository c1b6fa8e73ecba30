//! Reading households through the API stands in the audit log, or nothing is read.

use serde_json::Value;
use yaoguan_model::Env as _;
use yaoguan_testkit::town::TestTown;
use yaoguan_town::audit::Act;
use yaoguan_town::storage::{AuditAsk, AuditLog as _};
use yaoguan_wire::proof::{Claims, body_hash};

use crate::{Device, device, http};

async fn get(town: &TestTown, device: &Device, path: &str) -> (u16, Value) {
    let url = format!("{}{path}", town.url);
    let claims = Claims {
        htm: "GET".to_owned(),
        htu: url.clone(),
        iat: town.clock.now_s(),
        bh: body_hash(&[]),
    };
    let proof = device.key.prove(device.id, &claims).unwrap();
    let answer = http(town).get(url).header("dpop", proof).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default())
}

async fn reads(town: &TestTown) -> Vec<yaoguan_town::audit::Written> {
    let ask = AuditAsk { after: 0, limit: u32::MAX, subject: None };
    let mut entries = town.town.storage.audit(ask).await.unwrap();
    entries.retain(|entry| entry.act == Act::HouseholdRead.as_str());
    entries
}

#[tokio::test]
async fn each_request_for_households_is_one_entry_with_its_reader() {
    let town = TestTown::start().await.unwrap();
    let device = device(&town).await;
    assert_eq!(get(&town, &device, "/v1/records/hazard").await.0, 200);
    assert_eq!(reads(&town).await.len(), 0);
    assert_eq!(get(&town, &device, "/v1/records/household").await.0, 200);
    assert_eq!(get(&town, &device, "/v1/records/household_check").await.0, 200);
    let entries = reads(&town).await;
    let subjects: Vec<&str> = entries.iter().map(|entry| entry.subject.as_str()).collect();
    assert_eq!(subjects, ["household", "household_check"]);
    assert_eq!(entries[0].detail["device"], device.id.to_string());
    assert_eq!(entries[0].detail["count"], 0);
}

#[tokio::test]
async fn a_log_that_cannot_be_written_keeps_households_from_being_read() {
    let town = TestTown::start().await.unwrap();
    let device = device(&town).await;
    town.breaks("INSERT", "audit");
    assert_eq!(get(&town, &device, "/v1/records/household").await.0, 500);
    assert_eq!(get(&town, &device, "/v1/records/hazard").await.0, 200);
}
