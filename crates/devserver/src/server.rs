//! Routes: `POST /api/COMMAND` with JSON, `GET /api/events`, and the built screens with a strict policy.

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path as Segment, Query, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::sse::{Event as Sent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use futures_util::{Stream, TryStreamExt as _};
use tokio_util::io::{StreamReader, SyncIoBridge};
use tower_http::services::{ServeDir, ServeFile};
use tower_http::set_header::SetResponseHeaderLayer;
use yaoguan_app::{Failure, Host, Picture};
use yaoguan_field::PhotoSize;
use yaoguan_field::media::MAX_SOURCE_BYTES;
use yaoguan_model::{BlobHash, RecordId};

/// Nothing from elsewhere, no inline script, no inline style.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
     connect-src 'self'; worker-src 'self' blob:; font-src 'self' data:; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'",
);

pub(crate) fn router(host: Arc<Host>, ui: &Path) -> Router {
    // The screens have one page; their addresses are its own.
    let files = ServeDir::new(ui).fallback(ServeFile::new(ui.join("index.html")));
    Router::new()
        .route("/api/events", get(events))
        .route("/api/photo", post(attach).layer(DefaultBodyLimit::max(MAX_SOURCE_BYTES)))
        .route("/photo/{hash}", get(photo))
        .route("/api/{command}", post(command))
        .route("/tiles/{zoom}/{x}/{y}", get(tile))
        .route("/tiles", put(install))
        .fallback_service(files)
        .layer(SetResponseHeaderLayer::overriding(header::CONTENT_SECURITY_POLICY, POLICY))
        .layer(SetResponseHeaderLayer::overriding(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ))
        .layer(from_fn(only_loopback))
        .with_state(host)
}

/// A page of the web that has a name resolve to 127.0.0.1 is turned away by its Host.
async fn only_loopback(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let name = host.map(|host| host.rsplit_once(':').map_or(host, |(name, _)| name));
    if matches!(name, Some("127.0.0.1" | "localhost")) {
        next.run(request).await
    } else {
        StatusCode::FORBIDDEN.into_response()
    }
}

async fn command(
    State(host): State<Arc<Host>>,
    Segment(command): Segment<String>,
    body: Bytes,
) -> Response {
    match yaoguan_app::run(host, command, body).await {
        Ok(value) => Json(value).into_response(),
        Err(failure) => answer(&failure),
    }
}

#[derive(serde::Deserialize)]
struct Target {
    id: RecordId,
}

/// A picture as the browser has it: the body is its bytes.
async fn attach(
    State(host): State<Arc<Host>>,
    Query(target): Query<Target>,
    body: Bytes,
) -> Response {
    match yaoguan_app::attach(host, target.id, Picture::Bytes(body.to_vec())).await {
        Ok(value) => Json(value).into_response(),
        Err(failure) => answer(&failure),
    }
}

#[derive(serde::Deserialize)]
struct Asked {
    size: PhotoSize,
}

/// A photo or thumbnail: what `photo://` gives in the shell.
async fn photo(
    State(host): State<Arc<Host>>,
    Segment(hash): Segment<BlobHash>,
    Query(asked): Query<Asked>,
) -> Response {
    match yaoguan_app::photo(host, hash, asked.size, 0..u64::MAX).await {
        Ok(part) => {
            let headers = [
                (header::CONTENT_TYPE, "image/jpeg"),
                // Nothing of it stays in the browser.
                (header::CACHE_CONTROL, "no-store"),
            ];
            (headers, part.bytes).into_response()
        }
        Err(failure) => answer(&failure),
    }
}

fn answer(failure: &Failure) -> Response {
    let status = match failure {
        Failure::InUse => StatusCode::CONFLICT,
        Failure::Field(_) => StatusCode::UNPROCESSABLE_ENTITY,
        Failure::Unknown => StatusCode::NOT_FOUND,
        Failure::Body(_) => StatusCode::BAD_REQUEST,
    };
    (status, Json(failure.to_json())).into_response()
}

async fn tile(
    State(host): State<Arc<Host>>,
    Segment((zoom, x, y)): Segment<(u8, u32, u32)>,
) -> Response {
    let found = tokio::task::spawn_blocking(move || host.map.tile(zoom, x, y)).await;
    match found {
        Ok(Ok(Some(tile))) => {
            ([(header::CONTENT_TYPE, tile.media_type)], tile.bytes).into_response()
        }
        Ok(_) | Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

/// The file chosen on the page; the shell hands in the file itself.
async fn install(State(host): State<Arc<Host>>, body: Body) -> Response {
    let install = move |mut file: SyncIoBridge<_>| host.map.install(&mut file);
    let stream = body.into_data_stream().map_err(std::io::Error::other);
    let file = SyncIoBridge::new(StreamReader::new(stream));
    let done = tokio::task::spawn_blocking(move || install(file)).await;
    match done {
        Ok(Ok(shown)) => Json(shown).into_response(),
        Ok(Err(error)) => answer(&Failure::Field(error)),
        Err(error) => answer(&Failure::Body(error.to_string())),
    }
}

async fn events(
    State(host): State<Arc<Host>>,
) -> Sse<impl Stream<Item = Result<Sent, Infallible>>> {
    let stream = futures_util::stream::unfold(host.listen(), |mut heard| async move {
        let event = heard.next().await?;
        Some((Ok(Sent::default().json_data(&event).unwrap_or_default()), heard))
    });
    Sse::new(stream).keep_alive(KeepAlive::default())
}
