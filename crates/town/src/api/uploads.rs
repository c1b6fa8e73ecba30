//! `/v1/blobs`: uploads by tus 1.0.0 (tus.io/protocols/resumable-upload) with creation, checksum, expiration
//! and termination, so that standard clients work.
//!
//! `Upload-Metadata` names the file's SHA-256 (`sha256`, 64 hexadecimal digits); whatever else stands there is
//! not looked at. A proof of the device is made over method and URL, with the hash of an empty body: the body
//! vouches for itself by its SHA-256. Bytes that arrived stay when the line breaks, in parts of
//! [`PART_BYTES`]. The file is judged when its last byte is there, before the answer that says so.

use axum::body::Body;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as B64;
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;
use uuid::Uuid;
use yaoguan_media::limits::MAX_BLOB_BYTES;
use yaoguan_model::BlobHash;
use yaoguan_wire::ErrorCode;
use yaoguan_wire::limits::MAX_WIRE_BYTES;

use super::App;
use super::asker::Asker;
use super::edges::REQUEST_TIMEOUT;
use super::error::ApiError;
use super::sent::next_bytes;
use crate::blobs::UPLOAD_HOLDS_S;
use crate::storage::blobs::{Appended, NewUpload, Upload};

const VERSION: &str = "1.0.0";
const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");
const EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
const METADATA: HeaderName = HeaderName::from_static("upload-metadata");
const CHECKSUM: HeaderName = HeaderName::from_static("upload-checksum");

/// Bytes that are stored at once: what a broken line costs at most.
pub const PART_BYTES: usize = 256 * 1024;
/// What came is stored, and answered for, this long before the request would time out.
const MARGIN: std::time::Duration = std::time::Duration::from_secs(10);
/// Seconds after which one with too many unfinished uploads may try again.
const BUSY_S: u32 = 60;

type Answer = Result<Response<Body>, ApiError>;

/// What the town can do (tus 1.0.0, *OPTIONS*).
#[utoipa::path(options, path = "/v1/blobs", responses((status = 204, description = "In headers")))]
pub async fn options() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(RESUMABLE, HeaderValue::from_static(VERSION));
    for (name, value) in [
        ("tus-version", VERSION.to_owned()),
        ("tus-extension", "creation,checksum,expiration,termination".to_owned()),
        ("tus-max-size", MAX_BLOB_BYTES.to_string()),
        ("tus-checksum-algorithm", "sha256".to_owned()),
    ] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    response
}

/// Begins an upload: `Upload-Length` and `Upload-Metadata: sha256 <base64 of 64 hexadecimal digits>`.
#[utoipa::path(
    post,
    path = "/v1/blobs",
    responses((status = 201, description = "`Location` is where the bytes go"))
)]
pub async fn create(State(app): State<App>, asker: Asker, headers: HeaderMap) -> Answer {
    speaks_tus(&headers)?;
    let size = number(&headers, &LENGTH)?;
    if size > MAX_BLOB_BYTES as u64 {
        let detail = format!("{MAX_BLOB_BYTES} bytes");
        return Err(ApiError::new(&headers, ErrorCode::TooLarge, detail));
    }
    let hash = claimed(&headers)?;
    let now = app.env.now_s();
    let id = Uuid::from_bytes(app.env.random_16());
    let expires_at = now.saturating_add(UPLOAD_HOLDS_S);
    let account = asker.account().id;
    let begun = app.storage.begin_upload(NewUpload { id, account, hash, size, expires_at }).await;
    if !begun.map_err(|error| ApiError::internal(&headers, &error))? {
        return Err(ApiError::later(&headers, ErrorCode::Busy, BUSY_S));
    }
    let location = (header::LOCATION, format!("/v1/blobs/uploads/{id}"));
    answer(StatusCode::CREATED, [location, (EXPIRES, http_date(expires_at))])
}

/// How far an upload is.
#[utoipa::path(
    head,
    path = "/v1/blobs/uploads/{id}",
    params(("id" = String, Path, description = "From `Location`")),
    responses((status = 200, description = "`Upload-Offset`, `Upload-Length`, `Upload-Expires`"))
)]
pub async fn offset(State(app): State<App>, Begun(upload): Begun, headers: HeaderMap) -> Answer {
    if upload.received == upload.size {
        finish(&app, &headers, &upload).await?;
    }
    answer(
        StatusCode::OK,
        [
            (OFFSET, upload.received.to_string()),
            (LENGTH, upload.size.to_string()),
            (EXPIRES, http_date(upload.expires_at)),
            (header::CACHE_CONTROL, "no-store".to_owned()),
        ],
    )
}

