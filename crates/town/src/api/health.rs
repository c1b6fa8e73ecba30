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
    let (database_writable, feed_moving) = match app.storage.health(app.env.now_s()).await {
        Ok(health) => (health.writable, health.feed_moves),
        Err(error) => {
            tracing::error!(%error, "not ready");
            (false, false)
        }
    };
    let good = database_writable && feed_moving;
    let status = if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Ready { database_writable, feed_moving, panics: app.edges.panics() }))
}
