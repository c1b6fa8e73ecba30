//! Photos at the console: which of a record's have arrived, and their bytes, whole or small.

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use serde::{Deserialize, Serialize};
use yaoguan_media::MediaType;
use yaoguan_model::blob::PHOTOS;
use yaoguan_model::{BlobHash, Kind, Record, RecordId, Value};
use yaoguan_wire::ErrorCode;

use super::super::App;
use super::super::blobs::{self, File};
use super::super::error::ApiError;
use super::inbox::cells_of;
use super::session::Session;
use crate::audit::{Act, Attribution, By, Subject};

/// The photos that a record refers to, in the order of its registers.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Photos {
    photos: Vec<PhotoOut>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct PhotoOut {
    hash: String,
    /// The small picture that the phone made.
    thumb: Option<String>,
    /// The register that refers to it: `photos`, `rectification`, `answers.<item>`.
    of: String,
    caption: String,
    taken_at: Option<i64>,
    /// Its bytes are here.
    received: bool,
    thumb_received: bool,
}

fn photos(record: &Record, received: impl Fn(&BlobHash) -> bool) -> Vec<PhotoOut> {
    let is_here = |text: &str| text.parse::<BlobHash>().is_ok_and(|hash| received(&hash));
    let photo = |of: &str, hash: &str, about: Option<&Value>| {
        let text = |key: &str| about.and_then(|value| value.get(key)?.as_text());
        let thumb = text("thumb").map(str::to_owned);
        PhotoOut {
            hash: hash.to_owned(),
            of: of.to_owned(),
            caption: text("caption").unwrap_or_default().to_owned(),
            taken_at: about.and_then(|value| value.get("taken_at")?.as_int()),
            received: is_here(hash),
            thumb_received: thumb.as_deref().is_some_and(is_here),
            thumb,
        }
    };
    let mut found: Vec<PhotoOut> =
        record.elements(PHOTOS).map(|(hash, about)| photo(PHOTOS, hash, Some(about))).collect();
    let mut listed = |of: &str, value: &Value| {
        let hashes = value.get(PHOTOS).and_then(Value::as_list).unwrap_or_default();
        found.extend(hashes.iter().filter_map(Value::as_text).map(|hash| photo(of, hash, None)));
    };
    if let Some(value) = record.shown("rectification") {
        listed("rectification", value);
    }
    for (item, value) in record.elements("answers") {
        listed(&format!("answers.{item}"), value);
    }
    found
}

/// Which photos a record refers to, and which of them have arrived.
#[utoipa::path(
    get,
    path = "/console/v1/records/{id}/photos",
    params(("id" = String, Path, description = "The record")),
    responses((status = 200, body = Photos))
)]
pub async fn list(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Photos>, ApiError> {
    let not_found = || ApiError::new(&headers, ErrorCode::NotFound, "");
    let internal = |error| ApiError::internal(&headers, &error);
    let id: RecordId = id.parse().map_err(|_| not_found())?;
    let found = app.storage.with_files(cells_of(&session.account), id).await.map_err(internal)?;
    let (record, arrived) = found.ok_or_else(not_found)?;
    if matches!(record.kind, Kind::Household | Kind::HouseholdCheck) {
        // Nobody sees a household unless that stands in the log.
        let done = Attribution::new(By::Account(session.account.id), app.env.now_s());
        let entry = done.entry(Act::HouseholdRead, Subject::Record(id));
        app.storage.note(entry).await.map_err(internal)?;
    }
    Ok(Json(Photos { photos: photos(&record, |hash| arrived.contains(hash)) }))
}

/// How large a photo is wanted.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum Size {
    #[default]
    Full,
    /// At most 320 pixels a side, made by the town.
    Thumb,
}

#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(default)]
pub struct Wanted {
    /// `full` or `thumb`.
    #[param(value_type = String)]
    size: Size,
}

/// A file that a record in the session's scope refers to. Takes `Range` with one range and `If-None-Match`.
#[utoipa::path(
    get,
    path = "/console/v1/blobs/{hash}",
    params(
        ("hash" = String, Path, description = "SHA-256 of the bytes, 64 hexadecimal digits"),
        Wanted
    ),
    responses(
        (status = 200, description = "The bytes", content_type = "application/octet-stream"),
        (status = 206, description = "The range"),
        (status = 304, description = "As the asker has it")
    )
)]
pub async fn read(
    State(app): State<App>,
    session: Session,
    Path(hash): Path<String>,
    query: Result<Query<Wanted>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response<Body>, ApiError> {
    let bad = |e: QueryRejection| ApiError::new(&headers, ErrorCode::BadRequest, e.body_text());
    let Query(Wanted { size }) = query.map_err(bad)?;
    let account = &session.account;
    let file = blobs::find(&app, &headers, account, &hash).await?;
    let small = size == Size::Thumb && file.about.media_type == MediaType::Jpeg;
    if !small && blobs::is_held(&headers, &file.etag()) {
        return Ok(shown(&file, file.unchanged(&headers)?));
    }
    let range = file.asked(&headers)?;
    file.note(&app, &headers, account.id, None).await?;
    let response = match small {
        false => file.send(&app, &headers, range).await?,
        true => thumbnail(&app, &headers, &file).await?,
    };
    Ok(shown(&file, response))
}

async fn thumbnail(
    app: &App,
    headers: &HeaderMap,
    file: &File,
) -> Result<Response<Body>, ApiError> {
    let bytes = file.bytes(app, headers, 0..file.about.size).await?;
    // On the one thread for large things: a picture is in memory as pixels meanwhile.
    let made = app.edges.aside.run(move || yaoguan_media::thumbnail(&bytes)).await;
    // A picture that does not decode was taken for its frame alone, and shows nothing.
    let made = made.and_then(Result::ok);
    let made = made.ok_or_else(|| ApiError::new(headers, ErrorCode::NotFound, ""))?;
    let mut response = file.answer(headers, StatusCode::OK, Body::from(made.jpeg))?;
    response.headers_mut().remove(header::ETAG);
    response.headers_mut().remove(header::ACCEPT_RANGES);
    Ok(response)
}

/// Photos are shown in the page, other files are saved.
fn shown(file: &File, mut response: Response<Body>) -> Response<Body> {
    if file.about.media_type == MediaType::Jpeg {
        let name = format!("inline; filename=\"{}.jpg\"", file.hash);
        if let Ok(value) = HeaderValue::from_str(&name) {
            response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
        }
    }
    response
}
