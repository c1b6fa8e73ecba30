//! Who asks, and in which language.

use axum::http::{HeaderMap, Method, Uri, header};

use super::App;
use super::error::ApiError;
use crate::people::Device;
use crate::proof::{Seen, authenticate};

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

/// The device that asks, by its proof over method, URL and body as sent.
pub async fn device(
    app: &App,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Device, ApiError> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let host = uri.authority().map(|authority| authority.as_str());
    let now = app.env.now_s();
    let seen = Seen {
        method: method.as_str(),
        host: host.or(text(header::HOST.as_str())).unwrap_or_default(),
        path: uri.path(),
        body,
        proof: text(yaoguan_wire::proof::HEADER),
        now,
    };
    let device = authenticate(app.storage.as_ref(), seen).await;
    device.map_err(|denied| ApiError::denied(headers, denied, now))
}
