//! `/console/v1/admin/invites`: made one by one with a picture to scan, or on a sheet to print; listed, revoked.
//! An adapter of [`crate::people::invites`].

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use yaoguan_model::{AccountId, GridCode, Role};
use yaoguan_wire::ErrorCode;
use yaoguan_wire::limits::MAX_SMALL_BYTES;

use super::super::App;
use super::super::error::ApiError;
use super::super::sent::{Sent, read};
use super::refused::refused;
use super::session::Admin;
use crate::people::invites::{self, Line, Whom, checked_minutes};
use crate::people::{Invited, invite_id, login_of, sheet};

/// Which invites are wanted.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(default)]
pub struct Asked {
    /// Those too that were used, revoked or are stale.
    all: bool,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct Invites {
    rows: Vec<Row>,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = InviteRow)]
struct Row {
    id: String,
    account: String,
    name: String,
    created_at: i64,
    expires_at: i64,
    /// `waits`, `used`, `revoked`, `stale`.
    state: &'static str,
    /// What was enrolled with it.
    device: Option<String>,
}

impl Row {
    fn of(invite: Invited, now: i64) -> Self {
        let state = match (invite.used_at, invite.revoked_at) {
            (Some(_), _) => "used",
            (None, Some(_)) => "revoked",
            (None, None) if invite.expires_at < now => "stale",
            (None, None) => "waits",
        };
        Self {
            id: invite.id,
            account: invite.account.to_string(),
            name: invite.name,
            created_at: invite.created_at,
            expires_at: invite.expires_at,
            state,
            device: invite.device.map(|device| device.to_string()),
        }
    }
}

/// The invites, latest first.
#[utoipa::path(
    get,
    path = "/console/v1/admin/invites",
    params(Asked),
    responses((status = 200, body = Invites))
)]
pub async fn list(
    State(app): State<App>,
    _: Admin,
    query: Result<Query<Asked>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Json<Invites>, ApiError> {
    let bad =
        |error: QueryRejection| ApiError::new(&headers, ErrorCode::BadRequest, error.body_text());
    let Query(asked) = query.map_err(bad)?;
    let now = app.env.now_s();
    let found = app.storage.invites(asked.all, now).await;
    let found = found.map_err(|error| ApiError::internal(&headers, &error))?;
    Ok(Json(Invites { rows: found.into_iter().map(|invite| Row::of(invite, now)).collect() }))
}

/// Whom an invite is for.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = NewInvite)]
pub struct New {
    account: String,
    minutes: i64,
}

/// An invite, said once.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = InviteMade)]
pub struct Made {
    id: String,
    uri: String,
    /// A picture of it.
    svg: Option<String>,
    expires_at: i64,
}

async fn line(app: &App) -> Result<Line, crate::TownError> {
    let address = app.storage.info().await?.address;
    Line::of(app.storage.as_ref(), address).await
}

/// Makes an invite for an account.
#[utoipa::path(
    post,
    path = "/console/v1/admin/invites",
    request_body = New,
    responses((status = 200, body = Made))
)]
pub async fn make(
    State(app): State<App>,
    Admin(session): Admin,
    headers: HeaderMap,
    sent: Sent,
) -> Result<Json<Made>, ApiError> {
    sent.at_most(&headers, MAX_SMALL_BYTES)?;
    let New { account, minutes } = read::<New>(&app, &headers, &sent).await?.message;
    let fail = |error| refused(&headers, error);
    let minutes = checked_minutes(minutes).map_err(|error| fail(error.into()))?;
    let not_found = || ApiError::new(&headers, ErrorCode::NotFound, "");
    let account: AccountId = account.parse().map_err(|_| not_found())?;
    let person = app.storage.person(account.to_string()).await.map_err(fail)?;
    // An invite of a closed account lets nobody in.
    person.filter(|person| !person.disabled).ok_or_else(not_found)?;
    let expires_at = app.env.now_s() + minutes * 60;
    let (invite, uri) =
        line(&app).await.map_err(fail)?.invite(app.env.as_ref(), account, expires_at);
    let id = invite_id(&invite.code_hash);
    app.storage.add_invites(vec![invite], session.done(&app, "")).await.map_err(fail)?;
    Ok(Json(Made { id, svg: sheet::drawn(&uri), uri, expires_at }))
}

/// Whom a sheet is for.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct NewSheet {
    #[schema(value_type = Option<String>)]
    role: Option<Role>,
    village: Option<String>,
    #[schema(value_type = Option<String>)]
    grid: Option<GridCode>,
    logins: Option<Vec<String>>,
    minutes: i64,
}

/// A sheet, to be kept as a file and printed.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Sheet {
    html: String,
    invites: usize,
    expires_at: i64,
}

/// Makes invites for many, on one sheet.
#[utoipa::path(
    post,
    path = "/console/v1/admin/invites/sheet",
    request_body = NewSheet,
    responses((status = 200, body = Sheet))
)]
pub async fn print(
    State(app): State<App>,
    Admin(session): Admin,
    headers: HeaderMap,
    sent: Sent,
) -> Result<Json<Sheet>, ApiError> {
    sent.at_most(&headers, MAX_SMALL_BYTES)?;
    let asked = read::<NewSheet>(&app, &headers, &sent).await?.message;
    let fail = |error| refused(&headers, error);
    let minutes = checked_minutes(asked.minutes).map_err(|error| fail(error.into()))?;
    let logins = asked.logins.map(|all| all.iter().map(|login| login_of(login)).collect());
    let whom = Whom { role: asked.role, village: asked.village, grid: asked.grid, logins };
    let line = line(&app).await.map_err(fail)?;
    let expires_at = app.env.now_s() + minutes * 60;
    let (storage, env) = (app.storage.as_ref(), app.env.as_ref());
    let made = invites::sheet(storage, env, (&line, &whom), expires_at).await.map_err(fail)?;
    let count = made.invites.len();
    storage.add_invites(made.invites, session.done(&app, "")).await.map_err(fail)?;
    let html = String::from_utf8_lossy(&made.html).into_owned();
    Ok(Json(Sheet { html, invites: count, expires_at }))
}

/// Why.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct Because {
    pub(super) reason: String,
}

/// Voids an invite that waits.
#[utoipa::path(
    post,
    path = "/console/v1/admin/invites/{id}",
    params(("id" = String, Path, description = "The invite")),
    request_body = Because,
    responses((status = 200, description = "Nobody enrols with it any more"))
)]
pub async fn revoke(
    State(app): State<App>,
    Admin(session): Admin,
    Path(id): Path<String>,
    headers: HeaderMap,
    sent: Sent,
) -> Result<Json<serde_json::Value>, ApiError> {
    sent.at_most(&headers, MAX_SMALL_BYTES)?;
    let Because { reason } = read::<Because>(&app, &headers, &sent).await?.message;
    let done = session.done_with_care(&app, &headers, &reason).await?;
    let revoked = app.storage.revoke_invite(id, done).await;
    revoked.map_err(|error| refused(&headers, error))?;
    Ok(Json(serde_json::json!({})))
}