/// Bytes of an upload from `Upload-Offset` on. With `Upload-Checksum` (`sha256`) all of them count or none,
/// and there are at most 1 MiB.
#[utoipa::path(
    patch,
    path = "/v1/blobs/uploads/{id}",
    params(("id" = String, Path, description = "From `Location`")),
    responses((status = 204, description = "`Upload-Offset` is how far it is now; at its end the file is kept"))
)]
pub async fn append(
    State(app): State<App>,
    Begun(upload): Begun,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let start = number(&headers, &OFFSET)?;
    if start != upload.received || upload.done && start != upload.size {
        let at = upload.received.to_string();
        return Err(ApiError::new(&headers, ErrorCode::OffsetMismatch, at));
    }
    let (size, expires_at) = (upload.size, upload.expires_at);
    let received = to_its_end(headers.clone(), async move {
        let received = match headers.get(&CHECKSUM) {
            None => receive(&app, &headers, &upload, body).await?,
            Some(checksum) => receive_checked(&app, &headers, &upload, checksum, body).await?,
        };
        if received == size {
            finish(&app, &headers, &upload).await?;
        }
        Ok(received)
    })
    .await?;
    let expires = (EXPIRES, http_date(expires_at));
    answer(StatusCode::NO_CONTENT, [(OFFSET, received.to_string()), expires])
}

/// Gives an upload up.
#[utoipa::path(
    delete,
    path = "/v1/blobs/uploads/{id}",
    params(("id" = String, Path, description = "From `Location`")),
    responses((status = 204, description = "Gone"))
)]
pub async fn give_up(State(app): State<App>, Begun(upload): Begun, headers: HeaderMap) -> Answer {
    let ended = app.storage.end_upload(upload.id).await;
    ended.map_err(|error| ApiError::internal(&headers, &error))?;
    answer(StatusCode::NO_CONTENT, [])
}

/// A request whose line breaks is dropped where it stands: on a task of its own it goes on, hears of the break
/// from its body, and stores what came.
async fn to_its_end(
    headers: HeaderMap,
    work: impl Future<Output = Result<u64, ApiError>> + Send + 'static,
) -> Result<u64, ApiError> {
    let ended = tokio::spawn(work).await;
    ended.unwrap_or_else(|error| {
        Err(ApiError::internal(&headers, &std::io::Error::other(error).into()))
    })
}

/// The asker's upload that the path names; of anybody else's nothing is said.
pub struct Begun(Upload);

impl FromRequestParts<App> for Begun {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let asker = Asker::from_request_parts(parts, app).await?;
        let id = Path::<String>::from_request_parts(parts, app).await;
        let headers = &parts.headers;
        speaks_tus(headers)?;
        let missing = || ApiError::new(headers, ErrorCode::NotFound, "");
        let id = id.ok().and_then(|Path(id)| Uuid::try_parse(&id).ok()).ok_or_else(missing)?;
        let found = app.storage.upload(id, asker.account().id, app.env.now_s()).await;
        let found = found.map_err(|error| ApiError::internal(headers, &error))?;
        found.map(Self).ok_or_else(missing)
    }
}

/// Stores what comes, part by part; what came before a break stays.
async fn receive(
    app: &App,
    headers: &HeaderMap,
    upload: &Upload,
    mut body: Body,
) -> Result<u64, ApiError> {
    let until = Instant::now() + REQUEST_TIMEOUT.saturating_sub(MARGIN);
    let mut at = upload.received;
    let mut part = Vec::new();
    loop {
        let came = next_bytes(&mut body, headers, until).await;
        if let Ok(Some(data)) = &came {
            part.extend_from_slice(data);
            if at + part.len() as u64 > upload.size {
                return Err(beyond(app, headers, upload).await);
            }
            if part.len() < PART_BYTES {
                continue;
            }
        }
        at = store(app, headers, upload, at, std::mem::take(&mut part)).await?;
        if came?.is_none() {
            return Ok(at);
        }
    }
}

/// Stores what comes once its checksum is right.
async fn receive_checked(
    app: &App,
    headers: &HeaderMap,
    upload: &Upload,
    checksum: &HeaderValue,
    mut body: Body,
) -> Result<u64, ApiError> {
    let bad = |what: &str| ApiError::new(headers, ErrorCode::BadRequest, what);
    let text = checksum.to_str().ok().and_then(|text| text.strip_prefix("sha256 "));
    let wanted = text.and_then(|text| B64.decode(text.trim()).ok());
    let wanted = wanted.ok_or_else(|| bad("Upload-Checksum"))?;
    let until = Instant::now() + REQUEST_TIMEOUT.saturating_sub(MARGIN);
    let mut _room = app.edges.room(headers, 0)?;
    let mut bytes = Vec::new();
    while let Some(data) = next_bytes(&mut body, headers, until).await? {
        if bytes.len() + data.len() > MAX_WIRE_BYTES {
            let detail = format!("{MAX_WIRE_BYTES} bytes");
            return Err(ApiError::new(headers, ErrorCode::TooLarge, detail));
        }
        _room.and(app.edges.room(headers, data.len())?);
        bytes.extend_from_slice(&data);
    }
    if Sha256::digest(&bytes).as_slice() != wanted {
        return Err(ApiError::new(headers, ErrorCode::ChecksumMismatch, ""));
    }
    if upload.received + bytes.len() as u64 > upload.size {
        return Err(beyond(app, headers, upload).await);
    }
    store(app, headers, upload, upload.received, bytes).await
}

