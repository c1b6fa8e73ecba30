//! `/console/v1/views`: questions to the inbox that a supervisor keeps, on whatever machine.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use yaoguan_wire::ErrorCode;
use yaoguan_wire::limits::MAX_SMALL_BYTES;

use super::super::App;
use super::super::error::ApiError;
use super::super::sent::{Sent, read};
use super::session::Session;
use crate::storage::saved_views::{MAX_NAME_CHARS, MAX_QUERY_CHARS, MAX_VIEWS, SavedView};

/// The asker's views.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Views {
    views: Vec<View>,
}

#[derive(Serialize, utoipa::ToSchema)]
struct View {
    id: String,
    name: String,
    /// As the inbox is asked: `state=open&category=fire`.
    query: String,
}

/// The asker's own views, by name.
#[utoipa::path(get, path = "/console/v1/views", responses((status = 200, body = Views)))]
pub async fn list(
    State(app): State<App>,
    session: Session,
    headers: HeaderMap,
) -> Result<Json<Views>, ApiError> {
    let found = app.storage.views(session.account.id).await;
    let found = found.map_err(|error| ApiError::internal(&headers, &error))?;
    let view = |SavedView { id, name, query }| View { id: id_text(id), name, query };
    Ok(Json(Views { views: found.into_iter().map(view).collect() }))
}

fn id_text(id: [u8; 16]) -> String {
    uuid::Uuid::from_bytes(id).to_string()
}

/// A view to be kept; one of the same name is replaced.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct Kept {
    name: String,
    query: String,
}

/// Keeps a view.
#[utoipa::path(
    post,
    path = "/console/v1/views",
    request_body = Kept,
    responses((status = 200, description = "It is kept"))
)]
pub async fn keep(
    State(app): State<App>,
    session: Session,
    headers: HeaderMap,
    sent: Sent,
) -> Result<Json<serde_json::Value>, ApiError> {
    let bad = |detail: String| ApiError::new(&headers, ErrorCode::BadRequest, detail);
    sent.at_most(&headers, MAX_SMALL_BYTES)?;
    let Kept { name, query } = read(&app, &headers, &sent).await?.message;
    let name = name.trim().to_owned();
    if name.is_empty() || name.chars().count() > MAX_NAME_CHARS {
        return Err(bad(format!("name: 1 to {MAX_NAME_CHARS} characters")));
    }
    if query.chars().count() > MAX_QUERY_CHARS {
        return Err(bad(format!("query: {MAX_QUERY_CHARS} characters")));
    }
    let view = SavedView { id: *app.env.new_record_id().as_bytes(), name, query };
    let kept = app.storage.keep_view(session.account.id, view).await;
    match kept.map_err(|error| ApiError::internal(&headers, &error))? {
        true => Ok(Json(serde_json::json!({}))),
        false => Err(bad(format!("{MAX_VIEWS} views"))),
    }
}

/// Gives a view up.
#[utoipa::path(
    delete,
    path = "/console/v1/views/{id}",
    params(("id" = String, Path, description = "The view")),
    responses((status = 200, description = "It is gone"))
)]
pub async fn give_up(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<serde_json::Value>, ApiError> {
    let not_found = || ApiError::new(&headers, ErrorCode::NotFound, "");
    let id = uuid::Uuid::try_parse(&id).map_err(|_| not_found())?;
    let gone = app.storage.drop_view(session.account.id, *id.as_bytes()).await;
    match gone.map_err(|error| ApiError::internal(&headers, &error))? {
        true => Ok(Json(serde_json::json!({}))),
        false => Err(not_found()),
    }
}
