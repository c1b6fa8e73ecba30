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
        let town = town.filter(|town| is_private_line(town));
        Ok(Self { town: town.ok_or(BadInvite)?, code: code.ok_or(BadInvite)?, ca })
    }
}

/// Whether nobody reads along on the way to this address: TLS, or this machine itself.
pub fn is_private_line(town: &str) -> bool {
    let here = ["http://127.0.0.1:", "http://[::1]:", "http://localhost:"];
    town.starts_with("https://") || here.iter().any(|start| town.starts_with(start))
}

/// RFC 3986 §2.1: everything but unreserved characters is escaped.
pub fn escape(text: &str) -> String {
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
    /// A phone that enrols again: the invite must be for this account, or it is left unused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = "uuid"))]
    pub account: Option<AccountId>,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invite_survives_its_uri() {
        let invite = Invite {
            town: "https://[fd00::1]:8443".to_owned(),
            code: "a-b_c&=%".to_owned(),
            ca: Some("ab".repeat(32)),
        };
        assert_eq!(invite.to_string().parse(), Ok(invite.clone()));
        let behind_proxy = Invite { ca: None, ..invite };
        assert_eq!(behind_proxy.to_string().parse(), Ok(behind_proxy));
    }

    #[test]
    fn an_invite_over_an_open_line_is_none() {
        let invite = |town: &str| {
            let invite = Invite { town: town.to_owned(), code: "c".to_owned(), ca: None };
            invite.to_string().parse::<Invite>()
        };
        assert!(invite("http://127.0.0.1:8080").is_ok());
        for open in ["http://town.example", "http://127.0.0.1.example:80", "ftp://x", "x"] {
            assert_eq!(invite(open), Err(BadInvite), "{open}");
        }
        for text in ["", "yaoguan://enrol?", "yaoguan://enrol?town=https%3A%2F%2Fx", "https://x"] {
            assert_eq!(text.parse::<Invite>(), Err(BadInvite), "{text}");
        }
    }
}
