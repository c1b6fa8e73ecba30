//! The map that phones fetch, at the console: an administrator sends a PMTiles file, looks at what it is, and
//! publishes it. The console's own maps draw it too.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, Response, header};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use yaoguan_model::BlobHash;
use yaoguan_wire::ErrorCode;
use yaoguan_wire::limits::MAX_SMALL_BYTES;

use super::super::App;
use super::super::edges::TILES_TIMEOUT;
use super::super::error::ApiError;
use super::super::sent::{Sent, next_bytes, read};
use super::session::{Admin, SignedIn};
use crate::error::TownError;
use crate::storage::tiles::{AboutTiles, Published};
use crate::tiles::{MAX_TILES_BYTES, NotTaken, Received};

/// The map in force.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Tiles {
    tiles: Option<Shown>,
    /// The largest file, in bytes.
    max_bytes: u64,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct Shown {
    hash: String,
    size: u64,
    #[serde(flatten)]
    about: AboutTiles,
    /// None: it was only received.
    published_at: Option<i64>,
}

impl Shown {
    fn of(tiles: Published) -> Self {
        let Published { hash, size, about, published_at } = tiles;
        Self { hash: hash.to_string(), size, about, published_at: Some(published_at) }
    }
}

/// The map in force, if there is one.
#[utoipa::path(get, path = "/console/v1/tiles", responses((status = 200, body = Tiles)))]
pub async fn about(
    State(app): State<App>,
    _: SignedIn,
    headers: HeaderMap,
) -> Result<Json<Tiles>, ApiError> {
    let found = app.storage.published_tiles().await;
    let found = found.map_err(|error| ApiError::internal(&headers, &error))?;
    Ok(Json(Tiles { tiles: found.map(Shown::of), max_bytes: MAX_TILES_BYTES }))
}

/// One tile of it.
#[utoipa::path(
    get,
    path = "/console/v1/tiles/{hash}/{zoom}/{x}/{y}",
    params(
        ("hash" = String, Path, description = "The file's"),
        ("zoom" = u8, Path, description = "Level"),
        ("x" = u32, Path, description = "Column"),
        ("y" = u32, Path, description = "Row")
    ),
    responses((status = 200, description = "A tile, unpacked"))
)]
pub async fn tile(
    State(app): State<App>,
    _: SignedIn,
    Path((hash, zoom, x, y)): Path<(String, String, String, String)>,
    headers: HeaderMap,
) -> Result<Response<Body>, ApiError> {
    let fail = |error: TownError| ApiError::internal(&headers, &error);
    let missing = || ApiError::new(&headers, ErrorCode::NotFound, "");
    let hash: BlobHash = hash.parse().map_err(|_| missing())?;
    let (Ok(zoom), Ok(x), Ok(y)) = (zoom.parse(), x.parse(), y.parse()) else {
        return Err(missing());
    };
    let published = app.storage.published_tiles().await.map_err(fail)?;
    published.filter(|tiles| tiles.hash == hash).ok_or_else(missing)?;
    let folder = app.tiles.clone();
    let found = tokio::task::spawn_blocking(move || folder.archive(hash)?.tile(zoom, x, y).ok()?);
    let tile = found.await.ok().flatten().ok_or_else(missing)?;
    Response::builder()
        .header(header::CONTENT_TYPE, tile.media_type)
        .header(header::CACHE_CONTROL, "private, max-age=31536000, immutable")
        .body(Body::from(tile.bytes))
        .map_err(|error| fail(TownError::Io(std::io::Error::other(error))))
}

/// Receives a file, which is not published by that.
#[utoipa::path(
    post,
    path = "/console/v1/admin/tiles",
    request_body(content = Vec<u8>, content_type = "application/vnd.pmtiles"),
    responses((status = 200, body = Shown))
)]
pub async fn receive(
    State(app): State<App>,
    _: Admin,
    headers: HeaderMap,
    request: Request,
) -> Result<Json<Shown>, ApiError> {
    let taken = |error| not_taken(&headers, error);
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let declared = declared.and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    if declared > MAX_TILES_BYTES {
        return Err(taken(NotTaken::TooLarge));
    }
    let mut body = request.into_body();
    let mut incoming = app.tiles.begin(&app.env.new_record_id().to_string()).map_err(taken)?;
    let until = Instant::now() + TILES_TIMEOUT;
    while let Some(bytes) = next_bytes(&mut body, &headers, until).await? {
        // Pieces are as small as a connection's buffers: the disk takes them at once.
        incoming.append(&bytes).map_err(taken)?;
    }
    let finished = tokio::task::spawn_blocking(move || incoming.finish()).await;
    let finished = finished.map_err(|_| ApiError::new(&headers, ErrorCode::Internal, ""))?;
    let Received { hash, size, about } = finished.map_err(taken)?;
    let published = app.storage.published_tiles().await;
    let published = published.map_err(|error| ApiError::internal(&headers, &error))?;
    let in_force = published.map(|tiles| tiles.hash);
    let kept: Vec<BlobHash> = in_force.into_iter().chain([hash]).collect();
    app.tiles.keep(&kept).map_err(|error| ApiError::internal(&headers, &error))?;
    Ok(Json(Shown { hash: hash.to_string(), size, about, published_at: None }))
}

fn not_taken(headers: &HeaderMap, error: NotTaken) -> ApiError {
    let words = error.to_string();
    match error {
        NotTaken::TooLarge => ApiError::new(headers, ErrorCode::TooLarge, words),
        NotTaken::Unfit(_) => ApiError::not_done(headers, "tiles_unfit", words),
        NotTaken::Elsewhere(_) => ApiError::not_done(headers, "tiles_elsewhere", words),
        NotTaken::Town(error) => ApiError::internal(headers, &error),
    }
}

/// What is to become of a file.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct ActOnTiles {
    act: TilesAct,
    reason: String,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum TilesAct {
    Publish,
    /// Phones keep what they have.
    Remove,
}

/// Publishes a file that was received, or takes the one in force away.
#[utoipa::path(
    post,
    path = "/console/v1/admin/tiles/{hash}",
    params(("hash" = String, Path, description = "The file's")),
    request_body = ActOnTiles,
    responses((status = 200, body = Tiles))
)]
pub async fn publish(
    State(app): State<App>,
    Admin(session): Admin,
    Path(hash): Path<String>,
    headers: HeaderMap,
    sent: Sent,
) -> Result<Json<Tiles>, ApiError> {
    sent.at_most(&headers, MAX_SMALL_BYTES)?;
    let ActOnTiles { act, reason } = read::<ActOnTiles>(&app, &headers, &sent).await?.message;
    let fail = |error: TownError| ApiError::internal(&headers, &error);
    let missing = || ApiError::new(&headers, ErrorCode::NotFound, "");
    let hash: BlobHash = hash.parse().map_err(|_| missing())?;
    let received = app.tiles.received(hash).map_err(|error| not_taken(&headers, error))?;
    let Received { hash, size, about } = received.ok_or_else(missing)?;
    let done = session.done_with_care(&app, &headers, &reason).await?;
    let tiles = match act {
        TilesAct::Publish => Some(Published { hash, size, about, published_at: done.at }),
        TilesAct::Remove => None,
    };
    app.storage.publish_tiles(tiles.clone(), done).await.map_err(fail)?;
    let kept: Vec<BlobHash> = tiles.iter().map(|tiles| tiles.hash).collect();
    app.tiles.keep(&kept).map_err(fail)?;
    Ok(Json(Tiles { tiles: tiles.map(Shown::of), max_bytes: MAX_TILES_BYTES }))
}
