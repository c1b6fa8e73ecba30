//! `GET /console/v1/records/{id}`: one record with what its page shows.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use yaoguan_model::template::Template;
use yaoguan_model::{Kind, Record, RecordId};
use yaoguan_wire::ErrorCode;

use super::super::App;
use super::super::error::ApiError;
use super::inbox::cells_of;
use super::record_out::RecordView;
use super::session::Session;
use crate::audit::{Attribution, By};
use crate::error::TownError;

/// A record within the session's scope. Reading a household is written to the audit log.
#[utoipa::path(
    get,
    path = "/console/v1/records/{id}",
    params(("id" = String, Path, description = "The record")),
    responses((status = 200, body = RecordView))
)]
pub async fn show(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<RecordView>, ApiError> {
    let not_found = || ApiError::new(&headers, ErrorCode::NotFound, "");
    let id: RecordId = id.parse().map_err(|_| not_found())?;
    let seen = Attribution::new(By::Account(session.account.id), app.env.now_s());
    let view = app.storage.view(cells_of(&session.account), id, seen).await;
    let view = view.map_err(|error| ApiError::internal(&headers, &error))?;
    let view = view.ok_or_else(not_found)?;
    let template = template_of(&app, &view.record).await;
    let template = template.map_err(|error| ApiError::internal(&headers, &error))?;
    Ok(Json(RecordView::of(&view, &session.account.actor(), template.as_ref())))
}

/// The questions that a household check answers; everybody may read those.
async fn template_of(app: &App, check: &Record) -> Result<Option<Template>, TownError> {
    if check.kind != Kind::HouseholdCheck {
        return Ok(None);
    }
    let code = check.shown_text("template");
    let version = check.shown("template_version").and_then(|value| value.as_int());
    let templates = app.storage.records(Kind::Template).await?;
    let mut templates = templates.iter().filter_map(|record| Template::of(record).ok());
    Ok(templates.find(|one| Some(one.code.as_str()) == code && Some(one.version) == version))
}
