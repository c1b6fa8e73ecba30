//! `/console/v1/notices`: the town's words to those on duty. Phones have them with their next sync, until their
//! day is over or they are withdrawn.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use yaoguan_model::deletion::{self, Deletion};
use yaoguan_model::{Change, FieldPath, Kind, Record, RecordId, Role, Value, cells};
use yaoguan_wire::ErrorCode;
use yaoguan_wire::limits::MAX_WIRE_BYTES;

use super::super::App;
use super::super::error::ApiError;
use super::super::sent::{Sent, read};
use super::inbox::cells_of;
use super::save::answered;
use super::session::SignedIn;
use crate::days::{day_of, later, start_of};
use crate::storage::desk::{Decision, NewRecord};
use crate::storage::notices::Noticed;

/// A notice holds this many days at most: what is to last longer is a rule, and stands elsewhere.
pub const MAX_DAYS: i64 = 366;

#[derive(Serialize, utoipa::ToSchema)]
pub struct Notices {
    /// Newest first.
    rows: Vec<NoticeRow>,
}

#[derive(Serialize, utoipa::ToSchema)]
struct NoticeRow {
    id: String,
    title: String,
    text: String,
    /// Its last day.
    until: String,
    /// Codes; none: the whole town.
    grids: Vec<String>,
    /// None: every role.
    roles: Vec<String>,
    author: String,
    received_at: i64,
    /// `holds`, `ended`, `withdrawn`.
    state: &'static str,
}

impl NoticeRow {
    fn of(noticed: Noticed, now: i64) -> Self {
        let Noticed { record, author, received_at } = noticed;
        let text = |path: &str| record.shown_text(path).unwrap_or_default().to_owned();
        let list = |path: &str| {
            let texts = record.shown(path).and_then(Value::as_list).unwrap_or_default();
            texts.iter().filter_map(|value| value.as_text().map(str::to_owned)).collect()
        };
        let until = record.shown("valid_until").and_then(Value::as_int);
        let state = match deletion::state(&record) {
            Deletion::Deleted => "withdrawn",
            Deletion::Live | Deletion::Contested if until.is_some_and(|until| until < now) => {
                "ended"
            }
            Deletion::Live | Deletion::Contested => "holds",
        };
        Self {
            id: record.id.to_string(),
            title: text("title"),
            text: text("text"),
            until: until.map(day_of).unwrap_or_default(),
            grids: list("grids"),
            roles: list("roles"),
            author,
            received_at,
            state,
        }
    }
}

/// The notices within the asker's scope.
#[utoipa::path(get, path = "/console/v1/notices", responses((status = 200, body = Notices)))]
pub async fn list(
    State(app): State<App>,
    SignedIn(session): SignedIn,
    headers: HeaderMap,
) -> Result<Json<Notices>, ApiError> {
    let found = app.storage.notices(cells_of(&session.account)).await;
    let found = found.map_err(|error| ApiError::internal(&headers, &error))?;
    let now = app.env.now_s();
    Ok(Json(Notices { rows: found.into_iter().map(|one| NoticeRow::of(one, now)).collect() }))
}

/// What is to be known, by whom, until when.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct NewNotice {
    title: String,
    text: String,
    /// Its last day, `YYYY-MM-DD`.
    until: String,
    /// Codes; none: the whole town.
    #[serde(default)]
    grids: Vec<String>,
    /// None: every role.
    #[serde(default)]
    roles: Vec<String>,
}

