//! `/console/v1/admin/devices`: the phones, those first that somebody should see to.

use std::cmp::Reverse;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde::Serialize;
use yaoguan_wire::ErrorCode;
use yaoguan_wire::limits::MAX_SMALL_BYTES;

use super::super::App;
use super::super::error::ApiError;
use super::super::sent::{Sent, read};
use super::invites::Because;
use super::refused::refused;
use super::session::Admin;
use crate::people::Enrolled;

/// Without contact for this long a phone is silent.
const SILENT_S: i64 = 7 * 24 * 3600;
/// A phone that never synced since it enrolled is told of after this time.
const NEVER_S: i64 = 24 * 3600;
/// A save that waits on a phone for this long is told of.
const WAITS_S: i64 = 24 * 3600;
/// A clock that is off by more is flagged (docs/SYNC.md, *Clocks*).
const CLOCK_OFF_S: u64 = 5 * 60;

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = DevicePage)]
pub struct Devices {
    rows: Vec<Row>,
    /// The version of this town's program: apps of another are told of.
    version: &'static str,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = DeviceRow)]
struct Row {
    id: String,
    name: String,
    account: String,
    account_name: String,
    enrolled_at: i64,
    /// None: not since it enrolled.
    last_contact: Option<i64>,
    clock_off_s: i64,
    app: String,
    /// Since when its oldest save waits there to be sent.
    waiting_since: Option<i64>,
    held_since: Option<i64>,
    /// `works`, `revoked`, `closed`.
    state: &'static str,
    /// What somebody should see to: `held`, `never`, `silent`, `waits`, `clock`, `version`; gravest first.
    attention: Vec<&'static str>,
}

impl Row {
    fn of(device: Enrolled, now: i64) -> Self {
        let state = match (device.revoked_at.is_some(), device.account_disabled) {
            (true, _) => "revoked",
            (false, true) => "closed",
            (false, false) => "works",
        };
        let works = state == "works";
        let seen = device.last_contact > 0;
        let own_app = format!("yaoguan/{}", env!("CARGO_PKG_VERSION"));
        let all = [
            ("held", device.held_since.is_some()),
            ("never", works && !seen && now - device.enrolled_at > NEVER_S),
            ("silent", works && seen && now - device.last_contact > SILENT_S),
            ("waits", works && device.waiting_since.is_some_and(|at| now - at > WAITS_S)),
            ("clock", works && seen && device.clock_off_s.unsigned_abs() > CLOCK_OFF_S),
            ("version", works && !device.app.is_empty() && device.app != own_app),
        ];
        Self {
            id: device.id.to_string(),
            name: device.name,
            account: device.account.to_string(),
            account_name: device.account_name,
            enrolled_at: device.enrolled_at,
            last_contact: seen.then_some(device.last_contact),
            clock_off_s: device.clock_off_s,
            app: device.app,
            waiting_since: device.waiting_since,
            held_since: device.held_since,
            state,
            attention: all.into_iter().filter(|(_, is)| *is).map(|(word, _)| word).collect(),
        }
    }
}

/// The phones.
#[utoipa::path(get, path = "/console/v1/admin/devices", responses((status = 200, body = Devices)))]
pub async fn list(
    State(app): State<App>,
    _: Admin,
    headers: HeaderMap,
) -> Result<Json<Devices>, ApiError> {
    let found = app.storage.devices().await;
    let found = found.map_err(|error| ApiError::internal(&headers, &error))?;
    let now = app.env.now_s();
    let mut rows: Vec<Row> = found.into_iter().map(|device| Row::of(device, now)).collect();
    // What needs somebody, most of it first; then whoever was here last.
    rows.sort_by_key(|row| {
        (Reverse(row.attention.len()), row.state != "works", Reverse(row.last_contact))
    });
    Ok(Json(Devices { rows, version: env!("CARGO_PKG_VERSION") }))
}

/// Strikes a phone off, for good.
#[utoipa::path(
    post,
    path = "/console/v1/admin/devices/{id}",
    params(("id" = String, Path, description = "The phone")),
    request_body = Because,
    responses((status = 200, description = "It syncs no more; what it still sends is held"))
)]
pub async fn revoke(
    State(app): State<App>,
    Admin(session): Admin,
    Path(id): Path<String>,
    headers: HeaderMap,
    sent: Sent,
) -> Result<Json<serde_json::Value>, ApiError> {
    sent.at_most(&headers, MAX_SMALL_BYTES)?;
    let Because { reason } = read::<Because>(&app, &headers, &sent).await?.message;
    let id = id.parse().map_err(|_| ApiError::new(&headers, ErrorCode::NotFound, ""))?;
    let done = session.done_with_care(&app, &headers, &reason).await?;
    let revoked = app.storage.revoke_device(id, done).await;
    revoked.map_err(|error| refused(&headers, error))?;
    Ok(Json(serde_json::json!({})))
}
