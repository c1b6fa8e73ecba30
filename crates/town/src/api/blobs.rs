//! `GET /v1/blobs/{hash}`: a file that the asker may read, whole or in part. Immutable: its name is its
//! content.

use std::ops::Range;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Response, StatusCode, header};
use yaoguan_model::{AccountId, BlobHash, DeviceId, cells};
use yaoguan_wire::ErrorCode;

use super::App;
use super::asker::Asker;
use super::error::ApiError;
use crate::audit::{Act, Attribution, By, Subject};
use crate::error::TownError;
use crate::people::Account;
use crate::storage::blobs::Readable;

/// A photo, thumbnail or track within the asker's scope: referred to by a record in it, or uploaded by the
/// asker. Takes `Range` with one range and `If-None-Match`.
#[utoipa::path(
    get,
    path = "/v1/blobs/{hash}",
    params(
        ("hash" = String, Path, description = "SHA-256 of the bytes, 64 hexadecimal digits"),
        ("Range" = Option<String>, Header, description = "One range of bytes"),
        ("DPoP" = Option<String>, Header, description = "Proof of the device (RFC 9449 shape), or"),
        ("Authorization" = Option<String>, Header, description = "`Bearer` and a token of `/v1/token`")
    ),
    responses(
        (status = 200, description = "The bytes", content_type = "application/octet-stream"),
        (status = 206, description = "The range"),
        (status = 304, description = "As the asker has it")
    )
)]
pub async fn read(
    State(app): State<App>,
    asker: Asker,
    Path(hash): Path<String>,
    headers: HeaderMap,
) -> Result<Response<Body>, ApiError> {
    let account = asker.account();
    let file = find(&app, &headers, account, &hash).await?;
    if is_held(&headers, &file.etag()) {
        return file.unchanged(&headers);
    }
    let range = file.asked(&headers)?;
    file.note(&app, &headers, account.id, Some(asker.device().id)).await?;
    file.send(&app, &headers, range).await
}

/// A file that an account may read.
pub(super) struct File {
    pub(super) hash: BlobHash,
    pub(super) about: Readable,
}

/// A file within the account's scope; of any other nothing is said.
pub(super) async fn find(
    app: &App,
    headers: &HeaderMap,
    account: &Account,
    hash: &str,
) -> Result<File, ApiError> {
    let missing = || ApiError::new(headers, ErrorCode::NotFound, "");
    let hash: BlobHash = hash.parse().map_err(|_| missing())?;
    let own = cells::of_reader(account.id, account.role, &account.grids).into_iter().collect();
    let found = app.storage.readable_blob(hash, own, account.id).await;
    let about = found.map_err(|error| ApiError::internal(headers, &error))?.ok_or_else(missing)?;
    Ok(File { hash, about })
}

/// Whether the asker says that it has this.
pub(super) fn is_held(headers: &HeaderMap, etag: &str) -> bool {
    let wanted = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    wanted.is_some_and(|wanted| wanted == "*" || wanted.contains(etag))
}

impl File {
    pub(super) fn etag(&self) -> String {
        format!("\"{}\"", self.hash)
    }

    pub(super) fn unchanged(&self, headers: &HeaderMap) -> Result<Response<Body>, ApiError> {
        self.answer(headers, StatusCode::NOT_MODIFIED, Body::empty())
    }

    /// The range that is asked for; none: all of it.
    pub(super) fn asked(&self, headers: &HeaderMap) -> Result<Option<Range<u64>>, ApiError> {
        range_asked(headers, self.about.size)
    }

    /// Nobody sees a household unless that stands in the log.
    pub(super) async fn note(
        &self,
        app: &App,
        headers: &HeaderMap,
        account: AccountId,
        device: Option<DeviceId>,
    ) -> Result<(), ApiError> {
        if !self.about.of_household {
            return Ok(());
        }
        let done = Attribution::new(By::Account(account), app.env.now_s());
        let entry = done.entry(Act::HouseholdRead, Subject::Kind("household_check".to_owned()));
        let mut entry = entry.with("blob", self.hash.to_string());
        if let Some(device) = device {
            entry = entry.with("device", device.to_string());
        }
        let noted = app.storage.note(entry).await;
        noted.map_err(|error| ApiError::internal(headers, &error))?;
        Ok(())
    }

