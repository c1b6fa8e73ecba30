//! `GET /console/v1/admin/standing`: the town in numbers, and what `yaoguan-town doctor` finds, in words with what
//! to do.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State as AppState;
use axum::http::HeaderMap;
use serde::Serialize;

use super::super::App;
use super::super::error::ApiError;
use super::super::language::{Lang, language};
use super::session::Admin;
use crate::doctor::{Check, words};
use crate::storage::Standing;

#[derive(Serialize, utoipa::ToSchema)]
pub struct Stands {
    town: String,
    address: String,
    demo: bool,
    accounts: u64,
    devices: u64,
    /// Devices that were here in the last seven days.
    active: u64,
    last_contact: Option<i64>,
    held: u64,
    recovered: u64,
    alarms: u64,
    /// By kind: how many there are, and how many went at the end of their retention.
    records: BTreeMap<String, u64>,
    purged: BTreeMap<String, u64>,
    /// Seconds since the server's last good backup.
    backup_age_s: Option<i64>,
    /// Requests that ended in a fault of the program since the start.
    panics: u64,
    checks: Vec<Looked>,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = LookedAt)]
struct Looked {
    name: &'static str,
    /// `ok`, `warn`, `bad`.
    state: &'static str,
    words: String,
    remedy: Option<String>,
}

impl Looked {
    fn of(check: &Check, zh: bool) -> Self {
        Self {
            name: check.name,
            state: check.state.as_str(),
            words: words::said(check, zh),
            remedy: words::remedy(check, zh),
        }
    }
}

/// How the town stands.
#[utoipa::path(get, path = "/console/v1/admin/standing", responses((status = 200, body = Stands)))]
pub async fn show(
    AppState(app): AppState<App>,
    _: Admin,
    headers: HeaderMap,
) -> Result<Json<Stands>, ApiError> {
    let fail = |error| ApiError::internal(&headers, &error);
    let now = app.env.now_s();
    let info = app.storage.info().await.map_err(fail)?;
    let standing: Standing = app.storage.standing(now).await.map_err(fail)?;
    let records = app.storage.counts().await.map_err(fail)?;
    let purged = app.storage.purged_counts().await.map_err(fail)?;
    let checks = match &app.setup {
        Some(setup) => Arc::clone(setup).examine(Arc::clone(&app.env)).await,
        None => Vec::new(),
    };
    let zh = language(&headers) == Lang::Zh;
    Ok(Json(Stands {
        town: info.name,
        address: info.address,
        demo: info.demo,
        accounts: standing.accounts,
        devices: standing.devices,
        active: standing.active,
        last_contact: standing.last_contact,
        held: standing.held,
        recovered: standing.recovered,
        alarms: standing.alarms,
        records,
        purged,
        backup_age_s: app.backups.as_ref().and_then(|backups| backups.age_s(now)),
        panics: app.edges.panics(),
        checks: checks.iter().map(|check| Looked::of(check, zh)).collect(),
    }))
}
