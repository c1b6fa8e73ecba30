//! A body as it was sent: received within its time, its size and the room that there is.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderValue, header};
use http_body_util::BodyExt as _;
use tokio::time::Instant;
use yaoguan_wire::ErrorCode;
use yaoguan_wire::body::{self, BadBody};
use yaoguan_wire::limits::{MAX_DECODED_BYTES, MAX_WIRE_BYTES};

use super::App;
use super::edges::{BODY_IDLE, REQUEST_TIMEOUT, Room};
use super::error::ApiError;

/// A body larger than this is parsed beside the threads that serve everyone.
const PARSE_ASIDE_BYTES: u64 = 256 * 1024;

/// The bytes, and the room that they fill.
pub(crate) struct Sent {
    pub bytes: Bytes,
    _room: Room,
}

impl Sent {
    /// For routes whose bodies are a few lines.
    pub(super) fn at_most(&self, headers: &HeaderMap, bytes: usize) -> Result<(), ApiError> {
        if self.bytes.len() <= bytes {
            return Ok(());
        }
        Err(ApiError::new(headers, ErrorCode::TooLarge, format!("{bytes} bytes")))
    }
}

/// A body of a route that takes a whole file from an administrator.
pub(crate) struct LargeSent(pub Sent);

/// Such a body on the wire.
pub(crate) const MAX_LARGE_BYTES: usize = 12 * 1024 * 1024;

impl FromRequest<App> for Sent {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        Self::receive(request, app, MAX_WIRE_BYTES).await
    }
}

impl FromRequest<App> for LargeSent {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        Ok(Self(Sent::receive(request, app, MAX_LARGE_BYTES).await?))
    }
}

impl Sent {
    async fn receive(request: Request, app: &App, most: usize) -> Result<Self, ApiError> {
        let (parts, mut body) = request.into_parts();
        let headers = &parts.headers;
        let declared = headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok());
        let declared = declared.and_then(|text| text.parse::<usize>().ok()).unwrap_or(0);
        if declared > most {
            return Err(too_large(headers, most));
        }
        let mut room = app.edges.room(headers, 0)?;
        let mut bytes = Vec::new();
        // The request as a whole has its own end.
        let until = Instant::now() + REQUEST_TIMEOUT;
        while let Some(data) = next_bytes(&mut body, headers, until).await? {
            if bytes.len() + data.len() > most {
                return Err(too_large(headers, most));
            }
            room.and(app.edges.room(headers, data.len())?);
            bytes.extend_from_slice(&data);
        }
        Ok(Self { bytes: bytes.into(), _room: room })
    }
}

/// The next bytes of a body; none at its end. Trailers say nothing here.
pub(super) async fn next_bytes(
    body: &mut Body,
    headers: &HeaderMap,
    until: Instant,
) -> Result<Option<Bytes>, ApiError> {
    loop {
        let soonest = until.min(Instant::now() + BODY_IDLE);
        let frame = match tokio::time::timeout_at(soonest, body.frame()).await {
            Err(_) => return Err(ApiError::new(headers, ErrorCode::Timeout, "")),
            Ok(None) => return Ok(None),
            Ok(Some(Err(error))) => {
                return Err(ApiError::new(headers, ErrorCode::BadRequest, error.to_string()));
            }
            Ok(Some(Ok(frame))) => frame,
        };
        if let Ok(data) = frame.into_data() {
            return Ok(Some(data));
        }
    }
}

/// A message, and the room that it fills.
pub(super) struct Read<T> {
    pub message: T,
    _room: Option<Room>,
}

/// Reads a body that may be compressed, when there is room for what it decodes to. What `Content-Type`
/// says is not looked at: a body is what it is.
pub(super) async fn read<T: serde::de::DeserializeOwned + Send + 'static>(
    app: &App,
    headers: &HeaderMap,
    sent: &Sent,
) -> Result<Read<T>, ApiError> {
    let zstd = match headers.get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes) {
        None => false,
        Some(encoding) if encoding.eq_ignore_ascii_case(b"identity") => false,
        Some(encoding) if encoding.eq_ignore_ascii_case(b"zstd") => true,
        Some(_) => return Err(ApiError::new(headers, ErrorCode::UnsupportedEncoding, "zstd")),
    };
    let size = body::decoded_size(&sent.bytes, zstd);
    if size.is_some_and(|size| size > MAX_DECODED_BYTES as u64) {
        return Err(too_large(headers, MAX_WIRE_BYTES));
    }
    let room = app.edges.turn(size).await;
    let bytes = sent.bytes.clone();
    let decoded = if size.is_some_and(|size| size <= PARSE_ASIDE_BYTES) {
        body::decode(&bytes, zstd)
    } else {
        let parsed = app.edges.aside.run(move || body::decode(&bytes, zstd)).await;
        parsed.ok_or_else(|| ApiError::new(headers, ErrorCode::Internal, ""))?
    };
    let message = decoded.map_err(|error| match error {
        BadBody::TooLarge => too_large(headers, MAX_WIRE_BYTES),
        BadBody::TooDeep | BadBody::Zstd(_) | BadBody::Json(_) => {
            ApiError::new(headers, ErrorCode::BadRequest, error.to_string())
        }
    })?;
    Ok(Read { message, _room: room })
}

fn too_large(headers: &HeaderMap, most: usize) -> ApiError {
    ApiError::new(headers, ErrorCode::TooLarge, format!("{most} bytes"))
}
