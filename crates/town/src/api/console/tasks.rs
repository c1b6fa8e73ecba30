//! `/console/v1/tasks`: what people were asked to do, and asking them.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use yaoguan_model::cells::Cell;
use yaoguan_model::{AccountId, Change, FieldPath, Kind, RecordId, Value};
use yaoguan_wire::ErrorCode;
use yaoguan_wire::limits::MAX_SMALL_BYTES;

use super::super::App;
use super::super::error::ApiError;
use super::super::sent::{Sent, read};
use super::inbox::{MAX_WORDS_CHARS, cells_of};
use super::session::Session;
use crate::days::day_of;
use crate::push::code_of;
use crate::storage::desk::{Decided, NewRecord, PAGE, TaskAsk, TaskRow};

/// What is wanted; what is not said asks for any.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(default, deny_unknown_fields)]
pub struct Wanted {
    /// A status, or `active`: neither done nor cancelled.
    state: String,
    /// Only those that the asker gave.
    mine: bool,
    /// An account's id.
    assignee: String,
    grid: String,
    /// Part of the words.
    q: String,
    overdue: bool,
    /// The `next` of the page before.
    after: String,
}

impl Wanted {
    /// The question, from the beginning; or what in it is unclear.
    pub(super) fn ask(
        self,
        cells: Vec<Cell>,
        account: AccountId,
        today: &str,
    ) -> Result<TaskAsk, String> {
        if self.q.chars().count() > MAX_WORDS_CHARS {
            return Err(format!("q: {MAX_WORDS_CHARS} characters"));
        }
        let assignee = match self.assignee.as_str() {
            "" => None,
            text => Some(text.parse::<AccountId>().map_err(|_| "assignee")?),
        };
        Ok(TaskAsk {
            cells,
            state: self.state,
            giver: self.mine.then_some(account),
            assignee,
            grid: self.grid,
            words: self.q.trim().to_owned(),
            due_before: self.overdue.then(|| today.to_owned()),
            after: None,
        })
    }
}

/// A page of tasks, those that are due first at the top.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Tasks {
    rows: Vec<Row>,
    next: Option<String>,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = TaskRow)]
struct Row {
    id: String,
    what: String,
    words: String,
    about: Option<String>,
    assignee: String,
    doer: String,
    grid: String,
    due_on: String,
    overdue: bool,
    status: String,
    conflict: bool,
    giver: String,
    changed_at: i64,
}

impl Row {
    fn of(row: TaskRow, today: &str) -> Self {
        let active = !matches!(row.status.as_str(), "done" | "cancelled");
        Self {
            id: row.id.to_string(),
            overdue: active && !row.due_on.is_empty() && row.due_on.as_str() < today,
            what: row.what,
            words: row.words,
            about: row.about.map(|id| id.to_string()),
            assignee: row.assignee,
            doer: row.doer,
            grid: row.grid,
            due_on: row.due_on,
            status: row.status,
            conflict: row.conflict,
            giver: row.giver,
            changed_at: row.changed_at,
        }
    }
}

fn place(text: &str) -> Option<(String, RecordId)> {
    let (day, id) = text.split_once('.')?;
    Some((day.to_owned(), id.parse().ok()?))
}

/// Tasks within the session's scope.
#[utoipa::path(
    get,
    path = "/console/v1/tasks",
    params(Wanted),
    responses((status = 200, body = Tasks))
)]
pub async fn list(
    State(app): State<App>,
    session: Session,
    query: Result<Query<Wanted>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Json<Tasks>, ApiError> {
    let bad = |detail: String| ApiError::new(&headers, ErrorCode::BadRequest, detail);
    let Query(wanted) = query.map_err(|error| bad(error.body_text()))?;
    let after = match wanted.after.as_str() {
        "" => None,
        text => Some(place(text).ok_or_else(|| bad("after".to_owned()))?),
    };
    let today = day_of(app.env.now_s());
    let ask = wanted.ask(cells_of(&session.account), session.account.id, &today).map_err(bad)?;
    let ask = TaskAsk { after, ..ask };
    let found = app.storage.tasks(ask).await;
    let found = found.map_err(|error| ApiError::internal(&headers, &error))?;
    let full = found.len() >= PAGE as usize;
    let next = found.last().filter(|_| full).map(|row| format!("{}.{}", row.due_on, row.id));
    let rows = found.into_iter().map(|row| Row::of(row, &today)).collect();
    Ok(Json(Tasks { rows, next }))
}

/// What is to be done, by whom, until when. A person or a grid is needed.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct Asked {
    /// `recheck`, `patrol` or `other`.
    what: String,
    words: String,
    /// The record that it is about.
    #[serde(default)]
    about: Option<String>,
    #[serde(default)]
    assignee: Option<String>,
    #[serde(default)]
    grid: Option<String>,
    #[serde(default)]
    due_on: Option<String>,
}

impl Asked {
    /// The registers of the task; none: nobody is asked.
    fn changes(self, now: i64) -> Option<BTreeMap<FieldPath, Change>> {
        let (assignee, grid) = (filled(self.assignee), filled(self.grid));
        if assignee.is_none() && grid.is_none() {
            return None;
        }
        let texts = [
            ("what", filled(Some(self.what))),
            ("words", filled(Some(self.words))),
            ("about", filled(self.about)),
            ("assignee", assignee),
            ("grid", grid),
            ("due_on", filled(self.due_on)),
            ("status", Some("open".to_owned())),
        ];
        let texts = texts.into_iter().filter_map(|(path, text)| Some((path, Value::Text(text?))));
        let recorded = ("recorded_at", Value::map([("at", Value::Int(now))]));
        let change = |value| Change { replaces: Vec::new(), value: Some(value) };
        let all = texts.chain([recorded]);
        all.map(|(path, value)| Some((path.parse().ok()?, change(value)))).collect()
    }
}

fn filled(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// The id of what was made.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = TaskMade)]
pub struct Made {
    id: String,
}

/// Asks a person or the chiefs of a grid to do something.
#[utoipa::path(
    post,
    path = "/console/v1/tasks",
    request_body = Asked,
    responses((status = 200, body = Made))
)]
pub async fn create(
    State(app): State<App>,
    session: Session,
    headers: HeaderMap,
    sent: Sent,
) -> Result<Json<Made>, ApiError> {
    sent.at_most(&headers, MAX_SMALL_BYTES)?;
    let asked = read::<Asked>(&app, &headers, &sent).await?.message;
    let now = app.env.now_s();
    let nobody = || ApiError::new(&headers, ErrorCode::BadRequest, "assignee or grid");
    let changes = asked.changes(now).ok_or_else(nobody)?;
    let id = app.env.new_record_id();
    let new = NewRecord { id, kind: Kind::Task, actor: session.account.actor(), changes, now };
    let made = app.storage.create(new).await;
    match made.map_err(|error| ApiError::internal(&headers, &error))? {
        Decided::Done => Ok(Json(Made { id: id.to_string() })),
        Decided::NotFound => Err(ApiError::new(&headers, ErrorCode::Internal, "an id is there")),
        Decided::Refused(refusal) => {
            Err(ApiError::new(&headers, code_of(&refusal).0, refusal.to_string()))
        }
    }
}
