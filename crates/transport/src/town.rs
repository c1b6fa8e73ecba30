//! The town as a phone reaches it.

use std::sync::Arc;

use reqwest::header::{ACCEPT_LANGUAGE, CONTENT_ENCODING, CONTENT_TYPE};
use yaoguan_model::{AccountId, DeviceId, Env};
use yaoguan_wire::proof::{self, Claims, DeviceKey, body_hash};
use yaoguan_wire::{
    EnrolRequest, EnrolResponse, ErrorBody, ErrorCode, Invite, PROTOCOL, ReconcileRequest,
    ReconcileResponse, SyncRequest, SyncResponse, TokenResponse, body, limits,
};

use crate::carrier::Carrier;
use crate::client::{Connections, Trust, client};
use crate::error::TransportError;
use crate::pinned::PinnedCa;

/// What went over the line, bodies alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    pub requests: u64,
    pub bytes_up: u64,
    pub bytes_down: u64,
}

/// A phone's line to its town.
pub struct TownClient {
    pub(crate) client: reqwest::Client,
    /// Goes instead of the client, where there is one.
    carrier: Option<Arc<dyn Carrier>>,
    pub(crate) base: String,
    device: DeviceId,
    key: DeviceKey,
    /// `zh` or `en`: the language of the town's words.
    pub(crate) lang: &'static str,
    /// The town's clock minus the phone's, in seconds.
    clock_offset_s: i64,
    pub traffic: Traffic,
}

impl TownClient {
    /// `ca_pem` is empty when the town stands behind a proxy with a public certificate.
    pub fn new(
        base: &str,
        ca_pem: &str,
        device: DeviceId,
        key: DeviceKey,
        lang: &'static str,
        connections: &Connections,
    ) -> Result<Self, TransportError> {
        let base = base.trim_end_matches('/').to_owned();
        let (client, carrier) = (connections.client(ca_pem)?, connections.carrier());
        let (clock_offset_s, traffic) = (0, Traffic::default());
        Ok(Self { client, carrier, base, device, key, lang, clock_offset_s, traffic })
    }

    /// Sends one request as it is.
    pub(crate) async fn dispatch(
        &self,
        request: reqwest::RequestBuilder,
    ) -> Result<reqwest::Response, TransportError> {
        match &self.carrier {
            None => Ok(request.send().await?),
            Some(carrier) => carrier.carry(request.build()?).await,
        }
    }

    /// What the phone last learnt of the town's clock.
    pub fn set_clock_offset(&mut self, seconds: i64) {
        self.clock_offset_s = seconds;
    }

    /// One round trip; one more when the phone's clock was off.
    pub async fn sync(
        &mut self,
        request: &SyncRequest,
        env: &dyn Env,
    ) -> Result<SyncResponse, TransportError> {
        self.ask("/v1/sync", request, env).await
    }

    /// One step of a reconciliation.
    pub async fn reconcile(
        &mut self,
        request: &ReconcileRequest,
        env: &dyn Env,
    ) -> Result<ReconcileResponse, TransportError> {
        self.ask("/v1/reconcile", request, env).await
    }

    /// Has a token made for a tool that reads in this person's name.
    pub async fn token(&mut self, env: &dyn Env) -> Result<TokenResponse, TransportError> {
        let empty = body::Encoded { bytes: Vec::new(), zstd: false };
        self.send("/v1/token", &empty, env).await
    }

    pub(crate) async fn ask<A: serde::Serialize, B: serde::de::DeserializeOwned>(
        &mut self,
        path: &str,
        request: &A,
        env: &dyn Env,
    ) -> Result<B, TransportError> {
        let encoded = body::encode(request).map_err(|e| TransportError::Identity(e.to_string()))?;
        self.send(path, &encoded, env).await
    }

    async fn send<T: serde::de::DeserializeOwned>(
        &mut self,
        path: &str,
        encoded: &body::Encoded,
        env: &dyn Env,
    ) -> Result<T, TransportError> {
        match self.post(path, encoded, env).await {
            Err(TransportError::Refused(refused)) if refused.code == ErrorCode::ClockSkew => {
                let Some(town_time) = refused.town_time else {
                    return Err(TransportError::Refused(refused));
                };
                self.clock_offset_s = town_time.saturating_sub(env.now_s());
                self.post(path, encoded, env).await
            }
            other => other,
        }
    }

