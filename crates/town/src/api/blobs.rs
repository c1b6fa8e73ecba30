//! `GET /v1/blobs/{hash}`: a file that the asker may read, whole or in part. Immutable: its name is its
//! content.

use std::ops::Range;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Response, StatusCode, header};
use yaoguan_model::{BlobHash, cells};
use yaoguan_wire::ErrorCode;

use super::App;
use super::asker::Asker;
use super::error::ApiError;
use crate::audit::{Act, Attribution, By, Subject};
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
    let internal = |error| ApiError::internal(&headers, &error);
    let missing = || ApiError::new(&headers, ErrorCode::NotFound, "");
    let hash: BlobHash = hash.parse().map_err(|_| missing())?;
    let account = asker.account();
    let own = cells::of_reader(account.id, account.role, &account.grids).into_iter().collect();
    let found = app.storage.readable_blob(hash, own, account.id).await.map_err(internal)?;
    let found = found.ok_or_else(missing)?;
    let etag = format!("\"{hash}\"");
    let wanted = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    if wanted.is_some_and(|wanted| wanted == "*" || wanted.contains(&etag)) {
        return answer(StatusCode::NOT_MODIFIED, &found, hash, Body::empty())
            .map_err(|error| internal(error.into()));
    }
    let range = match asked(&headers, found.size) {
        Asked::Whole => None,
        Asked::Part(range) => Some(range),
        Asked::Nothing => {
            let size = found.size.to_string();
            return Err(ApiError::new(&headers, ErrorCode::RangeNotSatisfiable, size));
        }
    };
    if found.of_household {
        // Nobody sees a household unless that stands in the log.
        let done = Attribution::new(By::Account(account.id), app.env.now_s());
        let entry = done.entry(Act::HouseholdRead, Subject::Kind("household_check".to_owned()));
        let entry = entry.with("blob", hash.to_string());
        let entry = entry.with("device", asker.device().id.to_string());
        app.storage.note(entry).await.map_err(internal)?;
    }
    let part = range.clone().unwrap_or(0..found.size);
    let bytes = app.blobs.store.read(hash, part).await.map_err(internal)?;
    // Known and not there: a folder put back without its blobs.
    let bytes = bytes.ok_or_else(missing)?;
    let status = if range.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    let mut response =
        answer(status, &found, hash, Body::from(bytes)).map_err(|error| internal(error.into()))?;
    if let Some(range) = range {
        let text = format!("bytes {}-{}/{}", range.start, range.end.saturating_sub(1), found.size);
        if let Ok(value) = text.parse() {
            response.headers_mut().insert(header::CONTENT_RANGE, value);
        }
    }
    Ok(response)
}

fn answer(
    status: StatusCode,
    found: &Readable,
    hash: BlobHash,
    body: Body,
) -> Result<Response<Body>, std::io::Error> {
    let name = format!("{hash}.{}", found.media_type.extension());
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, found.media_type.as_str())
        .header(header::ETAG, format!("\"{hash}\""))
        .header(header::CACHE_CONTROL, "private, max-age=31536000, immutable")
        .header(header::ACCEPT_RANGES, "bytes")
        .header(header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\""))
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .header(header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox")
        .body(body)
        .map_err(std::io::Error::other)
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
