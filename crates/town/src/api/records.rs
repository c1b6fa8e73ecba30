//! `GET /v1/records/{kind}`: what the asker may read, as plain values.

use std::collections::BTreeMap;
use std::convert::Infallible;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use yaoguan_model::deletion::{self, Deletion};
use yaoguan_model::{AccountId, FieldPath, Kind, Record, RecordId, Value};
use yaoguan_wire::ErrorCode;

use super::App;
use super::asker::Asker;
use super::error::ApiError;
use crate::audit::{Act, Attribution, By, Subject};

/// Records of one page.
const PAGE: u32 = 200;

/// Where a page begins.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
pub struct After {
    /// The `next` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<RecordId>,
}

/// A page of records.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RecordPage {
    records: Vec<RecordOut>,
    /// Goes into `after` for the next page; none at the end.
    #[schema(value_type = Option<String>)]
    next: Option<RecordId>,
}

/// One record: the value shown of each path, and every value of paths that have several.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RecordOut {
    #[schema(value_type = String)]
    id: RecordId,
    #[schema(value_type = String)]
    created_by: AccountId,
    /// Deleted by one and edited by another: a person decides.
    contested: bool,
    #[schema(value_type = Object)]
    fields: BTreeMap<FieldPath, Value>,
    #[schema(value_type = Object)]
    siblings: BTreeMap<FieldPath, Vec<Value>>,
}

impl RecordOut {
    fn of(record: &Record) -> Self {
        let shown = |path: &FieldPath| Some((path.clone(), record.shown(path.as_str())?.clone()));
        let all = |path: &FieldPath| {
            let values = record.distinct(path.as_str()).into_iter().cloned().collect();
            (path.clone(), values)
        };
        Self {
            id: record.id,
            created_by: record.created_by,
            contested: deletion::state(record) == Deletion::Contested,
            fields: record.fields.keys().filter_map(shown).collect(),
            siblings: record.conflicts().map(all).collect(),
        }
    }
}

/// Records of a kind within the asker's scope, oldest id first; deleted ones are left out.
#[utoipa::path(
    get,
    path = "/v1/records/{kind}",
    params(
        ("kind" = String, Path, description = "One of the kinds of docs/RECORDS.md"),
        After,
        ("DPoP" = Option<String>, Header, description = "Proof of the device (RFC 9449 shape), or"),
        ("Authorization" = Option<String>, Header, description = "`Bearer` and a token of `/v1/token`")
    ),
    responses((status = 200, body = RecordPage))
)]
pub async fn list(
    State(app): State<App>,
    asker: Asker,
    Path(kind): Path<String>,
    query: Result<Query<After>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Json<RecordPage>, ApiError> {
    let bad = |e: QueryRejection| ApiError::new(&headers, ErrorCode::BadRequest, e.body_text());
    let Query(After { after }) = query.map_err(bad)?;
    let kind: Kind = kind.parse().unwrap_or_else(|never: Infallible| match never {});
    if kind.spec().is_none() {
        return Err(ApiError::new(&headers, ErrorCode::NotFound, ""));
    }
    let account = asker.account();
    let found = app.storage.readable(asker.cells(), kind.clone(), after, PAGE).await;
    let found = found.map_err(|error| ApiError::internal(&headers, &error))?;
    let full = found.len() >= PAGE as usize;
    let next = found.last().map(|record| record.id).filter(|_| full);
    if matches!(kind, Kind::Household | Kind::HouseholdCheck) {
        // Nobody sees a household unless that stands in the log.
        let ids: Vec<String> = found.iter().map(|record| record.id.to_string()).collect();
        let done = Attribution::new(By::Account(account.id), app.env.now_s());
        let entry = done.entry(Act::HouseholdRead, Subject::Kind(kind.as_str().to_owned()));
        let entry = entry.with("count", ids.len()).with("ids", ids);
        let entry = entry.with("device", asker.device().id.to_string());
        let noted = app.storage.note(entry).await;
        noted.map_err(|error| ApiError::internal(&headers, &error))?;
    }
    let live = found.iter().filter(|r| deletion::state(r) != Deletion::Deleted);
    Ok(Json(RecordPage { records: live.map(RecordOut::of).collect(), next }))
}
