//! The HTTP surface. Each route is a few lines over the crate's functions; all of them stand in
//! [`routes::ROUTES`].

use std::any::Any;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Response, StatusCode};
use axum::middleware::{from_fn, from_fn_with_state};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::trace::TraceLayer;
use yaoguan_model::Env;

use crate::backups::Backups;
use crate::blobs::Kept;
use crate::data::Town;
use crate::doctor::Setup;
use crate::storage::Storage;
use crate::tiles::Folder as Tiles;

mod answer;
mod aside;
mod asker;
mod blobs;
mod bucket;
pub(crate) mod console;
pub mod edges;
mod enrol;
pub mod error;
mod health;
mod language;
mod missing;
pub mod ogc;
mod openapi;
mod password;
mod reconcile;
mod records;
pub mod routes;
mod sent;
mod sync;
mod tiles;
mod token;
mod uploads;

pub use asker::Asker;
pub use openapi::document;

/// What every route has.
#[derive(Clone)]
pub struct App {
    pub storage: Arc<dyn Storage>,
    pub env: Arc<dyn Env>,
    /// The backups that the server makes by itself.
    pub backups: Option<Arc<Backups>>,
    pub edges: Arc<edges::Edges>,
    /// The pages of the console.
    pub console: Arc<console::files::Files>,
    pub blobs: Kept,
    /// The map that phones fetch.
    pub tiles: Tiles,
    /// How the town is set up; none: it cannot be looked at.
    pub setup: Option<Arc<Setup>>,
}

impl App {
    pub fn of(town: &Town, env: Arc<dyn Env>) -> Self {
        let storage = Arc::new(town.storage.clone());
        Self::over(storage, env, town.blobs.clone(), town.tiles.clone())
    }

    /// Over any storage.
    pub fn over(storage: Arc<dyn Storage>, env: Arc<dyn Env>, blobs: Kept, tiles: Tiles) -> Self {
        let (edges, console) = (Arc::default(), Arc::default());
        Self { storage, env, backups: None, edges, console, blobs, tiles, setup: None }
    }
}

/// The whole surface.
pub fn router(app: App) -> Router {
    guarded(routes::routes(), app)
}

/// Puts before the routes what stands before all of them. The last layer is the outermost.
fn guarded(routes: Router<App>, app: App) -> Router {
    let panics = Arc::clone(&app.edges);
    // A panic in a handler is counted and logged, and the town goes on. `in_json` gives it words.
    let panicked = move |_: Box<dyn Any + Send + 'static>| {
        panics.count_panic();
        tracing::error!("a handler panicked");
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    };
    routes
        .fallback(error::not_found)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(edges::in_time))
        .layer(from_fn_with_state(app.clone(), edges::by_address))
        .layer(from_fn(error::in_json))
        .layer(from_fn(console::guarded))
        // Paths hold no personal content; bodies and headers are never logged.
        .layer(TraceLayer::new_for_http())
        .with_state(app)
}

#[cfg(test)]
mod tests;