impl NewNotice {
    /// The registers; none: the day is none, is over or is too far.
    fn changes(self, now: i64) -> Option<BTreeMap<FieldPath, Change>> {
        let last = later(&day_of(now), MAX_DAYS)?;
        let after = start_of(&later(&self.until, 1)?)?;
        if self.until < day_of(now) || self.until > last {
            return None;
        }
        let list = |texts: Vec<String>| {
            (!texts.is_empty()).then(|| Value::List(texts.into_iter().map(Value::Text).collect()))
        };
        let registers = [
            ("title", Some(Value::text(self.title.trim()))),
            ("text", Some(Value::text(self.text.trim()))),
            ("valid_until", Some(Value::Int(after - 1))),
            ("grids", list(self.grids)),
            ("roles", list(self.roles)),
            ("recorded_at", Some(Value::map([("at", Value::Int(now))]))),
        ];
        let set = registers.into_iter().filter_map(|(path, value)| Some((path, value?)));
        let change = |value| Change { replaces: Vec::new(), value: Some(value) };
        set.map(|(path, value)| Some((path.parse().ok()?, change(value)))).collect()
    }
}

/// Gives a notice out.
#[utoipa::path(
    post,
    path = "/console/v1/notices",
    request_body = NewNotice,
    responses((status = 200, description = "Phones have it with their next sync"))
)]
pub async fn give(
    State(app): State<App>,
    SignedIn(session): SignedIn,
    headers: HeaderMap,
    sent: Sent,
) -> Result<Json<serde_json::Value>, ApiError> {
    sent.at_most(&headers, MAX_WIRE_BYTES / 16)?;
    let new = read::<NewNotice>(&app, &headers, &sent).await?.message;
    let fail = |error| ApiError::internal(&headers, &error);
    let known = app.storage.grids().await.map_err(fail)?;
    let is_known = |code: &String| known.iter().any(|grid| grid.as_str() == code);
    if let Some(unknown) = new.grids.iter().find(|code| !is_known(code)) {
        return Err(ApiError::new(&headers, ErrorCode::UnknownGrid, unknown.as_str()));
    }
    let now = app.env.now_s();
    let no_day = || ApiError::new(&headers, ErrorCode::BadRequest, "until");
    let changes = new.changes(now).ok_or_else(no_day)?;
    let id = app.env.new_record_id();
    let new = NewRecord { id, kind: Kind::Notice, actor: session.account.actor(), changes, now };
    let made = app.storage.create(new).await;
    answered(&headers, made.map_err(fail)?)
}

/// Withdraws a notice: it leaves the phones with their next sync.
#[utoipa::path(
    post,
    path = "/console/v1/notices/{id}/withdraw",
    params(("id" = String, Path, description = "The notice")),
    responses((status = 200, description = "It is withdrawn"))
)]
pub async fn withdraw(
    State(app): State<App>,
    SignedIn(session): SignedIn,
    Path(id): Path<String>,
    headers: HeaderMap,
    sent: Sent,
) -> Result<Json<serde_json::Value>, ApiError> {
    read::<serde::de::IgnoredAny>(&app, &headers, &sent).await?;
    let not_found = || ApiError::new(&headers, ErrorCode::NotFound, "");
    let id: RecordId = id.parse().map_err(|_| not_found())?;
    let fail = |error| ApiError::internal(&headers, &error);
    let found = app.storage.records_of(cells_of(&session.account), vec![id]).await;
    let is_notice = |record: &Record| record.kind == Kind::Notice;
    let record = found.map_err(fail)?.into_iter().find(is_notice).ok_or_else(not_found)?;
    let (actor, now) = (session.account.actor(), app.env.now_s());
    let town_grids = app.storage.grids().await.map_err(fail)?;
    let audience = cells::audience_grids(&record, &town_grids);
    // What speaks to others too is withdrawn by whoever gave it out, or by an administrator.
    let is_own = record.created_by == actor.account || audience.is_subset(&actor.grids);
    if actor.role != Role::Admin && !is_own {
        return Err(ApiError::new(&headers, ErrorCode::NotAllowed, ""));
    }
    let changes = BTreeMap::from([deletion::delete(&record)]);
    let decided = app.storage.decide(Decision { id, actor, changes, now }).await;
    answered(&headers, decided.map_err(fail)?)
}
