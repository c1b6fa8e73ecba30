//! The town's HTTP surface on a real port, with real TLS.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where it stands")]

mod enrol;
mod health;
mod household;
mod password;
mod proof;

use serde_json::Value;
use yaoguan_model::env::System;
use yaoguan_model::{AccountId, DeviceId, Env, Role};
use yaoguan_testkit::town::{GRID, TestTown};
use yaoguan_town::people::{Enrolment, NewDevice, NewInvite, hash_code};
use yaoguan_town::storage::{People as _, Storage as _};
use yaoguan_transport::{Trust, client};
use yaoguan_wire::proof::{Claims, DeviceKey, body_hash};

/// An HTTP client that believes the town's CA.
pub(crate) fn http(town: &TestTown) -> reqwest::Client {
    client(Trust::Ca(town.town.ca.cert_pem.clone())).unwrap()
}

/// A device with its key, enrolled without a phone.
pub(crate) struct Device {
    pub(crate) id: DeviceId,
    pub(crate) key: DeviceKey,
}

/// Enrols a device for a new chief of the first grid.
pub(crate) async fn device(town: &TestTown) -> Device {
    let account = town.account(Role::Chief, &[GRID]).await.unwrap();
    device_of(town, account).await
}

pub(crate) async fn device_of(town: &TestTown, account: AccountId) -> Device {
    let key = DeviceKey::generate(&System);
    let id = DeviceId(System.new_record_id().0);
    let now = town.clock.now_s();
    let code_hash = hash_code(&id.to_string());
    let invite = NewInvite { code_hash, account, expires_at: now + 60 };
    town.town.storage.add_invite(invite, now).await.unwrap();
    let public_key = key.public_pem().unwrap();
    let new = NewDevice { id, name: "test".to_owned(), public_key };
    let done = town.town.storage.enrol(code_hash, new, now).await.unwrap();
    assert!(matches!(done, Enrolment::Done(_)));
    Device { id, key }
}

/// Sends a body to the sync endpoint under a proof that a test may bend.
pub(crate) async fn send(
    town: &TestTown,
    device: &Device,
    body: &[u8],
    zstd: bool,
    bend: impl FnOnce(&mut Claims),
) -> (u16, Value) {
    let url = format!("{}/v1/sync", town.url);
    let mut claims = Claims {
        htm: "POST".to_owned(),
        htu: url.clone(),
        iat: town.clock.now_s(),
        bh: body_hash(body),
    };
    bend(&mut claims);
    let proof = device.key.prove(device.id, &claims).unwrap();
    let mut request = http(town).post(url).header("dpop", proof).header("accept-language", "en");
    if zstd {
        request = request.header("content-encoding", "zstd");
    }
    let response = request.body(body.to_vec()).send().await.unwrap();
    let status = response.status().as_u16();
    let zstd = response.headers().get("content-encoding").is_some_and(|value| value == "zstd");
    let bytes = yaoguan_wire::body::decompress(&response.bytes().await.unwrap(), zstd).unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

/// A request that asks for nothing but news.
pub(crate) fn empty_request() -> Value {
    serde_json::json!({
        "protocol": 1, "replica": "AAAAAAAAAAAAAAAAAAAAAA",
        "push": { "tokens": [], "counter": 0 }, "scope_version": 0,
        "clock": { "device": 0, "boot_elapsed": 0 },
    })
}