    /// Asks the town's API as this device and gives the answer as it is; `path` may have a query.
    pub async fn get(
        &mut self,
        path: &str,
        env: &dyn Env,
    ) -> Result<serde_json::Value, TransportError> {
        let url = format!("{}{path}", self.base);
        let proof = self.prove("GET", &url, &[], env)?;
        let request = self.client.get(url).header(ACCEPT_LANGUAGE, self.lang);
        self.traffic.requests += 1;
        let response = self.dispatch(request.header(proof::HEADER, proof)).await?;
        let (answer, bytes) = read(response).await;
        self.traffic.bytes_down += bytes;
        answer
    }

    pub(crate) fn prove(
        &self,
        method: &str,
        url: &str,
        body: &[u8],
        env: &dyn Env,
    ) -> Result<String, TransportError> {
        let htu = url.split_once('?').map_or(url, |(path, _)| path).to_owned();
        let iat = env.now_s().saturating_add(self.clock_offset_s);
        let claims = Claims { htm: method.to_owned(), htu, iat, bh: body_hash(body) };
        let identity = |e: proof::BadProof| TransportError::Identity(e.to_string());
        self.key.prove(self.device, &claims).map_err(identity)
    }

    async fn post<T: serde::de::DeserializeOwned>(
        &mut self,
        path: &str,
        encoded: &body::Encoded,
        env: &dyn Env,
    ) -> Result<T, TransportError> {
        let url = format!("{}{path}", self.base);
        let proof = self.prove("POST", &url, &encoded.bytes, env)?;
        let mut request = self
            .client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT_LANGUAGE, self.lang)
            .header(proof::HEADER, proof)
            .body(encoded.bytes.clone());
        if encoded.zstd {
            request = request.header(CONTENT_ENCODING, "zstd");
        }
        self.traffic.requests += 1;
        self.traffic.bytes_up += encoded.bytes.len() as u64;
        let response = self.dispatch(request).await?;
        let (answer, bytes) = read(response).await;
        self.traffic.bytes_down += bytes;
        answer
    }
}

/// What enrolment gives a phone.
#[derive(Debug)]
pub struct Enrolled {
    pub response: EnrolResponse,
    /// The town's CA (PEM); empty without one.
    pub ca_pem: String,
}

/// Uses an invite up; if an account is named, only one that is for it.
pub async fn enrol(
    invite: &Invite,
    public_key: String,
    device_name: &str,
    account: Option<AccountId>,
    lang: &'static str,
) -> Result<Enrolled, TransportError> {
    let pinned = invite.ca.as_deref().map(PinnedCa::new);
    let trust = pinned.clone().map_or(Trust::Public, Trust::Fingerprint);
    let request = EnrolRequest {
        protocol: PROTOCOL,
        code: invite.code.clone(),
        public_key,
        device_name: device_name.to_owned(),
        account,
    };
    let json = serde_json::to_vec(&request).map_err(|e| TransportError::Identity(e.to_string()))?;
    let response = client(trust)?
        .post(format!("{}/v1/enrol", invite.town.trim_end_matches('/')))
        .header(CONTENT_TYPE, "application/json")
        .header(ACCEPT_LANGUAGE, lang)
        .body(json)
        .send()
        .await?;
    let (answer, _) = read(response).await;
    let ca_pem = pinned.and_then(|pinned| pinned.pem()).unwrap_or_default();
    Ok(Enrolled { response: answer?, ca_pem })
}

/// Reads an answer within the limit; also tells how many bytes came.
async fn read<T: serde::de::DeserializeOwned>(
    mut response: reqwest::Response,
) -> (Result<T, TransportError>, u64) {
    let status = response.status();
    let zstd = response.headers().get(CONTENT_ENCODING).is_some_and(|value| value == "zstd");
    let mut bytes = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(error) => return (Err(error.into()), bytes.len() as u64),
        }
        if bytes.len() > limits::MAX_WIRE_BYTES {
            let text = format!("longer than {} bytes", limits::MAX_WIRE_BYTES);
            return (Err(TransportError::NotAnAnswer(text)), bytes.len() as u64);
        }
    }
    let count = bytes.len() as u64;
    let foreign = |error: body::BadBody| TransportError::NotAnAnswer(format!("{status}: {error}"));
    if status.is_success() {
        return (body::decode(&bytes, zstd).map_err(foreign), count);
    }
    let error = body::decode::<ErrorBody>(&bytes, zstd).map_err(foreign);
    (
        Err(error.map_or_else(|foreign| foreign, |body| TransportError::Refused(Box::new(body)))),
        count,
    )
}
