//! `POST /console/v1/decisions`: one step of many records, with one reason. All in one transaction; a record
//! whose state does not allow the step is named with its code and keeps no other from being decided on.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use yaoguan_model::RecordId;
use yaoguan_wire::ErrorCode;

use super::super::App;
use super::super::error::ApiError;
use super::super::sent::{Sent, read};
use super::save::{Save, Stepped};
use super::session::Session;
use crate::push::code_of;
use crate::storage::desk::{Decided, Decision, MAX_DECISIONS};

/// A request: a hundred records with some siblings each, and the longest reason.
const MAX_BYTES: usize = 64 * 1024;

/// A step, and the records that take it.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct Decisions {
    to: String,
    #[serde(default)]
    note: String,
    records: Vec<Shown>,
}

/// A record as the page showed it.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = DecisionShown)]
struct Shown {
    id: String,
    from: String,
    /// The dots of its status.
    replaces: Vec<String>,
}

/// What became of each record, in the order of the request.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Verdicts {
    verdicts: Vec<Verdict>,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = DecisionVerdict)]
struct Verdict {
    id: String,
    /// Why it was not taken.
    code: Option<String>,
}

/// Decides on many records at once.
#[utoipa::path(
    post,
    path = "/console/v1/decisions",
    request_body = Decisions,
    responses((status = 200, body = Verdicts))
)]
pub async fn decide(
    State(app): State<App>,
    session: Session,
    headers: HeaderMap,
    sent: Sent,
) -> Result<Json<Verdicts>, ApiError> {
    let bad = |detail: String| ApiError::new(&headers, ErrorCode::BadRequest, detail);
    sent.at_most(&headers, MAX_BYTES)?;
    let Decisions { to, note, records } = read(&app, &headers, &sent).await?.message;
    if records.is_empty() || records.len() > MAX_DECISIONS {
        return Err(bad(format!("1 to {MAX_DECISIONS} records")));
    }
    let (now, by) = (app.env.now_s(), session.account.id.to_string());
    let mut decisions = Vec::with_capacity(records.len());
    for Shown { id, from, replaces } in records {
        let id: RecordId = id.parse().map_err(|_| bad(id.clone()))?;
        let step = Some(Stepped { from, to: to.clone(), replaces });
        let save = Save { changes: BTreeMap::new(), step, note: note.clone() };
        let changes = save.changes(&app.env.new_record_id().to_string(), &by, now);
        let changes = changes.map_err(|wrong| bad(wrong.0))?;
        decisions.push(Decision { id, actor: session.account.actor(), changes, now });
    }
    let ids: Vec<RecordId> = decisions.iter().map(|decision| decision.id).collect();
    let decided = app.storage.decide_all(decisions).await;
    let decided = decided.map_err(|error| ApiError::internal(&headers, &error))?;
    let code = |decided: Decided| match decided {
        Decided::Done => None,
        Decided::NotFound => Some(ErrorCode::NotFound),
        Decided::Refused(refusal) => Some(code_of(&refusal).0),
    };
    let verdict = |(id, decided): (RecordId, Decided)| Verdict {
        id: id.to_string(),
        code: code(decided).map(|code| code.as_str().to_owned()),
    };
    let verdicts = ids.into_iter().zip(decided).map(verdict).collect();
    Ok(Json(Verdicts { verdicts }))
}
