//! `/console/v1/held`: saves that wait for a decision, and what each would change. Supervisors decide on those
//! of their scope, administrators on those that are of no household.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use yaoguan_model::authorise::Actor;
use yaoguan_model::{Record, Role, Value};
use yaoguan_wire::limits::MAX_SMALL_BYTES;
use yaoguan_wire::{ErrorCode, HoldId};

use super::super::App;
use super::super::error::ApiError;
use super::super::sent::{Sent, read};
use super::inbox::cells_of;
use super::refused::refused;
use super::session::{Session, SignedIn};
use crate::TownError;
use crate::audit::By;
use crate::storage::held::{HeldRow, HeldView, Reader, Release};

#[derive(Serialize, utoipa::ToSchema)]
pub struct Holds {
    rows: Vec<Row>,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = HeldRow)]
struct Row {
    id: String,
    record: String,
    kind: String,
    account_name: String,
    device_name: String,
    /// Why it was not taken: an error code of the protocol.
    code: String,
    received_at: i64,
    /// Its content is for the asker, and the decision is theirs.
    readable: bool,
}

impl Row {
    fn of(row: &HeldRow) -> Self {
        let HeldRow { held, account_name, device_name, readable } = row;
        Self {
            id: held.id.to_string(),
            record: held.about.id.to_string(),
            kind: held.about.kind.as_str().to_owned(),
            account_name: account_name.clone(),
            device_name: device_name.clone(),
            code: held.code.as_str().to_owned(),
            received_at: held.received_at,
            readable: *readable,
        }
    }
}

/// A held save with what it would change.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = HeldShown)]
pub struct Shown {
    row: Row,
    /// The record was purged: what is released becomes a new one.
    purged: bool,
    /// It is not in the town yet.
    new: bool,
    changes: Vec<Change>,
}

#[derive(Serialize, utoipa::ToSchema)]
struct Change {
    path: String,
    #[schema(value_type = Vec<Object>)]
    before: Vec<Value>,
    #[schema(value_type = Vec<Object>)]
    after: Vec<Value>,
}

fn reader(session: &Session) -> Reader {
    match session.account.role {
        Role::Admin => Reader::Administrator,
        Role::Volunteer | Role::Chief | Role::Supervisor => {
            Reader::Cells(cells_of(&session.account))
        }
    }
}

/// Held saves that wait, oldest first.
#[utoipa::path(get, path = "/console/v1/held", responses((status = 200, body = Holds)))]
pub async fn list(
    State(app): State<App>,
    SignedIn(session): SignedIn,
    headers: HeaderMap,
) -> Result<Json<Holds>, ApiError> {
    let rows = app.storage.held_rows(reader(&session)).await;
    let rows = rows.map_err(|error| ApiError::internal(&headers, &error))?;
    Ok(Json(Holds { rows: rows.iter().map(Row::of).collect() }))
}

async fn view(
    app: &App,
    session: &Session,
    headers: &HeaderMap,
    id: &str,
) -> Result<(HoldId, HeldView), ApiError> {
    let not_found = || ApiError::new(headers, ErrorCode::NotFound, "");
    let id: HoldId = id.parse().map_err(|_| not_found())?;
    let view = app.storage.held_view(id, reader(session), session.done(app, "")).await;
    let view = view.map_err(|error| ApiError::internal(headers, &error))?;
    Ok((id, view.ok_or_else(not_found)?))
}

/// One of them, with what it would change.
#[utoipa::path(
    get,
    path = "/console/v1/held/{id}",
    params(("id" = String, Path, description = "The held save")),
    responses((status = 200, body = Shown))
)]
pub async fn show(
    State(app): State<App>,
    SignedIn(session): SignedIn,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Shown>, ApiError> {
    let (_, view) = view(&app, &session, &headers, &id).await?;
    let paths: BTreeSet<&str> = view.row.held.changes.paths.keys().map(|p| p.as_str()).collect();
    let values = |record: Option<&Record>, path: &str| -> Vec<Value> {
        record.map_or(Vec::new(), |r| r.distinct(path).into_iter().cloned().collect())
    };
    let change = |path: &str| Change {
        path: path.to_owned(),
        before: values(view.before.as_ref(), path),
        after: values(Some(&view.after), path),
    };
    Ok(Json(Shown {
        row: Row::of(&view.row),
        purged: view.purged,
        new: view.before.is_none(),
        changes: paths.into_iter().map(change).collect(),
    }))
}

/// What becomes of it.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(tag = "act", rename_all = "snake_case")]
#[schema(as = HeldVerdict)]
pub enum Verdict {
    Release { note: String },
    Refuse { note: String },
}

/// Decides on a held save; its phone hears the words.
#[utoipa::path(
    post,
    path = "/console/v1/held/{id}",
    params(("id" = String, Path, description = "The held save")),
    request_body = Verdict,
    responses((status = 200, description = "It waits no more"))
)]
pub async fn decide(
    State(app): State<App>,
    SignedIn(session): SignedIn,
    Path(id): Path<String>,
    headers: HeaderMap,
    sent: Sent,
) -> Result<Json<serde_json::Value>, ApiError> {
    sent.at_most(&headers, MAX_SMALL_BYTES)?;
    let verdict = read::<Verdict>(&app, &headers, &sent).await?.message;
    let (Verdict::Release { note } | Verdict::Refuse { note }) = &verdict;
    let note = note.trim().to_owned();
    if note.is_empty() {
        return Err(ApiError::not_done(&headers, "reason", "a reason is missing"));
    }
    let (hold, _) = view(&app, &session, &headers, &id).await?;
    let done = session.done(&app, &note);
    let decided = match verdict {
        Verdict::Refuse { .. } => app.storage.refuse_held(hold, note, done).await,
        Verdict::Release { .. } => release(&app, &session, hold, note).await,
    };
    decided.map_err(|error| refused(&headers, error))?;
    Ok(Json(serde_json::json!({})))
}

/// Supervisors release with their own rights; administrators, of what is of no household, with those of one of
/// the whole town.
async fn release(
    app: &App,
    session: &Session,
    hold: HoldId,
    note: String,
) -> Result<(), TownError> {
    let account = session.account.id;
    let by = match session.account.role {
        Role::Admin => Actor { account, role: Role::Supervisor, grids: app.storage.grids().await? },
        Role::Volunteer | Role::Chief | Role::Supervisor => session.account.actor(),
    };
    let release = Release {
        hold,
        by,
        mended: std::collections::BTreeMap::new(),
        fresh_id: app.env.new_record_id(),
        note,
        now: app.env.now_s(),
    };
    app.storage.release(release, By::Account(account)).await.map(|_| ())
}
