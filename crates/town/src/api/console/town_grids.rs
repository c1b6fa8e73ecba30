//! `GET /console/v1/admin/grids`: the town's grids by village, for whoever gives grids to people.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::Serialize;
use yaoguan_model::Kind;

use super::super::App;
use super::super::error::ApiError;
use super::session::Admin;

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
        }
    });
    let mut grids: Vec<Grid> = grids.collect();
    grids.sort_by(|a, b| a.code.cmp(&b.code));
    Ok(Json(Grids { grids }))
}
