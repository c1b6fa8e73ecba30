//! `/ogc/collections/{collection}/items`: features in the order of their ids, page by page.
//!
//! The `next` link goes on behind the last id, so that a feature that comes in meanwhile neither hides nor
//! repeats another.

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, Response, Uri, header};
use chrono::{DateTime, SecondsFormat};
use serde_json::Value;
use yaoguan_exchange::export::Features;
use yaoguan_model::RecordId;
use yaoguan_wire::ErrorCode;

use super::super::App;
use super::super::asker::Asker;
use super::super::error::ApiError;
use super::query::{Wanted, without};
use super::{JSON, base, link};
use crate::error::TownError;
use crate::storage::features::{Collection, FeatureAsk, FeaturePage};

pub(super) const GEO_JSON: &str = "application/geo+json";

/// A page of features within the asker's scope.
#[utoipa::path(
    get,
    path = "/ogc/collections/{collection}/items",
    params(
        ("collection" = String, Path, description = "`hazards` or `patrol_lines`"),
        Wanted,
        ("Authorization" = Option<String>, Header, description = "`Bearer` and a token of `/v1/token`")
    ),
    responses((status = 200, description = "A FeatureCollection", content_type = "application/geo+json"))
)]
pub async fn list(
    State(app): State<App>,
    asker: Asker,
    uri: Uri,
    Path(name): Path<String>,
    query: Result<Query<Wanted>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response<Body>, ApiError> {
    let bad = |detail: String| ApiError::new(&headers, ErrorCode::BadRequest, detail);
    let internal = |error| ApiError::internal(&headers, &error);
    let collection = Collection::of(&name);
    let collection = collection.ok_or_else(|| ApiError::new(&headers, ErrorCode::NotFound, ""))?;
    let Query(wanted) = query.map_err(|error| bad(error.body_text()))?;
    let (from, until) = wanted.times().ok_or_else(|| bad("datetime".to_owned()))?;
    let ask = FeatureAsk {
        cells: asker.cells(),
        collection,
        bounds: wanted.bounds().ok_or_else(|| bad("bbox".to_owned()))?,
        from,
        until,
        after: wanted.after,
        offset: wanted.offset,
        limit: wanted.limit().ok_or_else(|| bad("limit".to_owned()))?,
    };
    let page = app.storage.features(ask).await.map_err(internal)?;
    let own = base(&app, &uri, &headers).await?;
    let own = format!("{own}/collections/{name}/items");
    let said = uri.query().unwrap_or_default();
    let mut links = vec![link("self", GEO_JSON, joined(&own, said))];
    if let Some(last) = page.records.last().filter(|_| page.more) {
        let rest = without(said, &["after", "offset"]);
        let after = format!("after={}", last.id);
        let next = if rest.is_empty() { after } else { format!("{rest}&{after}") };
        links.push(link("next", GEO_JSON, joined(&own, &next)));
    }
    let now = app.env.now_s();
    let body = collected(collection, &page, &Value::Array(links), now).map_err(internal)?;
    answer(&headers, body)
}

fn joined(path: &str, query: &str) -> String {
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

fn collected(
    collection: Collection,
    page: &FeaturePage,
    links: &Value,
    now: i64,
) -> Result<String, TownError> {
    let failed = |error| TownError::Io(std::io::Error::other(error));
    let features = Features::of(&collection.kind()).map_err(failed)?;
    let mut body = String::from("{\"type\":\"FeatureCollection\",\"features\":[");
    for (n, record) in page.records.iter().enumerate() {
        body.push_str(if n == 0 { "\n" } else { ",\n" });
        body.push_str(&features.feature(record, "").map_err(failed)?);
    }
    let (matched, returned) = (page.matched, page.records.len());
    let time = DateTime::from_timestamp(now, 0).unwrap_or_default();
    let time = time.to_rfc3339_opts(SecondsFormat::Secs, true);
    body.push_str(&format!(
        "\n],\"links\":{links},\"numberMatched\":{matched},\"numberReturned\":{returned},\
         \"timeStamp\":\"{time}\"}}\n"
    ));
    Ok(body)
}

/// One feature.
#[utoipa::path(
    get,
    path = "/ogc/collections/{collection}/items/{id}",
    params(
        ("collection" = String, Path, description = "`hazards` or `patrol_lines`"),
        ("id" = String, Path, description = "The record"),
        ("Authorization" = Option<String>, Header, description = "`Bearer` and a token of `/v1/token`")
    ),
    responses((status = 200, description = "A Feature", content_type = "application/geo+json"))
)]
pub async fn show(
    State(app): State<App>,
    asker: Asker,
    uri: Uri,
    Path((name, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response<Body>, ApiError> {
    let missing = || ApiError::new(&headers, ErrorCode::NotFound, "");
    let internal = |error| ApiError::internal(&headers, &error);
    let collection = Collection::of(&name).ok_or_else(missing)?;
    let id: RecordId = id.parse().map_err(|_| missing())?;
    let found = app.storage.feature(asker.cells(), collection, id).await.map_err(internal)?;
    let record = found.ok_or_else(missing)?;
    let own = format!("{}/collections/{name}", base(&app, &uri, &headers).await?);
    let links = Value::Array(vec![
        link("self", GEO_JSON, format!("{own}/items/{id}")),
        link("collection", JSON, own),
    ]);
    let failed = |error| internal(TownError::Io(std::io::Error::other(error)));
    let features = Features::of(&collection.kind()).map_err(failed)?;
    let body = features.feature(&record, &format!(",\"links\":{links}")).map_err(failed)?;
    answer(&headers, body)
}

fn answer(headers: &HeaderMap, body: String) -> Result<Response<Body>, ApiError> {
    let response = Response::builder().header(header::CONTENT_TYPE, GEO_JSON).body(body.into());
    let failed = |error| TownError::Io(std::io::Error::other(error));
    response.map_err(failed).map_err(|error| ApiError::internal(headers, &error))
}
