//! `/console/v1/admin/recovered`: records that phones brought back after a restore. Administrators take them,
//! without reading them.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use yaoguan_wire::ErrorCode;
use yaoguan_wire::limits::MAX_SMALL_BYTES;

use super::super::App;
use super::super::error::ApiError;
use super::super::sent::{Sent, read};
use super::refused::refused;
use super::session::Admin;
use crate::audit::hex;

#[derive(Serialize, utoipa::ToSchema)]
pub struct Recovered {
    rows: Vec<Row>,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = RecoveredRow)]
struct Row {
    /// SHA-256 of its canonical form, in hexadecimal.
    hash: String,
    record: String,
    kind: String,
    /// How many phones brought it.
    phones: usize,
    received_at: i64,
}

/// What was recovered and waits, oldest first.
#[utoipa::path(
    get,
    path = "/console/v1/admin/recovered",
    responses((status = 200, body = Recovered))
)]
pub async fn list(
    State(app): State<App>,
    _: Admin,
    headers: HeaderMap,
) -> Result<Json<Recovered>, ApiError> {
    let found = app.storage.recovered().await;
    let found = found.map_err(|error| ApiError::internal(&headers, &error))?;
    let rows = found.iter().map(|one| Row {
        hash: hex(&one.hash),
        record: one.id.to_string(),
        kind: one.kind.as_str().to_owned(),
        phones: one.from.len(),
        received_at: one.received_at,
    });
    Ok(Json(Recovered { rows: rows.collect() }))
}

/// Which are taken.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct Take {
    /// None: all.
    hashes: Option<Vec<String>>,
    reason: String,
}

/// Takes them by merging.
#[utoipa::path(
    post,
    path = "/console/v1/admin/recovered",
    request_body = Take,
    responses((status = 200, description = "How many were taken"))
)]
pub async fn take(
    State(app): State<App>,
    Admin(session): Admin,
    headers: HeaderMap,
    sent: Sent,
) -> Result<Json<serde_json::Value>, ApiError> {
    sent.at_most(&headers, MAX_SMALL_BYTES)?;
    let Take { hashes, reason } = read::<Take>(&app, &headers, &sent).await?.message;
    let fail = |error| refused(&headers, error);
    let done = session.done_with_care(&app, &headers, &reason).await?;
    let wanted = match hashes {
        None => None,
        Some(texts) => {
            let waiting = app.storage.recovered().await.map_err(fail)?;
            let find = |text: &String| {
                let found = waiting.iter().find(|one| hex(&one.hash) == *text);
                found.map(|one| one.hash)
            };
            let hashes: Option<Vec<[u8; 32]>> = texts.iter().map(find).collect();
            Some(hashes.ok_or_else(|| ApiError::new(&headers, ErrorCode::NotFound, ""))?)
        }
    };
    let taken = app.storage.take_recovered(wanted, done).await.map_err(fail)?;
    Ok(Json(serde_json::json!({ "taken": taken })))
}
