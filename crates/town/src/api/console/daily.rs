//! `GET /console/v1/daily`: the counts of a day for the daily report.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use yaoguan_wire::ErrorCode;

use super::super::App;
use super::super::error::ApiError;
use super::inbox::cells_of;
use super::session::Session;
use crate::daily::{Daily, Day, count};
use crate::days::{DAY_S, day_of, start_of};
use crate::storage::desk::{InboxAsk, MAX_DAILY};

/// Which day, as `YYYY-MM-DD` in the town's calendar; none: today.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(default)]
pub struct Wanted {
    day: String,
}

/// The day's counts, and how things stand now.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Report {
    day: String,
    daily: Daily,
    /// More changed since that day than is counted: the numbers are too low.
    cut: bool,
    overdue: u32,
    waiting: u32,
}

/// What a day brought in the session's grids.
#[utoipa::path(
    get,
    path = "/console/v1/daily",
    params(Wanted),
    responses((status = 200, body = Report))
)]
pub async fn show(
    State(app): State<App>,
    session: Session,
    query: Result<Query<Wanted>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Json<Report>, ApiError> {
    let bad = |detail: &str| ApiError::new(&headers, ErrorCode::BadRequest, detail);
    let failed = |error| ApiError::internal(&headers, &error);
    let Query(wanted) = query.map_err(|error| bad(&error.body_text()))?;
    let now = app.env.now_s();
    let day = if wanted.day.is_empty() { day_of(now) } else { wanted.day };
    let begins = start_of(&day).ok_or_else(|| bad("day"))?;
    let cells = cells_of(&session.account);
    let records = app.storage.changed_since(cells.clone(), begins).await.map_err(failed)?;
    let ask = InboxAsk { cells, now, ..InboxAsk::default() };
    let waiting = app.storage.waiting(ask, day_of(now)).await.map_err(failed)?;
    Ok(Json(Report {
        daily: count(Day { begins, ends: begins + DAY_S }, &records),
        cut: records.len() >= MAX_DAILY as usize,
        overdue: waiting.overdue,
        waiting: waiting.new + waiting.corrected + waiting.changed,
        day,
    }))
}
