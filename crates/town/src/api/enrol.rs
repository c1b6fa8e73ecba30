//! `POST /v1/enrol`: an invite becomes a device.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::{Extension, Json};
use yaoguan_model::DeviceId;
use yaoguan_wire::limits::MAX_SMALL_BYTES;
use yaoguan_wire::proof::check_public_key;
use yaoguan_wire::{EnrolRequest, EnrolResponse, ErrorCode};

use super::App;
use super::edges::Peer;
use super::error::ApiError;
use super::sent::{Sent, read};
use crate::people::{Enrolment, NewDevice, hash_code};

/// A device's name is for the list of devices; what is longer is cut.
const MAX_DEVICE_NAME: usize = 60;

/// Uses an invite up and registers the device's key.
#[utoipa::path(
    post,
    path = "/v1/enrol",
    request_body = EnrolRequest,
    responses((status = 200, body = EnrolResponse))
)]
pub async fn enrol(
    State(app): State<App>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    sent: Sent,
) -> Result<Json<EnrolResponse>, ApiError> {
    let peer = peer.map(|Extension(peer)| peer);
    app.may_try(&headers, peer)?;
    let bad = |detail: String| ApiError::new(&headers, ErrorCode::BadRequest, detail);
    let failed = |error| ApiError::internal(&headers, &error);
    sent.at_most(&headers, MAX_SMALL_BYTES)?;
    let request = read::<EnrolRequest>(&app, &headers, &sent).await?.message;
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
            app.tried_wrong(peer);
            return Err(ApiError::new(&headers, ErrorCode::InviteOther, ""));
        }
    }
    let refused = match app.storage.enrol(code, device, now).await.map_err(failed)? {
        Enrolment::Done(account) => Ok(account),
        Enrolment::Unknown => Err(ErrorCode::InviteUnknown),
        Enrolment::Gone => Err(ErrorCode::InviteGone),
    };
    let account = refused.map_err(|code| {
        app.tried_wrong(peer);
        ApiError::new(&headers, code, "")
    })?;
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
