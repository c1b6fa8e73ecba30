//! `/console/v1/admin/retention`: how long the town keeps what is finished, and what the next purge would take.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use yaoguan_model::retention::PHONE_KEEPS_S;
use yaoguan_wire::ErrorCode;
use yaoguan_wire::limits::MAX_SMALL_BYTES;

use super::super::App;
use super::super::error::ApiError;
use super::super::sent::{Sent, read};
use super::session::Admin;
use crate::days::DAY_S;
use crate::storage::purge::{MAX_KEEPS_DAYS, MIN_KEEPS_DAYS, due_all};

/// Days that are only tried out; without them those in force.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Tried {
    days: Option<i64>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct Retention {
    /// In force: days since the last change of a finished record arrived.
    days: i64,
    min_days: i64,
    max_days: i64,
    /// Phones give finished records up after so many days; that is fixed.
    phone_days: i64,
    /// By kind: what the next purge would take with the days asked for.
    would_go: BTreeMap<String, u64>,
}

async fn shown(
    app: &App,
    headers: &HeaderMap,
    tried: Option<i64>,
) -> Result<Json<Retention>, ApiError> {
    let fail = |error| ApiError::internal(headers, &error);
    let days = app.storage.keeps_days().await.map_err(fail)?;
    let counted = due_all(app.storage.as_ref(), tried.unwrap_or(days), app.env.now_s()).await;
    Ok(Json(Retention {
        days,
        min_days: MIN_KEEPS_DAYS,
        max_days: MAX_KEEPS_DAYS,
        phone_days: PHONE_KEEPS_S / DAY_S,
        would_go: counted.map_err(fail)?,
    }))
}

fn is_allowed(days: i64) -> bool {
    (MIN_KEEPS_DAYS..=MAX_KEEPS_DAYS).contains(&days)
}

/// What is in force, and what would go.
#[utoipa::path(
    get,
    path = "/console/v1/admin/retention",
    params(("days" = Option<i64>, Query, description = "Tried out: what would go with these")),
    responses((status = 200, body = Retention))
)]
pub async fn show(
    State(app): State<App>,
    _: Admin,
    query: Result<Query<Tried>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Json<Retention>, ApiError> {
    let bad = |detail: &str| ApiError::new(&headers, ErrorCode::BadRequest, detail);
    let Query(Tried { days }) = query.map_err(|error| bad(&error.body_text()))?;
    if days.is_some_and(|days| !is_allowed(days)) {
        return Err(bad("days"));
    }
    shown(&app, &headers, days).await
}

/// How long, and why.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct Kept {
    days: i64,
    reason: String,
}

/// Sets it; the next purge goes by it.
#[utoipa::path(
    post,
    path = "/console/v1/admin/retention",
    request_body = Kept,
    responses((status = 200, body = Retention))
)]
pub async fn set(
    State(app): State<App>,
    Admin(session): Admin,
    headers: HeaderMap,
    sent: Sent,
) -> Result<Json<Retention>, ApiError> {
    sent.at_most(&headers, MAX_SMALL_BYTES)?;
    let Kept { days, reason } = read::<Kept>(&app, &headers, &sent).await?.message;
    if !is_allowed(days) {
        return Err(ApiError::not_done(&headers, "retention", "beyond the bounds"));
    }
    let done = session.done_with_care(&app, &headers, &reason).await?;
    let set = app.storage.set_keeps_days(days, done).await;
    set.map_err(|error| ApiError::internal(&headers, &error))?;
    shown(&app, &headers, None).await
}
