//! `POST /v1/token`: a token for tools, for a proof.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use sha2::{Digest as _, Sha256};
use yaoguan_wire::TokenResponse;
use yaoguan_wire::limits::TOKEN_HOLDS_S;

use super::App;
use super::asker::device;
use super::error::ApiError;
use super::sent::Sent;
use crate::audit::{Attribution, By};
use crate::storage::tokens::NewToken;

/// Makes a token for tools, with the scope of the account, for 15 minutes. The body is empty; what is
/// there is not looked at.
#[utoipa::path(
    post,
    path = "/v1/token",
    params(("DPoP" = String, Header, description = "Proof of the device (RFC 9449 shape)")),
    responses((status = 200, body = TokenResponse))
)]
pub async fn make(
    State(app): State<App>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    sent: Sent,
) -> Result<Json<TokenResponse>, ApiError> {
    let device = device(&app, &method, &uri, &headers, &sent.bytes).await?;
    let random: Vec<u8> = app.env.random_16().into_iter().chain(app.env.random_16()).collect();
    let token = B64.encode(random);
    let now = app.env.now_s();
    let expires_at = now.saturating_add(TOKEN_HOLDS_S);
    let kept = NewToken { hash: Sha256::digest(&token).into(), device: device.id, expires_at };
    let done = Attribution::new(By::Account(device.account.id), now);
    let added = app.storage.add_token(kept, done).await;
    added.map_err(|error| ApiError::internal(&headers, &error))?;
    tracing::info!(device = %device.id, "a token was made");
    Ok(Json(TokenResponse { token, expires_at }))
}
