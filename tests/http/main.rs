//! The town's HTTP surface on a real port, with real TLS.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails where it stands"
)]

mod admin;
mod attacks;
mod blobs;
mod codes;
mod console;
mod desk;
mod devices;
mod enrol;
mod exports;
mod figures;
mod health;
mod household;
mod limits;
mod matrix;
mod notices;
mod ogc;
mod password;
mod photos;
mod population;
mod proof;
mod pushes;
mod retention;
mod tiles;
mod tokens;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use serde_json::Value;
use yaoguan_model::env::System;
use yaoguan_model::{AccountId, DeviceId, Env, Role};
use yaoguan_testkit::town::{GRID, TestTown};
use yaoguan_town::people::{Enrolment, NewDevice, NewInvite, hash_code};
use yaoguan_town::storage::{Sessions as _, Storage as _};
use yaoguan_transport::{Trust, client};
use yaoguan_wire::proof::{Claims, DeviceKey, body_hash};

/// An HTTP client that believes the town's CA.
pub(crate) fn http(town: &TestTown) -> reqwest::Client {
    client(Trust::Ca(town.town.ca.cert_pem.clone())).unwrap()
}

/// A device with its key, enrolled without a phone.
pub(crate) struct Device {
    pub(crate) id: DeviceId,
    pub(crate) account: AccountId,
    pub(crate) key: DeviceKey,
}

/// A request that a test may bend.
pub(crate) struct Ask<'a> {
    town: &'a TestTown,
    method: &'a str,
    path: &'a str,
    body: Vec<u8>,
    headers: Vec<(&'static str, String)>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) json: Value,
    pub(crate) bytes: Vec<u8>,
    pub(crate) headers: reqwest::header::HeaderMap,
}

impl Answer {
    /// Status and error code.
    pub(crate) fn code(&self) -> (u16, &str) {
        (self.status, self.json["code"].as_str().unwrap_or_default())
    }
}

impl<'a> Ask<'a> {
    pub(crate) fn new(town: &'a TestTown, method: &'a str, path: &'a str) -> Self {
        let headers = vec![("accept-language", "en".to_owned())];
        Self { town, method, path, body: Vec::new(), headers }
    }

    pub(crate) fn body(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(crate) fn encoding(self, encoding: &str) -> Self {
        if encoding.is_empty() { self } else { self.header("content-encoding", encoding) }
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// Signs what is there so far.
    pub(crate) fn proof(self, device: &Device, bend: impl FnOnce(&mut Claims)) -> Self {
        let path = self.path.split('?').next().unwrap();
        let mut claims = Claims {
            htm: self.method.to_owned(),
            htu: format!("{}{path}", self.town.url),
            iat: self.town.clock.now_s(),
            bh: body_hash(&self.body),
        };
        bend(&mut claims);
        let proof = device.key.prove(device.id, &claims).unwrap();
        self.header("dpop", &proof)
    }

    pub(crate) async fn send(self) -> Answer {
        let Self { town, method, path, body, headers } = self;
        let url = format!("{}{path}", town.url);
        let mut request = http(town).request(method.parse().unwrap(), url);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let response = request.body(body).send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let zstd = headers.get("content-encoding").is_some_and(|value| value == "zstd");
        // An event stream goes on for ever.
        let streams = headers.get("content-type").is_some_and(|kind| kind == "text/event-stream");
        if streams {
            return Answer { status, json: Value::Null, bytes: Vec::new(), headers };
        }
        let bytes = response.bytes().await.unwrap();
        let bytes = yaoguan_wire::body::decompress(&bytes, zstd).unwrap();
        let json = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status, json, bytes: bytes.into_owned(), headers }
    }
}

/// A session of the console for an account, whatever its role: the cookie.
pub(crate) async fn cookie_of(town: &TestTown, account: AccountId) -> String {
    let cookie = B64.encode(System.random_16());
    let hash = hash_code(&cookie);
    town.town.storage.add_session(hash, account, town.clock.now_s()).await.unwrap();
    cookie
}

impl Ask<'_> {
    /// Asks as the console's own page, with a session.
    pub(crate) fn session(self, cookie: &str) -> Self {
        let token = B64.encode(hash_code(&format!("yaoguan console token\n{cookie}")));
        let cookie = format!("__Secure-yaoguan={cookie}");
        self.own_page().header("cookie", &cookie).header("x-csrf-token", &token)
    }

    /// Asks as the console's own page.
    pub(crate) fn own_page(self) -> Self {
        let origin = self.town.url.clone();
        self.header("origin", &origin)
    }
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
    Device { id, account, key }
}

/// Sends a body to the sync endpoint under a proof that a test may bend.
pub(crate) async fn send(
    town: &TestTown,
    device: &Device,
    body: &[u8],
    zstd: bool,
    bend: impl FnOnce(&mut Claims),
) -> (u16, Value) {
    let ask = Ask::new(town, "POST", "/v1/sync").body(body);
    let answer = ask.encoding(if zstd { "zstd" } else { "" }).proof(device, bend).send().await;
    (answer.status, answer.json)
}

/// A request that asks for nothing but news.
pub(crate) fn empty_request() -> Value {
    serde_json::json!({
        "protocol": 1, "replica": "AAAAAAAAAAAAAAAAAAAAAA",
        "push": { "tokens": [], "counter": 0 }, "scope_version": 0,
        "clock": { "device": 0, "boot_elapsed": 0 },
    })
}
