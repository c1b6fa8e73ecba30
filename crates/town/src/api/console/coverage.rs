//! `GET /console/v1/coverage`: which grids were walked, and `GET /console/v1/households/due`: which households
//! are to be looked at again. By grid, never by person.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use yaoguan_model::RecordId;
use yaoguan_wire::ErrorCode;

use super::super::App;
use super::super::error::ApiError;
use super::figures::{Bad, own_grid};
use super::map::extent_of;
use super::session::Session;
use crate::audit::{Attribution, By};
use crate::days::{DAY_S, day_of, start_of};
use crate::storage::figures::{
    Coverage, CoverageAsk, DueAsk, DueHousehold, HOUSEHOLDS_PAGE, Period,
};

/// Days that coverage looks back, at most, and where nobody says.
pub const MAX_COVERAGE_DAYS: i64 = 90;
const USUAL_DAYS: i64 = 7;

/// Which days.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(default)]
pub struct Wanted {
    /// How many, up to 90.
    days: i64,
    /// The last one, `YYYY-MM-DD`; without it today.
    on: String,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { days: USUAL_DAYS, on: String::new() }
    }
}

/// The days until the end of one of them.
pub(super) fn days_until(on: &str, days: i64, now: i64) -> Result<Period, Bad> {
    if !(1..=MAX_COVERAGE_DAYS).contains(&days) {
        return Err(Bad("days"));
    }
    let on = if on.is_empty() { day_of(now) } else { on.to_owned() };
    let until = start_of(&on).ok_or(Bad("on"))? + DAY_S;
    Ok(Period { from: until - days * DAY_S, until })
}

/// Patrols, open hazards and households that are due, by grid.
#[utoipa::path(
    get,
    path = "/console/v1/coverage",
    params(Wanted),
    responses((status = 200, body = Coverage))
)]
pub async fn show(
    State(app): State<App>,
    session: Session,
    query: Result<Query<Wanted>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Json<Coverage>, ApiError> {
    let bad = |detail: String| ApiError::new(&headers, ErrorCode::BadRequest, detail);
    let Query(wanted) = query.map_err(|error| bad(error.body_text()))?;
    let now = app.env.now_s();
    let period = days_until(&wanted.on, wanted.days, now);
    let period = period.map_err(|Bad(what)| bad(what.to_owned()))?;
    let grids = session.account.grids.iter().cloned().collect();
    let found = app.storage.coverage(CoverageAsk { grids, period, today: day_of(now) }).await;
    Ok(Json(found.map_err(|error| ApiError::internal(&headers, &error))?))
}

/// Which households.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(default)]
pub struct WantedDue {
    grid: String,
    /// The last day that counts as due, `YYYY-MM-DD`; without it today.
    until: String,
    /// West, south, east, north in degrees.
    bbox: String,
    /// The `next` of the page before.
    after: String,
}

/// A page of households, the longest due first.
#[derive(Serialize, utoipa::ToSchema)]
pub struct DuePage {
    rows: Vec<DueRow>,
    next: Option<String>,
}

#[derive(Serialize, utoipa::ToSchema)]
struct DueRow {
    id: String,
    grid: String,
    address: String,
    due_on: String,
    /// Of the dwelling at its latest visit, or empty.
    risk: String,
    checked_at: Option<i64>,
    /// Longitude and latitude in degrees.
    position: Option<(f64, f64)>,
}

impl DueRow {
    fn of(found: DueHousehold) -> Self {
        Self {
            id: found.id.to_string(),
            grid: found.grid,
            address: found.address,
            due_on: found.due_on,
            risk: found.risk,
            checked_at: found.checked_at,
            position: found.position.map(|at| (at.lon(), at.lat())),
        }
    }
}

fn key_of(text: &str) -> Option<(String, RecordId)> {
    let (day, id) = text.split_once('.')?;
    start_of(day)?;
    Some((day.to_owned(), id.parse().ok()?))
}

impl WantedDue {
    fn ask(self, session: &Session, today: String) -> Result<DueAsk, Bad> {
        let grid = own_grid(&session.account, &self.grid)?;
        let until = if self.until.is_empty() { today } else { self.until };
        start_of(&until).ok_or(Bad("until"))?;
        let within = match self.bbox.as_str() {
            "" => None,
            text => Some(extent_of(text)?),
        };
        let after = match self.after.as_str() {
            "" => None,
            text => Some(key_of(text).ok_or(Bad("after"))?),
        };
        let grids = session.account.grids.iter().cloned().collect();
        Ok(DueAsk { grids, grid, until, within, after })
    }
}

/// Households that are due. That they were read stands in the audit log.
#[utoipa::path(
    get,
    path = "/console/v1/households/due",
    params(WantedDue),
    responses((status = 200, body = DuePage))
)]
pub async fn households(
    State(app): State<App>,
    session: Session,
    query: Result<Query<WantedDue>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Json<DuePage>, ApiError> {
    let bad = |detail: String| ApiError::new(&headers, ErrorCode::BadRequest, detail);
    let Query(wanted) = query.map_err(|error| bad(error.body_text()))?;
    let now = app.env.now_s();
    let ask = wanted.ask(&session, day_of(now)).map_err(|Bad(what)| bad(what.to_owned()))?;
    let seen = Attribution::new(By::Account(session.account.id), now);
    let found = app.storage.households_due(ask, seen).await;
    let found = found.map_err(|error| ApiError::internal(&headers, &error))?;
    let full = found.len() >= HOUSEHOLDS_PAGE as usize;
    let next = found.last().filter(|_| full).map(|row| format!("{}.{}", row.due_on, row.id));
    Ok(Json(DuePage { rows: found.into_iter().map(DueRow::of).collect(), next }))
}
