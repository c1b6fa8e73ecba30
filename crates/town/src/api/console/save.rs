//! `POST /console/v1/records/{id}`: what a supervisor decides. One request is one save with one dot of the
//! town, an entry of the timeline in it that says who and when.
//!
//! `replaces` are the dots that the page showed: what came in meanwhile stays beside the new value, and the
//! record shows that something is to be settled.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde::Deserialize;
use yaoguan_model::{Change, Dot, FieldPath, RecordId, Value};
use yaoguan_wire::ErrorCode;
use yaoguan_wire::limits::MAX_SMALL_BYTES;

use super::super::App;
use super::super::error::ApiError;
use super::super::sent::{Sent, read};
use super::record_out::dot_of;
use super::session::Session;
use crate::push::code_of;
use crate::storage::desk::{Decided, Decision};

/// What was altered, which step was taken, and why.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct Save {
    #[serde(default)]
    pub(super) changes: BTreeMap<String, Altered>,
    #[serde(default)]
    pub(super) step: Option<Stepped>,
    #[serde(default)]
    pub(super) note: String,
}

/// A register's new value; none removes it.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct Altered {
    #[serde(default)]
    replaces: Vec<String>,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    value: Option<Value>,
}

/// A step of `status`; from a state to itself: of several that stand, it is kept.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct Stepped {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) replaces: Vec<String>,
}

/// Why a body is none.
pub(super) struct Bad(pub(super) String);

fn dots(texts: &[String]) -> Result<Vec<Dot>, Bad> {
    let read = |text: &String| dot_of(text).ok_or_else(|| Bad(format!("dot {text}")));
    texts.iter().map(read).collect()
}

impl Save {
    /// The changes of the save; `entry` is the key of its timeline entry.
    pub(super) fn changes(
        self,
        entry: &str,
        by: &str,
        at: i64,
    ) -> Result<BTreeMap<FieldPath, Change>, Bad> {
        let path = |text: &str| text.parse::<FieldPath>().map_err(|e| Bad(e.to_string()));
        let note = self.note.trim();
        if self.changes.is_empty() && self.step.is_none() && note.is_empty() {
            return Err(Bad("nothing to save".to_owned()));
        }
        let mut changes = BTreeMap::new();
        for (text, Altered { replaces, value }) in self.changes {
            let path = path(&text)?;
            // A step says how the status came about; the timeline is written here alone.
            if matches!(path.head(), "status" | "timeline") {
                return Err(Bad(text));
            }
            changes.insert(path, Change { replaces: dots(&replaces)?, value });
        }
        let mut told = vec![("by", Value::text(by)), ("at", Value::Int(at))];
        if !note.is_empty() {
            told.push(("note", Value::text(note)));
        }
        if let Some(Stepped { from, to, replaces }) = self.step {
            if from != to {
                let step = [("from", Value::text(from)), ("to", Value::text(to.clone()))];
                told.push(("step", Value::map(step)));
            }
            let change = Change { replaces: dots(&replaces)?, value: Some(Value::text(to)) };
            changes.insert(path("status")?, change);
        }
        let entry = FieldPath::element("timeline", entry).map_err(|e| Bad(e.to_string()))?;
        let change = Change { replaces: Vec::new(), value: Some(Value::map(told)) };
        changes.insert(entry, change);
        Ok(changes)
    }
}

/// Saves a decision on a record.
#[utoipa::path(
    post,
    path = "/console/v1/records/{id}",
    params(("id" = String, Path, description = "The record")),
    request_body = Save,
    responses((status = 200, description = "It is saved"))
)]
pub async fn save(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    headers: HeaderMap,
    sent: Sent,
) -> Result<Json<serde_json::Value>, ApiError> {
    let not_found = || ApiError::new(&headers, ErrorCode::NotFound, "");
    let id: RecordId = id.parse().map_err(|_| not_found())?;
    sent.at_most(&headers, MAX_SMALL_BYTES)?;
    let save = read::<Save>(&app, &headers, &sent).await?.message;
    let now = app.env.now_s();
    let entry = app.env.new_record_id().to_string();
    let changes = save.changes(&entry, &session.account.id.to_string(), now);
    let changes =
        changes.map_err(|Bad(why)| ApiError::new(&headers, ErrorCode::BadRequest, why))?;
    let decision = Decision { id, actor: session.account.actor(), changes, now };
    let decided = app.storage.decide(decision).await;
    answered(&headers, decided.map_err(|error| ApiError::internal(&headers, &error))?)
}

/// What became of a decision, as an answer.
pub(super) fn answered(
    headers: &HeaderMap,
    decided: Decided,
) -> Result<Json<serde_json::Value>, ApiError> {
    match decided {
        Decided::Done => Ok(Json(serde_json::json!({}))),
        Decided::NotFound => Err(ApiError::new(headers, ErrorCode::NotFound, "")),
        Decided::Refused(refusal) => {
            Err(ApiError::new(headers, code_of(&refusal).0, refusal.to_string()))
        }
    }
}
