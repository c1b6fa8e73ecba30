//! `/console/v1/admin/templates`: the versions of the household check, and drafts that are looked at and
//! published.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use yaoguan_model::limits::MAX_RECORD_BYTES;
use yaoguan_wire::ErrorCode;

use super::super::App;
use super::super::error::ApiError;
use super::super::sent::{Sent, read};
use super::refused::refused;
use super::session::Admin;
use crate::templates::{self, Draft, Trouble};

#[derive(Serialize, utoipa::ToSchema)]
pub struct Templates {
    /// Newest first: the first is the one that phones use.
    versions: Vec<Version>,
}

#[derive(Serialize, utoipa::ToSchema)]
struct Version {
    version: i64,
    draft: Draft,
}

/// The published versions.
#[utoipa::path(
    get,
    path = "/console/v1/admin/templates",
    responses((status = 200, body = Templates))
)]
pub async fn list(
    State(app): State<App>,
    _: Admin,
    headers: HeaderMap,
) -> Result<Json<Templates>, ApiError> {
    let found = templates::published(app.storage.as_ref()).await;
    let found = found.map_err(|error| ApiError::internal(&headers, &error))?;
    let versions = found.into_iter().map(|(version, draft)| Version { version, draft }).collect();
    Ok(Json(Templates { versions }))
}

/// A draft, and whether it is meant.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct Designed {
    draft: Draft,
    /// Else it is only looked at.
    #[serde(default)]
    publish: bool,
    #[serde(default)]
    reason: String,
}

/// What is wrong with a draft, or the version that it became.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Looked {
    troubles: Vec<Trouble>,
    published: Option<i64>,
}

/// Looks at a draft, or publishes it: phones have it with their next sync.
#[utoipa::path(
    post,
    path = "/console/v1/admin/templates",
    request_body = Designed,
    responses((status = 200, body = Looked))
)]
pub async fn design(
    State(app): State<App>,
    Admin(session): Admin,
    headers: HeaderMap,
    sent: Sent,
) -> Result<Json<Looked>, ApiError> {
    sent.at_most(&headers, MAX_RECORD_BYTES)?;
    let Designed { draft, publish, reason } =
        read::<Designed>(&app, &headers, &sent).await?.message;
    let troubles = draft.troubles();
    if !publish {
        return Ok(Json(Looked { troubles, published: None }));
    }
    if let Some(trouble) = troubles.iter().find(|trouble| trouble.code == "forbidden") {
        let detail = format!("{} {}: {}", trouble.item, trouble.field, trouble.value);
        return Err(ApiError::new(&headers, ErrorCode::FieldForbidden, detail));
    }
    if !troubles.is_empty() {
        return Err(ApiError::not_done(&headers, "template", "the draft has troubles"));
    }
    let done = session.done_with_care(&app, &headers, &reason).await?;
    let (storage, env) = (app.storage.as_ref(), app.env.as_ref());
    let published = templates::publish(storage, env, (&draft, session.account.id), done).await;
    let version = published.map_err(|error| refused(&headers, error))?;
    Ok(Json(Looked { troubles, published: Some(version) }))
}
