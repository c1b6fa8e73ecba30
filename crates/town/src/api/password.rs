//! `POST /v1/password`: a new password with the one-time code that an administrator handed out.

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use yaoguan_wire::ErrorCode;
use yaoguan_wire::limits::MAX_SMALL_BYTES;

use super::App;
use super::edges::Peer;
use super::error::ApiError;
use super::sent::{Sent, read};
use crate::error::TownError;
use crate::people::{PeopleError, sign_in};

/// A new password and the right to set it.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct NewPassword {
    login: String,
    /// As handed out; spaces, dashes and capitals do not count.
    code: String,
    password: String,
}

/// Sets a password; the code is used up.
#[utoipa::path(
    post,
    path = "/v1/password",
    request_body = NewPassword,
    responses((status = 204, description = "The password is set"))
)]
pub async fn set(
    State(app): State<App>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    sent: Sent,
) -> Result<StatusCode, ApiError> {
    let peer = peer.map(|Extension(peer)| peer);
    app.may_try(&headers, peer)?;
    sent.at_most(&headers, MAX_SMALL_BYTES)?;
    let read = read::<NewPassword>(&app, &headers, &sent).await?;
    let NewPassword { login, code, password } = read.message;
    let set =
        sign_in::use_reset(app.storage.as_ref(), app.env.as_ref(), &login, &code, &password).await;
    match set {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(TownError::People(PeopleError::Password(_))) => {
            Err(ApiError::new(&headers, ErrorCode::BadPassword, ""))
        }
        Err(TownError::People(PeopleError::ResetGone)) => {
            app.tried_wrong(peer);
            Err(ApiError::new(&headers, ErrorCode::ResetGone, ""))
        }
        Err(error) => Err(ApiError::internal(&headers, &error)),
    }
}
