//! `POST /v1/password`: a new password with the one-time code that an administrator handed out.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use yaoguan_wire::{ErrorBody, ErrorCode};

use super::App;
use super::error::ApiError;
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
    responses(
        (status = 204, description = "The password is set"),
        (status = 410, description = "reset_gone: login and code do not go together, or the code was used or is stale", body = ErrorBody),
        (status = 422, description = "bad_password", body = ErrorBody)
    )
)]
pub async fn set(
    State(app): State<App>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, ApiError> {
    let bad = |e: serde_json::Error| ApiError::new(&headers, ErrorCode::BadRequest, e.to_string());
    let NewPassword { login, code, password } = serde_json::from_slice(&body).map_err(bad)?;
    let set =
        sign_in::use_reset(app.storage.as_ref(), app.env.as_ref(), &login, &code, &password).await;
    match set {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(TownError::People(PeopleError::Password(_))) => {
            Err(ApiError::new(&headers, ErrorCode::BadPassword, ""))
        }
        Err(TownError::People(PeopleError::ResetGone)) => {
            Err(ApiError::new(&headers, ErrorCode::ResetGone, ""))
        }
        Err(error) => Err(ApiError::internal(&headers, &error)),
    }
}
