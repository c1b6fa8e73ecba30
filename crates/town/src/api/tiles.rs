//! `GET /v1/tiles`: what map the town has for its phones, and the file by its hash. Immutable: its name is its
//! content. Everybody enrolled has it; there is nothing of people in it.

use std::io::SeekFrom;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Response, StatusCode, header};
use futures_util::stream;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use yaoguan_model::BlobHash;
use yaoguan_model::position::PER_DEGREE;
use yaoguan_wire::{ErrorCode, TilesNews};

use super::App;
use super::asker::Asker;
use super::blobs::{content_range, is_held, range_asked};
use super::error::ApiError;
use crate::error::TownError;

/// Read from the file at once.
const PIECE_BYTES: u64 = 256 * 1024;

/// The map that phones fetch where bytes cost nothing.
#[utoipa::path(
    get,
    path = "/v1/tiles",
    params(
        ("DPoP" = Option<String>, Header, description = "Proof of the device (RFC 9449 shape), or"),
        ("Authorization" = Option<String>, Header, description = "`Bearer` and a token of `/v1/token`")
    ),
    responses((status = 200, description = "Hash, size in bytes, bounds in 1e-7 degrees", body = Object))
)]
pub async fn about(
    State(app): State<App>,
    _: Asker,
    headers: HeaderMap,
) -> Result<Json<TilesNews>, ApiError> {
    let found = app.storage.published_tiles().await;
    let found = found.map_err(|error| ApiError::internal(&headers, &error))?;
    let tiles = found.ok_or_else(|| ApiError::new(&headers, ErrorCode::NotFound, ""))?;
    let bounds = tiles.about.bounds.map(|degrees| (degrees * PER_DEGREE).round() as i64);
    Ok(Json(TilesNews { hash: tiles.hash, size: tiles.size, bounds }))
}

/// The file. Takes `Range` with one range and `If-None-Match`.
#[utoipa::path(
    get,
    path = "/v1/tiles/{hash}",
    params(
        ("hash" = String, Path, description = "SHA-256 of the file, 64 hexadecimal digits"),
        ("Range" = Option<String>, Header, description = "One range of bytes"),
        ("DPoP" = Option<String>, Header, description = "Proof of the device (RFC 9449 shape), or"),
        ("Authorization" = Option<String>, Header, description = "`Bearer` and a token of `/v1/token`")
    ),
    responses(
        (status = 200, description = "A PMTiles file", content_type = "application/vnd.pmtiles"),
        (status = 206, description = "The range"),
        (status = 304, description = "As the asker has it")
    )
)]
pub async fn read(
    State(app): State<App>,
    _: Asker,
    Path(hash): Path<String>,
    headers: HeaderMap,
) -> Result<Response<Body>, ApiError> {
    let fail = |error: TownError| ApiError::internal(&headers, &error);
    let missing = || ApiError::new(&headers, ErrorCode::NotFound, "");
    let hash: BlobHash = hash.parse().map_err(|_| missing())?;
    let published = app.storage.published_tiles().await.map_err(fail)?;
    let tiles = published.filter(|tiles| tiles.hash == hash).ok_or_else(missing)?;
    let etag = format!("\"{hash}\"");
    if is_held(&headers, &etag) {
        return answer(&etag, StatusCode::NOT_MODIFIED, None, Body::empty()).map_err(fail);
    }
    let part = range_asked(&headers, tiles.size)?;
    let file = app.tiles.file(hash).map_err(fail)?.ok_or_else(missing)?;
    let mut file = tokio::fs::File::from_std(file);
    let range = part.clone().unwrap_or(0..tiles.size);
    let sought = file.seek(SeekFrom::Start(range.start)).await;
    sought.map_err(|error| fail(error.into()))?;
    let body = Body::from_stream(pieces(file, range.end - range.start));
    let status = if part.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    let part = part.map(|range| content_range(&range, tiles.size));
    answer(&etag, status, part, body).map_err(fail)
}

/// So many bytes of a file, piece by piece.
fn pieces(
    file: tokio::fs::File,
    left: u64,
) -> impl futures_util::Stream<Item = std::io::Result<Bytes>> {
    stream::try_unfold((file, left), async |(mut file, left)| {
        let wanted = usize::try_from(left.min(PIECE_BYTES)).unwrap_or(0);
        if wanted == 0 {
            return Ok(None);
        }
        let mut piece = vec![0; wanted];
        file.read_exact(&mut piece).await?;
        Ok(Some((Bytes::from(piece), (file, left - wanted as u64))))
    })
}

fn answer(
    etag: &str,
    status: StatusCode,
    content_range: Option<String>,
    body: Body,
) -> Result<Response<Body>, TownError> {
    let mut response = Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/vnd.pmtiles")
        .header(header::ETAG, etag)
        .header(header::CACHE_CONTROL, "private, max-age=31536000, immutable")
        .header(header::ACCEPT_RANGES, "bytes")
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    if let Some(range) = content_range {
        response = response.header(header::CONTENT_RANGE, range);
    }
    response.body(body).map_err(|error| TownError::Io(std::io::Error::other(error)))
}
