//! `/ogc/collections`: what there is, and where it lies as far as the asker reads it.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};
use chrono::{DateTime, SecondsFormat};
use serde_json::{Value, json};
use yaoguan_exchange::export::fixed;
use yaoguan_wire::ErrorCode;

use super::super::App;
use super::super::asker::Asker;
use super::super::error::ApiError;
use super::items::GEO_JSON;
use super::{JSON, base, link};
use crate::storage::features::{Collection, Extent};

/// WGS-84, longitude first.
const CRS84: &str = "http://www.opengis.net/def/crs/OGC/1.3/CRS84";
const GREGORIAN: &str = "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian";
const DEGREE_DECIMALS: usize = 7;

/// All collections.
#[utoipa::path(
    get,
    path = "/ogc/collections",
    params(("Authorization" = Option<String>, Header, description = "`Bearer` and a token of `/v1/token`")),
    responses((status = 200, description = "Collections", body = Object))
)]
pub async fn list(
    State(app): State<App>,
    asker: Asker,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Json<Value>, ApiError> {
    let base = base(&app, &uri, &headers).await?;
    let mut collections = Vec::new();
    for collection in Collection::ALL {
        collections.push(described(&app, &asker, &headers, &base, collection).await?);
    }
    let links = [link("self", JSON, format!("{base}/collections"))];
    Ok(Json(json!({ "links": links, "collections": collections })))
}

/// One collection.
#[utoipa::path(
    get,
    path = "/ogc/collections/{collection}",
    params(
        ("collection" = String, Path, description = "`hazards` or `patrol_lines`"),
        ("Authorization" = Option<String>, Header, description = "`Bearer` and a token of `/v1/token`")
    ),
    responses((status = 200, description = "The collection", body = Object))
)]
pub async fn show(
    State(app): State<App>,
    asker: Asker,
    uri: Uri,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, ApiError> {
    let collection = Collection::of(&name);
    let collection = collection.ok_or_else(|| ApiError::new(&headers, ErrorCode::NotFound, ""))?;
    let base = base(&app, &uri, &headers).await?;
    Ok(Json(described(&app, &asker, &headers, &base, collection).await?))
}

async fn described(
    app: &App,
    asker: &Asker,
    headers: &HeaderMap,
    base: &str,
    collection: Collection,
) -> Result<Value, ApiError> {
    let extent = app.storage.extent(asker.cells(), collection).await;
    let extent = extent.map_err(|error| ApiError::internal(headers, &error))?;
    let id = collection.as_str();
    let links = [
        link("self", JSON, format!("{base}/collections/{id}")),
        link("items", GEO_JSON, format!("{base}/collections/{id}/items")),
    ];
    let mut described = json!({
        "id": id, "itemType": "feature", "crs": [CRS84], "storageCrs": CRS84, "links": links,
    });
    if let (Some(extent), Some(described)) = (extent, described.as_object_mut()) {
        described.insert("extent".to_owned(), spread(&extent));
    }
    Ok(described)
}

fn spread(extent: &Extent) -> Value {
    let bounds = extent.bounds;
    let degrees = |e7| fixed(e7, DEGREE_DECIMALS).parse::<f64>().unwrap_or_default();
    let edges = [bounds.west, bounds.south, bounds.east, bounds.north].map(degrees);
    let times = [extent.begins, extent.ends].map(|seconds| {
        let time = DateTime::from_timestamp(seconds, 0);
        time.map(|time| time.to_rfc3339_opts(SecondsFormat::Secs, true))
    });
    json!({
        "spatial": { "bbox": [edges], "crs": CRS84 },
        "temporal": { "interval": [times], "trs": GREGORIAN },
    })
}
