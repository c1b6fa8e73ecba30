//! `/ogc`: hazards and patrols for maps, as *OGC API – Features, Part 1: Core* (OGC 17-069r4, version 1.0.1)
//! with GeoJSON, so that GDAL and QGIS read them. Scope is the asker's; nothing can be written.
//!
//! Landing page, conformance and description tell nothing of the town and ask for no token.

pub mod collections;
pub mod items;
mod query;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::App;
use super::error::ApiError;
use super::openapi;

const ROOT: &str = "/ogc";
const JSON: &str = "application/json";
const OPENAPI: &str = "application/vnd.oai.openapi+json;version=3.1";
/// What is claimed: nothing beyond the core.
const CONFORMANCE: [&str; 2] = [
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
];

/// Where the asker reached the town: by its own name for it, and over what the town's address says.
async fn base(app: &App, uri: &Uri, headers: &HeaderMap) -> Result<String, ApiError> {
    let info = app.storage.info().await;
    let address = info.map_err(|error| ApiError::internal(headers, &error))?.address;
    let (scheme, known) = address.split_once("://").unwrap_or(("https", &address));
    let host = uri.authority().map(|authority| authority.as_str());
    let host = host.or_else(|| headers.get(header::HOST).and_then(|value| value.to_str().ok()));
    Ok(format!("{scheme}://{}{ROOT}", host.unwrap_or(known)))
}

fn link(rel: &str, kind: &str, href: String) -> Value {
    json!({ "rel": rel, "type": kind, "href": href })
}

/// Where everything is.
#[utoipa::path(get, path = "/ogc", responses((status = 200, description = "Links", body = Object)))]
pub async fn landing(
    State(app): State<App>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Json<Value>, ApiError> {
    let base = base(&app, &uri, &headers).await?;
    let links = [
        link("self", JSON, base.clone()),
        link("service-desc", OPENAPI, format!("{base}/api")),
        link("conformance", JSON, format!("{base}/conformance")),
        link("data", JSON, format!("{base}/collections")),
    ];
    Ok(Json(json!({ "links": links })))
}

/// Which parts of the standard hold.
#[utoipa::path(
    get,
    path = "/ogc/conformance",
    responses((status = 200, description = "URIs of conformance classes", body = Object))
)]
pub async fn conformance() -> Json<Value> {
    Json(json!({ "conformsTo": CONFORMANCE }))
}

/// The description of these routes.
#[utoipa::path(
    get,
    path = "/ogc/api",
    responses((
        status = 200,
        description = "An OpenAPI document",
        content_type = "application/vnd.oai.openapi+json;version=3.1",
        body = Object
    ))
)]
pub async fn api() -> Response {
    let mut document = openapi::document();
    document.paths.paths.retain(|path, _| path.starts_with(ROOT));
    ([(header::CONTENT_TYPE, OPENAPI)], Json(document)).into_response()
}
