//! Who asks: a device by its proof, or a tool by a token that a device had made for it.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Uri, header};
use sha2::{Digest as _, Sha256};
use yaoguan_model::cells::{self, Cell};

use super::App;
use super::edges::Peer;
use super::error::ApiError;
use crate::people::{Account, Device};
use crate::proof::{Denied, Seen, authenticate};

/// Whoever may read: the scope is the same either way. An extractor for routes that read and have no
/// body; where something is written a token is not enough.
#[derive(Debug)]
pub enum Asker {
    Device(Box<Device>),
    /// The device that had the token made.
    Token(Box<Device>),
}

impl Asker {
    pub fn device(&self) -> &Device {
        match self {
            Self::Device(device) | Self::Token(device) => device,
        }
    }

    pub fn account(&self) -> &Account {
        &self.device().account
    }

    /// The cells that the asker reads.
    pub fn cells(&self) -> Vec<Cell> {
        let account = self.account();
        cells::of_reader(account.id, account.role, &account.grids).into_iter().collect()
    }
}

impl FromRequestParts<App> for Asker {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let Parts { method, uri, headers, extensions, .. } = parts;
        let peer = extensions.get::<Peer>().copied();
        match headers.get(header::AUTHORIZATION) {
            None => device(app, method, uri, headers, &[]).await.map(Box::new).map(Self::Device),
            Some(value) => {
                let device = tool(app, headers, value.as_bytes(), peer).await?;
                Ok(Self::Token(Box::new(device)))
            }
        }
    }
}

/// The device that a token stands for.
async fn tool(
    app: &App,
    headers: &HeaderMap,
    authorization: &[u8],
    peer: Option<Peer>,
) -> Result<Device, ApiError> {
    app.may_try(headers, peer)?;
    let now = app.env.now_s();
    let denied = |denied| ApiError::denied(headers, denied, now);
    let (scheme, token) = authorization.split_at_checked(BEARER.len()).unwrap_or_default();
    // A request asks in one way: with a proof beside it, it is not said who asks.
    let one_way = !headers.contains_key(yaoguan_wire::proof::HEADER);
    let found = match scheme.eq_ignore_ascii_case(BEARER) && one_way {
        // Looked up by its hash: the time that it takes says nothing of other tokens.
        true => app.storage.token(Sha256::digest(token).into(), now).await,
        false => Ok(None),
    };
    let found = found.map_err(|error| ApiError::internal(headers, &error))?;
    let Some(device) = found else {
        app.tried_wrong(peer);
        return Err(denied(Denied::Unauthorised));
    };
    app.count_device(headers, device.id)?;
    if device.barred.is_some() {
        return Err(denied(Denied::Barred(Box::new(device))));
    }
    Ok(device)
}

const BEARER: &[u8] = b"Bearer ";

/// The same, also when the device was revoked or its account closed: what it sends is still judged.
pub async fn device_even_barred(
    app: &App,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Device, ApiError> {
    match authenticated(app, method, uri, headers, body).await {
        Err(Denied::Barred(device)) => {
            app.count_device(headers, device.id)?;
            Ok(*device)
        }
        Err(denied) => Err(ApiError::denied(headers, denied, app.env.now_s())),
        Ok(device) => {
            app.count_device(headers, device.id)?;
            Ok(device)
        }
    }
}

/// The device that asks, by its proof over method, URL and body as sent.
pub async fn device(
    app: &App,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Device, ApiError> {
    let device = device_even_barred(app, method, uri, headers, body).await?;
    if device.barred.is_some() {
        let barred = Denied::Barred(Box::new(device));
        return Err(ApiError::denied(headers, barred, app.env.now_s()));
    }
    Ok(device)
}

async fn authenticated(
    app: &App,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Device, Denied> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let host = uri.authority().map(|authority| authority.as_str());
    let seen = Seen {
        method: method.as_str(),
        host: host.or(text(header::HOST.as_str())).unwrap_or_default(),
        path: uri.path(),
        body,
        proof: text(yaoguan_wire::proof::HEADER),
        now: app.env.now_s(),
    };
    authenticate(app.storage.as_ref(), seen).await
}
