//! `/healthz`: the process runs. `/readyz`: it can do its work.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;

use super::App;

/// How the town stands.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Ready {
    /// A write was committed just now.
    database_writable: bool,
    /// The feed stands where its counter says.
    feed_moving: bool,
    /// Seconds since the server's last good backup; none before the first.
    backup_age_s: Option<i64>,
    /// What somebody should look at: `backup_off`, `backup_missing`, `backup_old`, `backup_failed`.
    warnings: Vec<&'static str>,
    /// Requests that ended in a panic since the start: each is a fault of the program.
    panics: u64,
}

/// The process runs.
#[utoipa::path(get, path = "/healthz", responses((status = 200, description = "The process runs")))]
pub async fn alive() -> &'static str {
    "ok"
}

/// Database writable, feed moving.
#[utoipa::path(
    get,
    path = "/readyz",
    responses((status = 200, body = Ready), (status = 503, description = "Cannot do its work", body = Ready))
)]
pub async fn ready(State(app): State<App>) -> (StatusCode, Json<Ready>) {
    let now = app.env.now_s();
    let (database_writable, feed_moving) = match app.storage.health(now).await {
        Ok(health) => (health.writable, health.feed_moves),
        Err(error) => {
            tracing::error!(%error, "not ready");
            (false, false)
        }
    };
    let good = database_writable && feed_moving;
    let status = if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let (backup_age_s, warnings) = match &app.backups {
        Some(backups) => (backups.age_s(now), backups.warnings(now)),
        None => (None, vec!["backup_off"]),
    };
    let panics = app.edges.panics();
    (status, Json(Ready { database_writable, feed_moving, backup_age_s, warnings, panics }))
}
