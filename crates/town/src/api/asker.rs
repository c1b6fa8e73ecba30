//! Who asks, and in which language.

use axum::http::{HeaderMap, Method, Uri, header};

use super::App;
use super::error::ApiError;
use crate::people::Device;
use crate::proof::{Denied, Seen, authenticate};

/// The two languages of the project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lang {
    Zh,
    En,
}

/// Chinese unless English is named first.
pub fn language(headers: &HeaderMap) -> Lang {
    let wanted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    match wanted {
        Some(text) if text.trim_start().to_ascii_lowercase().starts_with("en") => Lang::En,
        Some(_) | None => Lang::Zh,
    }
}

/// The same, also when the device was revoked or its account closed: what it sends is still judged.
pub async fn device_even_barred(
    app: &App,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Device, ApiError> {
    match authenticated(app, method, uri, headers, body).await {
        Err(Denied::Barred(device)) => Ok(*device),
        other => other.map_err(|denied| ApiError::denied(headers, denied, app.env.now_s())),
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
    let device = authenticated(app, method, uri, headers, body).await;
    device.map_err(|denied| ApiError::denied(headers, denied, app.env.now_s()))
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
