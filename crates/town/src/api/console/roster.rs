//! `GET /console/v1/roster`: the people and grids that a supervisor can name.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::Serialize;
use yaoguan_model::{GridCode, Kind};

use super::super::App;
use super::super::error::ApiError;
use super::inbox::cells_of;
use super::session::Session;

/// Grids of one town, at most.
pub(super) const MAX_GRIDS: u32 = 1_000;

#[derive(Serialize, utoipa::ToSchema)]
pub struct Roster {
    people: Vec<Person>,
    grids: Vec<Grid>,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = RosterPerson)]
struct Person {
    id: String,
    name: String,
    role: String,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = RosterGrid)]
struct Grid {
    code: String,
    name: String,
}

/// Enabled people who share a grid with the asker, and the town's grids.
#[utoipa::path(get, path = "/console/v1/roster", responses((status = 200, body = Roster)))]
pub async fn list(
    State(app): State<App>,
    session: Session,
    headers: HeaderMap,
) -> Result<Json<Roster>, ApiError> {
    let account = &session.account;
    let people = app.storage.colleagues(account.actor()).await;
    let people = people.map_err(|error| ApiError::internal(&headers, &error))?;
    let grids = app.storage.readable(cells_of(account), Kind::Grid, None, MAX_GRIDS).await;
    let grids = grids.map_err(|error| ApiError::internal(&headers, &error))?;
    let people = people.into_iter().map(|person| Person {
        id: person.id.to_string(),
        name: person.name,
        role: person.role,
    });
    let own = |code: &str| code.parse::<GridCode>().is_ok_and(|code| account.grids.contains(&code));
    let grids = grids.iter().filter_map(|record| {
        let code = record.shown_text("code").filter(|code| own(code))?.to_owned();
        Some(Grid { name: record.shown_text("name").unwrap_or(&code).to_owned(), code })
    });
    let mut grids: Vec<Grid> = grids.collect();
    grids.sort_by(|a, b| a.code.cmp(&b.code));
    Ok(Json(Roster { people: people.collect(), grids }))
}
