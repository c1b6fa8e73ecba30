//! `POST /v1/enrol` and the invite that leads there.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use yaoguan_model::{AccountId, DeviceId, GridCode, Role};

/// `yaoguan://enrol?town=<https URL>&code=<code>&ca=<SHA-256 of the town's CA, hex>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    /// Address of the town, `https://host:port`.
    pub town: String,
    /// Single-use code.
    pub code: String,
    /// SHA-256 of the CA certificate (DER) in hexadecimal; none when the town stands behind a proxy
    /// with a publicly trusted certificate.
    pub ca: Option<String>,
}

/// A text that is not an invite.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an invite: expected yaoguan://enrol?town=…&code=…&ca=…")]
pub struct BadInvite;

impl fmt::Display for Invite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "yaoguan://enrol?town={}&code={}", escape(&self.town), escape(&self.code))?;
        match &self.ca {
            Some(ca) => write!(f, "&ca={}", escape(ca)),
            None => Ok(()),
        }
    }
}

impl FromStr for Invite {
    type Err = BadInvite;
    fn from_str(text: &str) -> Result<Self, BadInvite> {
        let query = text.trim().strip_prefix("yaoguan://enrol?").ok_or(BadInvite)?;
        let (mut town, mut code, mut ca) = (None, None, None);
        for pair in query.split('&') {
            let (key, value) = pair.split_once('=').ok_or(BadInvite)?;
            let value = unescape(value).ok_or(BadInvite)?;
            match key {
                "town" => town = Some(value),
                "code" => code = Some(value),
                "ca" => ca = Some(value),
                _ => {}
            }
        }
        let town = town.filter(|t| t.starts_with("https://") || t.starts_with("http://"));
        Ok(Self { town: town.ok_or(BadInvite)?, code: code.ok_or(BadInvite)?, ca })
    }
}

/// RFC 3986 §2.1: everything but unreserved characters is escaped.
fn escape(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    let escaped = |b: u8| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") };
    text.bytes().map(escaped).collect()
}

fn unescape(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut out = Vec::new();
    while let Some(b) = bytes.next() {
        if b != b'%' {
            out.push(b);
            continue;
        }
        let digit = |b: Option<u8>| char::from(b?).to_digit(16);
        let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
        out.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(out).ok()
}

/// What a phone sends to be enrolled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnrolRequest {
    pub protocol: u32,
    pub code: String,
    /// The device's public key: SPKI, PEM.
    pub public_key: String,
    /// How the phone calls itself, for the list of devices.
    pub device_name: String,
}

/// What the town tells a phone that it enrolled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnrolResponse {
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = "uuid"))]
    pub device: DeviceId,
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = "uuid"))]
    pub account: AccountId,
    pub name: String,
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub role: Role,
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub grids: Vec<GridCode>,
    pub scope_version: u64,
    pub town_name: String,
    /// The town's clock, in seconds.
    pub town_time: i64,
}