    /// The bytes of a range.
    pub(super) async fn bytes(
        &self,
        app: &App,
        headers: &HeaderMap,
        range: Range<u64>,
    ) -> Result<Vec<u8>, ApiError> {
        let bytes = app.blobs.store.read(self.hash, range).await;
        let bytes = bytes.map_err(|error| ApiError::internal(headers, &error))?;
        // Known and not there: a folder put back without its blobs.
        bytes.ok_or_else(|| ApiError::new(headers, ErrorCode::NotFound, ""))
    }

    pub(super) async fn send(
        &self,
        app: &App,
        headers: &HeaderMap,
        range: Option<Range<u64>>,
    ) -> Result<Response<Body>, ApiError> {
        let part = range.clone().unwrap_or(0..self.about.size);
        let bytes = Body::from(self.bytes(app, headers, part).await?);
        let Some(range) = range else { return self.answer(headers, StatusCode::OK, bytes) };
        let mut response = self.answer(headers, StatusCode::PARTIAL_CONTENT, bytes)?;
        if let Ok(value) = content_range(&range, self.about.size).parse() {
            response.headers_mut().insert(header::CONTENT_RANGE, value);
        }
        Ok(response)
    }

    pub(super) fn answer(
        &self,
        headers: &HeaderMap,
        status: StatusCode,
        body: Body,
    ) -> Result<Response<Body>, ApiError> {
        let name = format!("{}.{}", self.hash, self.about.media_type.extension());
        let response = Response::builder()
            .status(status)
            .header(header::CONTENT_TYPE, self.about.media_type.as_str())
            .header(header::ETAG, self.etag())
            .header(header::CACHE_CONTROL, "private, max-age=31536000, immutable")
            .header(header::ACCEPT_RANGES, "bytes")
            .header(header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\""))
            .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
            .header(header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox")
            .body(body);
        let failed = |error| TownError::Io(std::io::Error::other(error));
        response.map_err(failed).map_err(|error| ApiError::internal(headers, &error))
    }
}

/// The range of a file of this size that is asked for; none: all of it.
pub(super) fn range_asked(headers: &HeaderMap, size: u64) -> Result<Option<Range<u64>>, ApiError> {
    match asked(headers, size) {
        Asked::Whole => Ok(None),
        Asked::Part(range) => Ok(Some(range)),
        Asked::Nothing => {
            Err(ApiError::new(headers, ErrorCode::RangeNotSatisfiable, size.to_string()))
        }
    }
}

/// Which part of a file of this size an answer is.
pub(super) fn content_range(range: &Range<u64>, size: u64) -> String {
    format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1))
}

/// What of a file is asked for (RFC 9110 §14).
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Whole,
    Part(Range<u64>),
    /// A range that lies behind the end.
    Nothing,
}

fn asked(headers: &HeaderMap, size: u64) -> Asked {
    let text = headers.get(header::RANGE).and_then(|value| value.to_str().ok());
    let Some(ends) = text.and_then(|text| text.strip_prefix("bytes=")) else { return Asked::Whole };
    // Several ranges, and what is no range, are answered with the whole file.
    let Some((first, last)) = ends.trim().split_once('-') else { return Asked::Whole };
    let range = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => first..last.saturating_add(1).min(size),
        (Ok(first), Err(_)) if last.is_empty() => first..size,
        (Err(_), Ok(last)) if first.is_empty() => size.saturating_sub(last)..size,
        (Ok(_) | Err(_), _) => return Asked::Whole,
    };
    if range.is_empty() { Asked::Nothing } else { Asked::Part(range) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_a_part_and_anything_else_is_the_whole() {
        let of = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RANGE, text.parse().unwrap());
            asked(&headers, 100)
        };
        assert_eq!(of("bytes=0-9"), Asked::Part(0..10));
        assert_eq!(of("bytes=90-"), Asked::Part(90..100));
        assert_eq!(of("bytes=-10"), Asked::Part(90..100));
        assert_eq!(of("bytes=-1000"), Asked::Part(0..100));
        assert_eq!(of("bytes=50-1000"), Asked::Part(50..100));
        assert_eq!(of("bytes=100-"), Asked::Nothing);
        assert_eq!(of("bytes=-0"), Asked::Nothing);
        for whole in ["bytes=9-0", "bytes=0-1,5-6", "lines=0-9", "bytes=", "bytes=a-b"] {
            assert_eq!(of(whole), Asked::Whole, "{whole}");
        }
    }
}
