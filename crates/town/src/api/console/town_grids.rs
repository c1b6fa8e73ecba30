//! `/console/v1/admin/grids`: the town's grids by village, for whoever gives grids to people; and grids from a
//! GeoJSON file, which is looked at first.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use yaoguan_model::Kind;
use yaoguan_wire::ErrorCode;

use super::super::App;
use super::super::error::ApiError;
use super::super::sent::{LargeSent, read};
use super::refused::refused;
use super::session::Admin;
use crate::grids::{self, MAX_FILE_BYTES, Mapping, NewGrid, Trouble};

#[derive(Serialize, utoipa::ToSchema)]
pub struct Grids {
    grids: Vec<Grid>,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = TownGrid)]
struct Grid {
    code: String,
    name: String,
    village: String,
    village_name: String,
    /// The boundary is made up for a demonstration.
    invented: bool,
    /// It has a boundary: positions are put into it.
    bounded: bool,
}

/// The grids, in the order of codes.
#[utoipa::path(get, path = "/console/v1/admin/grids", responses((status = 200, body = Grids)))]
pub async fn list(
    State(app): State<App>,
    _: Admin,
    headers: HeaderMap,
) -> Result<Json<Grids>, ApiError> {
    let records = app.storage.records(Kind::Grid).await;
    let records = records.map_err(|error| ApiError::internal(&headers, &error))?;
    let grids = records.iter().map(|record| {
        let text = |path: &str| record.shown_text(path).unwrap_or_default().to_owned();
        Grid {
            code: text("code"),
            name: text("name"),
            village: text("village"),
            village_name: text("village_name"),
            invented: record.shown("invented").is_some_and(|value| *value == true.into()),
            bounded: record.shown("boundary").is_some(),
        }
    });
    let mut grids: Vec<Grid> = grids.collect();
    grids.sort_by(|a, b| a.code.cmp(&b.code));
    Ok(Json(Grids { grids }))
}

/// A file, and whether it is meant.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct GridFile {
    /// GeoJSON: a `FeatureCollection` of polygons in WGS-84 degrees.
    file: String,
    #[serde(default)]
    mapping: Mapping,
    /// Else it is only looked at.
    #[serde(default)]
    write: bool,
    #[serde(default)]
    reason: String,
}

/// What a file does, or would do. With troubles nothing is written.
#[derive(Default, Serialize, utoipa::ToSchema)]
pub struct GridPlan {
    written: bool,
    troubles: Vec<Trouble>,
    /// Names of the features' properties.
    properties: Vec<String>,
    added: Vec<Planned>,
    changed: Vec<Planned>,
    unchanged: u64,
    /// Codes that the file lacks; they stay as they are.
    missing: Vec<String>,
}

#[derive(Serialize, utoipa::ToSchema)]
struct Planned {
    code: String,
    name: String,
    village_name: String,
    /// Registers that become others; none of a new grid.
    what: Vec<String>,
}

impl Planned {
    fn of(grid: &NewGrid, what: &[String]) -> Self {
        Self {
            code: grid.code.as_str().to_owned(),
            name: grid.name.clone(),
            village_name: grid.village_name.clone(),
            what: what.to_vec(),
        }
    }
}

/// Looks at a file of grids, or writes them: phones have them with their next sync.
#[utoipa::path(
    post,
    path = "/console/v1/admin/grids",
    request_body = GridFile,
    responses((status = 200, body = GridPlan))
)]
pub async fn import(
    State(app): State<App>,
    Admin(session): Admin,
    headers: HeaderMap,
    LargeSent(sent): LargeSent,
) -> Result<Json<GridPlan>, ApiError> {
    let sent = read::<GridFile>(&app, &headers, &sent).await?.message;
    let GridFile { file, mapping, write, reason } = sent;
    let looked = app.edges.aside.run(move || grids::read(&file, &mapping)).await;
    let looked = looked.ok_or_else(|| ApiError::new(&headers, ErrorCode::Internal, ""))?;
    let mut answer = GridPlan {
        troubles: looked.troubles,
        properties: looked.properties.into_iter().collect(),
        ..GridPlan::default()
    };
    if !answer.troubles.is_empty() {
        answer.troubles.truncate(MAX_TROUBLES);
        return Ok(Json(answer));
    }
    let fail = |error| refused(&headers, error);
    let (storage, env) = (app.storage.as_ref(), app.env.as_ref());
    let plan = grids::plan(storage, looked.grids, session.account.id, env).await;
    let mut plan = plan.map_err(fail)?;
    if write {
        let done = session.done_with_care(&app, &headers, &reason).await?;
        plan.write(storage, done).await.map_err(fail)?;
        answer.written = true;
    }
    answer.added = plan.added.iter().map(|grid| Planned::of(grid, &[])).collect();
    answer.changed = plan.changed.iter().map(|(grid, what)| Planned::of(grid, what)).collect();
    answer.unchanged = plan.unchanged;
    answer.missing = plan.missing.iter().map(|code| code.as_str().to_owned()).collect();
    Ok(Json(answer))
}

/// What is wrong with a file is told up to here: the rest is of the same sort.
const MAX_TROUBLES: usize = 200;
// As a JSON text the largest file has room for its quotes.
const _: () = assert!(MAX_FILE_BYTES + MAX_FILE_BYTES / 2 <= super::super::sent::MAX_LARGE_BYTES);