/// More bytes than were said: the upload is no good, and nothing of it is left behind.
async fn beyond(app: &App, headers: &HeaderMap, upload: &Upload) -> ApiError {
    match app.storage.end_upload(upload.id).await {
        Ok(()) => ApiError::new(headers, ErrorCode::TooLarge, format!("{} bytes", upload.size)),
        Err(error) => ApiError::internal(headers, &error),
    }
}

async fn store(
    app: &App,
    headers: &HeaderMap,
    upload: &Upload,
    start: u64,
    bytes: Vec<u8>,
) -> Result<u64, ApiError> {
    if upload.done {
        return Ok(upload.size);
    }
    let appended = app.storage.append(upload.id, start, bytes).await;
    match appended.map_err(|error| ApiError::internal(headers, &error))? {
        Appended::Upto(end) => Ok(end),
        // Somebody else sends the same upload at the same time.
        Appended::OtherOffset => {
            Err(ApiError::new(headers, ErrorCode::OffsetMismatch, start.to_string()))
        }
        Appended::Gone => Err(ApiError::new(headers, ErrorCode::NotFound, "")),
    }
}

/// Judges the whole file; what is not what it says to be, or not fit to be kept, goes at once.
async fn finish(app: &App, headers: &HeaderMap, upload: &Upload) -> Result<(), ApiError> {
    let internal = |error| ApiError::internal(headers, &error);
    // One at a time, on the one thread for large things: a file is in memory as a whole while it is judged.
    let _gate = app.blobs.gate.lock().await;
    let now = app.env.now_s();
    let again = app.storage.upload(upload.id, upload.account, now).await.map_err(internal)?;
    if again.is_none_or(|upload| upload.done) {
        return Ok(());
    }
    let bytes = app.storage.upload_bytes(upload.id).await.map_err(internal)?;
    let hash = upload.hash;
    let judged = app.edges.aside.run(move || {
        if BlobHash::of(&bytes) != hash {
            return Err("its SHA-256 is another".to_owned());
        }
        let fit = yaoguan_media::check(&bytes);
        fit.map(|media_type| (media_type, bytes)).map_err(|unfit| unfit.to_string())
    });
    match judged.await.ok_or_else(|| ApiError::new(headers, ErrorCode::Internal, ""))? {
        Ok((media_type, bytes)) => {
            app.blobs.store.put(hash, bytes).await.map_err(internal)?;
            app.storage.keep_blob(upload.clone(), media_type, now).await.map_err(internal)
        }
        Err(detail) => {
            tracing::warn!(account = %upload.account, %hash, detail, "an upload is refused");
            app.storage.end_upload(upload.id).await.map_err(internal)?;
            Err(ApiError::new(headers, ErrorCode::BlobRefused, detail))
        }
    }
}

fn speaks_tus(headers: &HeaderMap) -> Result<(), ApiError> {
    if headers.get(RESUMABLE).is_some_and(|version| version == VERSION) {
        return Ok(());
    }
    Err(ApiError::new(headers, ErrorCode::UnsupportedTus, VERSION))
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Result<u64, ApiError> {
    let text = headers.get(name).and_then(|value| value.to_str().ok());
    let digits = text.filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
    let number = digits.and_then(|text| text.parse().ok());
    number.ok_or_else(|| ApiError::new(headers, ErrorCode::BadRequest, name.as_str()))
}

/// The SHA-256 in `Upload-Metadata`: comma-separated pairs of a key and base64.
fn claimed(headers: &HeaderMap) -> Result<BlobHash, ApiError> {
    let text = headers.get(&METADATA).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut pairs = text.split(',').filter_map(|pair| pair.trim().split_once(' '));
    let value = pairs.find(|(key, _)| *key == "sha256").map(|(_, value)| value);
    let bytes = value.and_then(|value| B64.decode(value.trim()).ok());
    let hash = bytes.and_then(|bytes| String::from_utf8(bytes).ok()?.parse().ok());
    hash.ok_or_else(|| ApiError::new(headers, ErrorCode::BadRequest, "Upload-Metadata: sha256"))
}

/// RFC 9110 §5.6.7.
fn http_date(seconds: i64) -> String {
    let time = chrono::DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    time.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn answer(status: StatusCode, headers: impl IntoIterator<Item = (HeaderName, String)>) -> Answer {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response.headers_mut().insert(RESUMABLE, HeaderValue::from_static(VERSION));
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    Ok(response)
}
