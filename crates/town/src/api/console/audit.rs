//! `/console/v1/admin/audit`: who did what, when and why; and whether the log is whole.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use yaoguan_wire::ErrorCode;

use super::super::App;
use super::super::error::ApiError;
use super::session::Admin;
use crate::audit::{Act, Checked};
use crate::storage::audit::{AUDIT_PAGE, AuditSearch, Told};

/// What is looked for; what is not said asks for any.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(default)]
pub struct Asked {
    /// The `next` of the page before.
    before: Option<u64>,
    act: String,
    /// A login or an account's id; `town`; `console:` and a user of the town's machine.
    by: String,
    /// A login, or the id of what was acted on.
    about: String,
    /// Seconds since 1970.
    since: Option<i64>,
    until: Option<i64>,
}

/// A page of the log, latest first.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Page {
    entries: Vec<Entry>,
    next: Option<u64>,
    /// Every act that there is.
    acts: Vec<&'static str>,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = AuditEntry)]
struct Entry {
    sequence: u64,
    at: i64,
    by: String,
    by_name: String,
    act: String,
    subject_kind: String,
    subject: String,
    subject_name: String,
    reason: String,
    #[schema(value_type = Object)]
    detail: serde_json::Value,
}

impl Entry {
    fn of(told: Told) -> Self {
        let Told { entry, by_name, subject_name } = told;
        Self {
            sequence: entry.sequence,
            at: entry.at,
            by: entry.by,
            by_name,
            act: entry.act,
            subject_kind: entry.subject_kind,
            subject: entry.subject,
            subject_name,
            reason: entry.reason,
            detail: entry.detail,
        }
    }
}

/// An account's id where a login was typed; else what was typed.
async fn id_of(app: &App, headers: &HeaderMap, typed: &str) -> Result<String, ApiError> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(String::new());
    }
    let person = app.storage.person(typed.to_owned()).await;
    let person = person.map_err(|error| ApiError::internal(headers, &error))?;
    Ok(person.map_or_else(|| typed.to_owned(), |person| person.account.id.to_string()))
}

/// The log.
#[utoipa::path(
    get,
    path = "/console/v1/admin/audit",
    params(Asked),
    responses((status = 200, body = Page))
)]
pub async fn list(
    State(app): State<App>,
    _: Admin,
    query: Result<Query<Asked>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Json<Page>, ApiError> {
    let bad =
        |error: QueryRejection| ApiError::new(&headers, ErrorCode::BadRequest, error.body_text());
    let Query(asked) = query.map_err(bad)?;
    let search = AuditSearch {
        before: asked.before,
        act: asked.act,
        by: id_of(&app, &headers, &asked.by).await?,
        subject: id_of(&app, &headers, &asked.about).await?,
        since: asked.since,
        until: asked.until,
    };
    let found = app.storage.search_audit(search).await;
    let found = found.map_err(|error| ApiError::internal(&headers, &error))?;
    let full = found.len() >= AUDIT_PAGE as usize;
    let next = found.last().filter(|_| full).map(|told| told.entry.sequence);
    let acts = Act::ALL.iter().map(|act| act.as_str()).collect();
    Ok(Json(Page { entries: found.into_iter().map(Entry::of).collect(), next, acts }))
}

/// What `yaoguan-town audit verify` says.
#[utoipa::path(
    get,
    path = "/console/v1/admin/audit/check",
    responses((status = 200, description = "Entries, those lost to restores, flaws", body = Object))
)]
pub async fn check(
    State(app): State<App>,
    _: Admin,
    headers: HeaderMap,
) -> Result<Json<Checked>, ApiError> {
    let checked = app.storage.verify_audit().await;
    Ok(Json(checked.map_err(|error| ApiError::internal(&headers, &error))?))
}
