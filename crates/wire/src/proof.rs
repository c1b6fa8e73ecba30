//! The proof of a device in each request, in the shape of DPoP (RFC 9449 §4.2): a JWT signed with ES256
//! by the device's P-256 key, in the header `DPoP`.

use serde::{Deserialize, Serialize};

/// Name of the HTTP header.
pub const HEADER: &str = "dpop";
/// `typ` of the JWT's header; `kid` there is the device id.
pub const TYPE: &str = "dpop+jwt";

/// What is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// HTTP method.
    pub htm: String,
    /// URL without query and fragment.
    pub htu: String,
    /// Seconds since 1970, by the town's clock as last learnt.
    pub iat: i64,
    /// SHA-256 of the body as sent (compressed), base64url.
    pub bh: String,
}
