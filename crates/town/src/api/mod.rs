//! The HTTP surface. Each route is a few lines over the crate's functions.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;
use yaoguan_model::Env;
use yaoguan_wire::limits::MAX_WIRE_BYTES;

use crate::backups::Backups;
use crate::storage::Storage;

mod answer;
mod asker;
mod enrol;
pub mod error;
mod health;
mod openapi;
mod password;
mod reconcile;
mod records;
mod sync;

pub use openapi::document;

/// A request may take this long.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// What every route has.
#[derive(Clone)]
pub struct App {
    pub storage: Arc<dyn Storage>,
    pub env: Arc<dyn Env>,
    /// The backups that the server makes by itself.
    pub backups: Option<Arc<Backups>>,
}

/// The whole surface.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/v1/sync", post(sync::sync))
        .route("/v1/reconcile", post(reconcile::reconcile))
        .route("/v1/enrol", post(enrol::enrol))
        .route("/v1/password", post(password::set))
        .route("/v1/records/{kind}", get(records::list))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/api/openapi.json", get(openapi::json))
        .fallback(error::not_found)
        .layer(DefaultBodyLimit::max(MAX_WIRE_BYTES))
        .layer(CatchPanicLayer::custom(error::panicked))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, REQUEST_TIMEOUT))
        .layer(axum::middleware::from_fn(error::in_json))
        // Paths hold no personal content; bodies and headers are never logged.
        .layer(TraceLayer::new_for_http())
        .with_state(app)
}
