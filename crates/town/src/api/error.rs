//! Errors as answers: a code that programs branch on, a message for people in their language. What went
//! wrong inside is logged, never sent.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use yaoguan_model::ReplicaId;
use yaoguan_wire::{ErrorBody, ErrorCode, Verdict};

use super::language::{Lang, language};
use crate::error::TownError;
use crate::proof::Denied;

type Words = BTreeMap<String, String>;

static EN: LazyLock<Words> = LazyLock::new(|| read(include_str!("../../locales/en.toml")));
static ZH: LazyLock<Words> = LazyLock::new(|| read(include_str!("../../locales/zh.toml")));

fn read(text: &str) -> Words {
    toml::from_str(text).unwrap_or_default()
}

/// An answer that is not 2xx.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    code: ErrorCode,
    detail: String,
    why: Option<String>,
    lang: Lang,
    town_time: Option<i64>,
    retry_after_s: Option<u32>,
    /// What became of the records that a barred phone sent along, and the table that it indexes.
    verdicts: Option<Box<(Vec<Verdict>, Vec<ReplicaId>)>>,
}

impl ApiError {
    pub fn new(headers: &HeaderMap, code: ErrorCode, detail: impl Into<String>) -> Self {
        let (status, detail, lang) = (status_of(&code), detail.into(), language(headers));
        let (town_time, retry_after_s) = (None, None);
        Self { status, code, detail, why: None, lang, town_time, retry_after_s, verdicts: None }
    }

    /// Not now: the asker comes back after so many seconds.
    pub fn later(headers: &HeaderMap, code: ErrorCode, retry_after_s: u32) -> Self {
        let error = Self::new(headers, code, retry_after_s.to_string());
        Self { retry_after_s: Some(retry_after_s), ..error }
    }

    /// A rule forbids it: `why` is its word, `detail` says it to whoever reads logs.
    pub fn not_done(headers: &HeaderMap, why: &str, detail: impl Into<String>) -> Self {
        let why = Some(why.to_owned());
        Self { why, ..Self::new(headers, ErrorCode::NotDone, detail) }
    }

    /// The answer to a phone that may not sync any more: its verdicts, and nothing else.
    pub fn barred(
        headers: &HeaderMap,
        code: ErrorCode,
        verdicts: Vec<Verdict>,
        replicas: Vec<ReplicaId>,
    ) -> Self {
        let verdicts = Some(Box::new((verdicts, replicas)));
        Self { verdicts, ..Self::new(headers, code, "") }
    }

    pub fn internal(headers: &HeaderMap, error: &TownError) -> Self {
        if matches!(error, TownError::StorageFull) {
            return Self::new(headers, ErrorCode::StorageFull, "");
        }
        tracing::error!(%error, "a request failed");
        if matches!(error, TownError::Away(_)) {
            return Self::new(headers, ErrorCode::Busy, "");
        }
        Self::new(headers, ErrorCode::Internal, "")
    }

    pub fn denied(headers: &HeaderMap, denied: Denied, now: i64) -> Self {
        match denied {
            Denied::Unauthorised => Self::new(headers, ErrorCode::Unauthorised, ""),
            Denied::ClockSkew => {
                Self { town_time: Some(now), ..Self::new(headers, ErrorCode::ClockSkew, "") }
            }
            Denied::Barred(device) => {
                tracing::warn!(device = %device.id, "a barred device asks");
                let code = device.barred.unwrap_or(ErrorCode::DeviceRevoked);
                Self::new(headers, code, "")
            }
            Denied::Failed(error) => Self::internal(headers, &error),
        }
    }
}

/// What tus 1.0.0 answers to a wrong checksum; no code of HTTP's own.
const CHECKSUM_MISMATCH: StatusCode = match StatusCode::from_u16(460) {
    Ok(status) => status,
    Err(_) => StatusCode::BAD_REQUEST,
};

