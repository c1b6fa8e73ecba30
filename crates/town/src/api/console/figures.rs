//! `GET /console/v1/figures`: counts of the session's grids, in a period of days.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use yaoguan_model::GridCode;
use yaoguan_wire::ErrorCode;

use super::super::App;
use super::super::error::ApiError;
use super::session::Session;
use crate::days::{DAY_S, day_of, later, start_of};
use crate::people::Account;
use crate::storage::figures::{Figures, FiguresAsk, Period};

/// Days of a period, at most.
pub const MAX_PERIOD_DAYS: i64 = 366;
/// Days of a period that nobody named.
const USUAL_DAYS: i64 = 30;

/// What is wanted.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(default)]
pub struct Wanted {
    /// First and last day, `YYYY-MM-DD`; without them the 30 days until today.
    from: String,
    to: String,
    grid: String,
}

/// The counts, and the days that they are about.
#[derive(Serialize, utoipa::ToSchema)]
pub struct FiguresOut {
    from: String,
    to: String,
    #[serde(flatten)]
    figures: Figures,
}

/// What a query asks for cannot be.
pub(super) struct Bad(pub(super) &'static str);

/// One of the session's own grids; none where none is named.
pub(super) fn own_grid(account: &Account, text: &str) -> Result<Option<GridCode>, Bad> {
    if text.is_empty() {
        return Ok(None);
    }
    let code = text.parse::<GridCode>().ok().filter(|code| account.grids.contains(code));
    code.map(Some).ok_or(Bad("grid"))
}

impl Wanted {
    fn days(self, today: &str) -> Result<(String, String, Period), Bad> {
        let to = if self.to.is_empty() { today.to_owned() } else { self.to };
        let from = match self.from.is_empty() {
            true => later(&to, 1 - USUAL_DAYS).ok_or(Bad("to"))?,
            false => self.from,
        };
        let begins = start_of(&from).ok_or(Bad("from"))?;
        let ends = start_of(&to).ok_or(Bad("to"))? + DAY_S;
        if ends <= begins || ends - begins > MAX_PERIOD_DAYS * DAY_S {
            return Err(Bad("from"));
        }
        Ok((from, to, Period { from: begins, until: ends }))
    }
}

/// Hazards, time to close, conflicts, devices, households by risk: in numbers, never by person.
#[utoipa::path(
    get,
    path = "/console/v1/figures",
    params(Wanted),
    responses((status = 200, body = FiguresOut))
)]
pub async fn show(
    State(app): State<App>,
    session: Session,
    query: Result<Query<Wanted>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Json<FiguresOut>, ApiError> {
    let bad = |detail: String| ApiError::new(&headers, ErrorCode::BadRequest, detail);
    let Query(wanted) = query.map_err(|error| bad(error.body_text()))?;
    let bad = |Bad(what)| bad(what.to_owned());
    let now = app.env.now_s();
    let today = day_of(now);
    let grid = own_grid(&session.account, &wanted.grid).map_err(bad)?;
    let (from, to, period) = wanted.days(&today).map_err(bad)?;
    let grids = session.account.grids.iter().cloned().collect();
    let found = app.storage.figures(FiguresAsk { grids, grid, period, today, now }).await;
    let figures = found.map_err(|error| ApiError::internal(&headers, &error))?;
    Ok(Json(FiguresOut { from, to, figures }))
}
