//! `POST /v1/enrol`: an invite becomes a device.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use yaoguan_model::DeviceId;
use yaoguan_wire::proof::check_public_key;
use yaoguan_wire::{EnrolRequest, EnrolResponse, ErrorBody, ErrorCode};

use super::App;
use super::error::ApiError;
use crate::people::{Enrolment, NewDevice, hash_code};

/// A device's name is for the list of devices; what is longer is cut.
const MAX_DEVICE_NAME: usize = 60;

/// Uses an invite up and registers the device's key.
#[utoipa::path(
    post,
    path = "/v1/enrol",
    request_body = EnrolRequest,
    responses(
        (status = 200, body = EnrolResponse),
        (status = 404, description = "invite_unknown", body = ErrorBody),
        (status = 409, description = "invite_other: of another account than the phone's", body = ErrorBody),
        (status = 410, description = "invite_gone: used, revoked or stale", body = ErrorBody)
    )
)]
pub async fn enrol(
    State(app): State<App>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<EnrolResponse>, ApiError> {
    let bad = |detail: String| ApiError::new(&headers, ErrorCode::BadRequest, detail);
    let failed = |error| ApiError::internal(&headers, &error);
    let request: EnrolRequest = serde_json::from_slice(&body).map_err(|e| bad(e.to_string()))?;
    check_public_key(&request.public_key).map_err(|e| bad(e.to_string()))?;
    let device = NewDevice {
        id: DeviceId(app.env.new_record_id().0),
        name: request.device_name.chars().take(MAX_DEVICE_NAME).collect(),
        public_key: request.public_key,
    };
    let (id, now) = (device.id, app.env.now_s());
    let code = hash_code(&request.code);
    // Whom an invite is for never changes: it may be asked before the invite is used up.
    if let Some(wanted) = request.account {
        let found = app.storage.invited(code).await.map_err(failed)?;
        if found.is_some_and(|account| account != wanted) {
            return Err(ApiError::new(&headers, ErrorCode::InviteOther, ""));
        }
    }
    let account = match app.storage.enrol(code, device, now).await.map_err(failed)? {
        Enrolment::Done(account) => account,
        Enrolment::Unknown => return Err(ApiError::new(&headers, ErrorCode::InviteUnknown, "")),
        Enrolment::Gone => return Err(ApiError::new(&headers, ErrorCode::InviteGone, "")),
    };
    let info = app.storage.info().await.map_err(failed)?;
    tracing::info!(device = %id, role = account.role.as_str(), "a device enrolled");
    Ok(Json(EnrolResponse {
        device: id,
        account: account.id,
        name: account.name,
        role: account.role,
        grids: account.grids.into_iter().collect(),
        scope_version: account.scope_version,
        town_name: info.name,
        town_time: now,
    }))
}
