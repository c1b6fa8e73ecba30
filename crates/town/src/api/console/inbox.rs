//! `GET /console/v1/hazards`: the inbox, newest change first.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use yaoguan_model::cells::{self, Cell};
use yaoguan_model::{AccountId, RecordId};
use yaoguan_wire::ErrorCode;

use super::super::App;
use super::super::error::ApiError;
use super::session::Session;
use crate::days::day_of;
use crate::people::Account;
use crate::storage::desk::{InboxAsk, InboxRow, PAGE, Waiting};

/// Characters of what is searched for.
pub(super) const MAX_WORDS_CHARS: usize = 100;

/// What is wanted; what is not said asks for any.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(default, deny_unknown_fields)]
pub struct Wanted {
    /// A status, or `open`.
    state: String,
    category: String,
    severity: String,
    grid: String,
    /// Words that must all occur in what was written.
    q: String,
    /// Why it waits: `new`, `corrected` or `changed`.
    stage: String,
    /// Only what the asker is on.
    claimed: bool,
    conflict: bool,
    overdue: bool,
    /// The `next` of the page before.
    after: String,
}

impl Wanted {
    /// Nobody types so much.
    pub(super) fn is_too_long(&self) -> bool {
        self.q.chars().count() > MAX_WORDS_CHARS
    }

    /// The question, from the beginning.
    pub(super) fn ask(
        self,
        cells: Vec<Cell>,
        account: AccountId,
        now: i64,
        today: &str,
    ) -> InboxAsk {
        InboxAsk {
            cells,
            account: Some(account),
            now,
            state: self.state,
            stage: self.stage,
            claimed_by: self.claimed.then_some(account),
            category: self.category,
            severity: self.severity,
            grid: self.grid,
            words: self.q.trim().to_owned(),
            conflict: self.conflict,
            due_before: self.overdue.then(|| today.to_owned()),
            after: None,
        }
    }
}

/// A page of the inbox.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Inbox {
    rows: Vec<Row>,
    next: Option<String>,
}

/// What waits for a supervisor, by view. A count of 1,000 says: so many or more.
#[derive(Serialize, utoipa::ToSchema)]
pub struct WaitingOut {
    /// Major dangers that nobody is on, oldest first.
    urgent: Vec<Row>,
    new: u32,
    corrected: u32,
    changed: u32,
    conflict: u32,
    overdue: u32,
    claimed: u32,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = HazardRow)]
struct Row {
    id: String,
    title: String,
    category: String,
    severity: String,
    status: String,
    /// What a decision on this row replaces.
    status_dots: Vec<String>,
    grid: String,
    address: String,
    stage: String,
    due_on: String,
    overdue: bool,
    conflict: bool,
    author: String,
    claimed_by: String,
    /// Photos that it refers to and that have not arrived.
    coming: u32,
    received_at: i64,
    changed_at: i64,
}

impl Row {
    fn of(row: InboxRow, today: &str) -> Self {
        let finished = matches!(row.status.as_str(), "closed" | "merged" | "unfounded");
        let overdue = !row.due_on.is_empty() && row.due_on.as_str() < today && !finished;
        Self {
            id: row.id.to_string(),
            overdue,
            title: row.title,
            category: row.category,
            severity: row.severity,
            status: row.status,
            status_dots: row.status_dots.split_whitespace().map(str::to_owned).collect(),
            grid: row.grid,
            address: row.address,
            stage: row.stage,
            due_on: row.due_on,
            conflict: row.conflict,
            author: row.author,
            claimed_by: row.claimed_by,
            coming: row.coming,
            received_at: row.received_at,
            changed_at: row.changed_at,
        }
    }
}

/// The cells that a session reads.
pub(super) fn cells_of(account: &Account) -> Vec<Cell> {
    cells::of_reader(account.id, account.role, &account.grids).into_iter().collect()
}

fn place(text: &str) -> Option<(i64, RecordId)> {
    let (at, id) = text.split_once('.')?;
    Some((at.parse().ok()?, id.parse().ok()?))
}

/// Hazards within the session's scope.
#[utoipa::path(
    get,
    path = "/console/v1/hazards",
    params(Wanted),
    responses((status = 200, body = Inbox))
)]
pub async fn list(
    State(app): State<App>,
    session: Session,
    query: Result<Query<Wanted>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Json<Inbox>, ApiError> {
    let bad = |detail: String| ApiError::new(&headers, ErrorCode::BadRequest, detail);
    let Query(wanted) = query.map_err(|error| bad(error.body_text()))?;
    if wanted.is_too_long() {
        return Err(bad(format!("q: {MAX_WORDS_CHARS} characters")));
    }
    let after = match wanted.after.as_str() {
        "" => None,
        text => Some(place(text).ok_or_else(|| bad("after".to_owned()))?),
    };
    let (now, account) = (app.env.now_s(), session.account.id);
    let today = day_of(now);
    let ask = wanted.ask(cells_of(&session.account), account, now, &today);
    let ask = InboxAsk { after, ..ask };
    let found = app.storage.inbox(ask).await;
    let found = found.map_err(|error| ApiError::internal(&headers, &error))?;
    let full = found.len() >= PAGE as usize;
    let next = found.last().filter(|_| full).map(|row| format!("{}.{}", row.changed_at, row.id));
    let rows = found.into_iter().map(|row| Row::of(row, &today)).collect();
    Ok(Json(Inbox { rows, next }))
}

/// What waits within the session's scope.
#[utoipa::path(
    get,
    path = "/console/v1/waiting",
    responses((status = 200, body = WaitingOut))
)]
pub async fn waiting(
    State(app): State<App>,
    session: Session,
    headers: HeaderMap,
) -> Result<Json<WaitingOut>, ApiError> {
    let now = app.env.now_s();
    let today = day_of(now);
    let (cells, account) = (cells_of(&session.account), Some(session.account.id));
    let ask = InboxAsk { cells, account, now, ..InboxAsk::default() };
    let found = app.storage.waiting(ask, today.clone()).await;
    let found = found.map_err(|error| ApiError::internal(&headers, &error))?;
    let Waiting { urgent, new, corrected, changed, conflict, overdue, claimed } = found;
    let urgent = urgent.into_iter().map(|row| Row::of(row, &today)).collect();
    Ok(Json(WaitingOut { urgent, new, corrected, changed, conflict, overdue, claimed }))
}
