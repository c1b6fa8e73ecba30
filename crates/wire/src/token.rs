//! `POST /v1/token`: a bearer token for tools that cannot sign each request (curl, tus, GIS).

use serde::{Deserialize, Serialize};

/// What a phone gets for its proof. The request has no body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenResponse {
    /// 256 random bits, base64url: goes into `Authorization: Bearer …` of reading requests.
    pub token: String,
    /// Seconds since 1970, by the town's clock.
    pub expires_at: i64,
}