/// The status that a code travels under.
pub fn status_of(code: &ErrorCode) -> StatusCode {
    match code {
        ErrorCode::UnsupportedProtocol => StatusCode::UPGRADE_REQUIRED,
        ErrorCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::Unauthorised | ErrorCode::ClockSkew => StatusCode::UNAUTHORIZED,
        ErrorCode::DeviceRevoked | ErrorCode::AccountDisabled => StatusCode::UNAUTHORIZED,
        ErrorCode::SignInWrong | ErrorCode::TotpNeeded => StatusCode::UNAUTHORIZED,
        ErrorCode::NotForRole | ErrorCode::CrossSite => StatusCode::FORBIDDEN,
        ErrorCode::PasswordNeeded => StatusCode::FORBIDDEN,
        ErrorCode::NotDone => StatusCode::CONFLICT,
        ErrorCode::FieldForbidden => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorCode::ReplicaForked => StatusCode::CONFLICT,
        ErrorCode::InviteUnknown | ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::InviteGone | ErrorCode::ResetGone => StatusCode::GONE,
        ErrorCode::InviteOther => StatusCode::CONFLICT,
        ErrorCode::BadPassword => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorCode::OffsetMismatch => StatusCode::CONFLICT,
        ErrorCode::ChecksumMismatch => CHECKSUM_MISMATCH,
        ErrorCode::BlobRefused => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorCode::UnsupportedTus => StatusCode::PRECONDITION_FAILED,
        ErrorCode::RangeNotSatisfiable => StatusCode::RANGE_NOT_SATISFIABLE,
        ErrorCode::StorageFull => StatusCode::INSUFFICIENT_STORAGE,
        ErrorCode::Timeout => StatusCode::REQUEST_TIMEOUT,
        ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        ErrorCode::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        ErrorCode::UnsupportedEncoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ErrorCode::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::Busy => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::BadRequest | ErrorCode::UnknownKind | ErrorCode::UnknownField => {
            StatusCode::BAD_REQUEST
        }
        ErrorCode::Invalid | ErrorCode::OutOfScope | ErrorCode::UnknownGrid => {
            StatusCode::BAD_REQUEST
        }
        ErrorCode::NotAllowed | ErrorCode::StepNotAllowed => StatusCode::BAD_REQUEST,
        ErrorCode::IdentityChanged | ErrorCode::ForeignDot | ErrorCode::Held => {
            StatusCode::BAD_REQUEST
        }
        ErrorCode::HoldRefused | ErrorCode::Purged | ErrorCode::KindNotAllowed => {
            StatusCode::BAD_REQUEST
        }
        ErrorCode::Unknown(_) => StatusCode::BAD_REQUEST,
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let words = match self.lang {
            Lang::En => &*EN,
            Lang::Zh => &*ZH,
        };
        let text = words.get(self.code.as_str()).map_or(self.code.as_str(), String::as_str);
        let retriable = matches!(
            self.code,
            ErrorCode::Internal
                | ErrorCode::StorageFull
                | ErrorCode::Timeout
                | ErrorCode::ClockSkew
                | ErrorCode::RateLimited
                | ErrorCode::Busy
        );
        let message = text.replace("{detail}", &self.detail);
        let Self { status, code, why, town_time, retry_after_s, verdicts, .. } = self;
        let (verdicts, replicas) = verdicts.map(|both| *both).unwrap_or_default();
        let body = ErrorBody {
            code,
            message,
            retriable,
            why,
            town_time,
            retry_after_s,
            verdicts,
            replicas,
        };
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = retry_after_s {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(WAYS));
        }
        response
    }
}

/// How one may ask (RFC 9110 §11.6.1).
const WAYS: &str = "DPoP algs=\"ES256\", Bearer";

/// Answers of the layers around the handlers (wrong method, time out, a panic) take the shape of every
/// other error.
pub async fn in_json(request: Request, next: Next) -> Response {
    let headers = request.headers().clone();
    let mut response = next.run(request).await;
    let is_json =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|t| t == "application/json");
    if is_json {
        return response;
    }
    let code = match response.status() {
        StatusCode::REQUEST_TIMEOUT => ErrorCode::Timeout,
        StatusCode::METHOD_NOT_ALLOWED => ErrorCode::MethodNotAllowed,
        StatusCode::INTERNAL_SERVER_ERROR => ErrorCode::Internal,
        // What axum's own extractors say of a path or query.
        status if status.is_client_error() => ErrorCode::BadRequest,
        _ => return response,
    };
    let mut error = ApiError::new(&headers, code, "").into_response();
    if let Some(allowed) = response.headers_mut().remove(header::ALLOW) {
        error.headers_mut().insert(header::ALLOW, allowed);
    }
    error
}

/// No such route.
pub async fn not_found(headers: HeaderMap) -> ApiError {
    ApiError::new(&headers, ErrorCode::NotFound, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_have_the_same_codes_and_each_is_a_code() {
        let keys = |words: &Words| words.keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&EN), keys(&ZH));
        for key in EN.keys() {
            assert!(!matches!(ErrorCode::from(key.clone()), ErrorCode::Unknown(_)), "{key}");
        }
    }
}
