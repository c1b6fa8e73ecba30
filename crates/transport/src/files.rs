//! Files: uploads by tus 1.0.0 (tus.io/protocols/resumable-upload), reading by hash. The bytes vouch for
//! themselves by their SHA-256; the proof of a request covers method and URL.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as B64;
use reqwest::header::{ACCEPT_LANGUAGE, CONTENT_TYPE, LOCATION, RANGE, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use yaoguan_model::{BlobHash, Env};
use yaoguan_wire::{ErrorBody, ErrorCode, MissingRequest, MissingResponse, body, limits, proof};

use crate::error::TransportError;
use crate::town::TownClient;

const UPLOADS: &str = "/v1/blobs/uploads/";

impl TownClient {
    /// Begins an upload; gives the path where its bytes go.
    pub async fn begin_upload(
        &mut self,
        hash: BlobHash,
        size: u64,
        env: &dyn Env,
    ) -> Result<String, TransportError> {
        let metadata = format!("sha256 {}", B64.encode(hash.to_string()));
        let headers = [("upload-length", size.to_string()), ("upload-metadata", metadata)];
        let response = self.tus(Method::POST, "/v1/blobs", &headers, None, env).await?;
        let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let path = location.and_then(|at| Some(at.get(at.find(UPLOADS)?..)?.to_owned()));
        path.ok_or_else(|| TransportError::NotAnAnswer("an upload without a place".to_owned()))
    }

    /// How many bytes of an upload the town has; all of them: it has judged and kept the file.
    pub async fn upload_offset(
        &mut self,
        upload: &str,
        env: &dyn Env,
    ) -> Result<u64, TransportError> {
        offset(&self.tus(Method::HEAD, upload, &[], None, env).await?)
    }

    /// Adds bytes to an upload; how many the town has then.
    pub async fn append(
        &mut self,
        upload: &str,
        at: u64,
        bytes: Vec<u8>,
        env: &dyn Env,
    ) -> Result<u64, TransportError> {
        let headers = [("upload-offset", at.to_string())];
        offset(&self.tus(Method::PATCH, upload, &headers, Some(bytes), env).await?)
    }

    /// Whether the town has a file, and its bytes: one of them is asked for.
    pub async fn has_file(
        &mut self,
        hash: BlobHash,
        env: &dyn Env,
    ) -> Result<bool, TransportError> {
        let path = format!("/v1/blobs/{hash}");
        let first = |request: RequestBuilder| request.header(RANGE, "bytes=0-0");
        match self.answered(Method::GET, &path, first, env).await {
            Ok(_) => Ok(true),
            Err(error) if is_missing(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Of these files, those that the town has not for this phone.
    pub async fn missing_files(
        &mut self,
        files: Vec<BlobHash>,
        env: &dyn Env,
    ) -> Result<Vec<BlobHash>, TransportError> {
        let answer: MissingResponse =
            self.ask("/v1/files/missing", &MissingRequest { files }, env).await?;
        Ok(answer.missing)
    }

    /// A file; none when the town has none of this name that the asker may read.
    pub async fn file(
        &mut self,
        hash: BlobHash,
        max_bytes: usize,
        env: &dyn Env,
    ) -> Result<Option<Vec<u8>>, TransportError> {
        let path = format!("/v1/blobs/{hash}");
        let mut response = match self.answered(Method::GET, &path, |request| request, env).await {
            Ok(response) => response,
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            bytes.extend_from_slice(&chunk);
            self.traffic.bytes_down += chunk.len() as u64;
            if bytes.len() > max_bytes {
                let text = format!("a file longer than {max_bytes} bytes");
                return Err(TransportError::NotAnAnswer(text));
            }
        }
        Ok(Some(bytes))
    }

    async fn tus(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&'static str, String)],
        bytes: Option<Vec<u8>>,
        env: &dyn Env,
    ) -> Result<Response, TransportError> {
        self.traffic.bytes_up += bytes.as_ref().map_or(0, Vec::len) as u64;
        let build = |request: RequestBuilder| {
            let request = request.header("tus-resumable", "1.0.0");
            let request =
                headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
            match &bytes {
                Some(bytes) => request
                    .header(CONTENT_TYPE, "application/offset+octet-stream")
                    .body(bytes.clone()),
                None => request,
            }
        };
        self.answered(method, path, build, env).await
    }

    /// Asks, once more when the phone's clock was off; an answer that is not 2xx is an error.
    pub(crate) async fn answered(
        &mut self,
        method: Method,
        path: &str,
        build: impl Fn(RequestBuilder) -> RequestBuilder,
        env: &dyn Env,
    ) -> Result<Response, TransportError> {
        for attempt in 0..2 {
            let url = format!("{}{path}", self.base);
            let proof = self.prove(method.as_str(), &url, &[], env)?;
            let request = self.client.request(method.clone(), url);
            let request = request.header(proof::HEADER, proof).header(ACCEPT_LANGUAGE, self.lang);
            self.traffic.requests += 1;
            let response = self.dispatch(build(request)).await?;
            if response.status().is_success() {
                return Ok(response);
            }
            let refused = refusal(response, method == Method::HEAD).await?;
            match refused.town_time.filter(|_| attempt == 0 && refused.code == ErrorCode::ClockSkew)
            {
                Some(town_time) => self.set_clock_offset(town_time.saturating_sub(env.now_s())),
                None => return Err(TransportError::Refused(Box::new(refused))),
            }
        }
        Err(TransportError::NotAnAnswer("no answer to a corrected clock".to_owned()))
    }
}

pub(crate) fn is_missing(error: &TransportError) -> bool {
    error.code() == Some(&ErrorCode::NotFound)
}

fn offset(response: &Response) -> Result<u64, TransportError> {
    let text = response.headers().get("upload-offset").and_then(|value| value.to_str().ok());
    let offset = text.and_then(|text| text.parse().ok());
    offset.ok_or_else(|| TransportError::NotAnAnswer("an upload without its offset".to_owned()))
}

/// What the town says; the answer to HEAD has no body and is told by its status.
async fn refusal(mut response: Response, bodiless: bool) -> Result<ErrorBody, TransportError> {
    let status = response.status();
    if bodiless {
        return by_status(&response);
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > limits::MAX_SMALL_BYTES {
            break;
        }
    }
    body::decode(&bytes, false)
        .map_err(|error| TransportError::NotAnAnswer(format!("{status}: {error}")))
}

fn by_status(response: &Response) -> Result<ErrorBody, TransportError> {
    let status = response.status();
    let code = match status {
        StatusCode::NOT_FOUND | StatusCode::GONE => ErrorCode::NotFound,
        StatusCode::UNAUTHORIZED => ErrorCode::Unauthorised,
        StatusCode::TOO_MANY_REQUESTS => ErrorCode::RateLimited,
        StatusCode::SERVICE_UNAVAILABLE => ErrorCode::Busy,
        StatusCode::INSUFFICIENT_STORAGE => ErrorCode::StorageFull,
        StatusCode::UNPROCESSABLE_ENTITY => ErrorCode::BlobRefused,
        _ if status.is_server_error() => ErrorCode::Internal,
        _ => return Err(TransportError::NotAnAnswer(status.to_string())),
    };
    let wait =
        response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    Ok(ErrorBody {
        code,
        message: status.to_string(),
        retriable: status.is_server_error(),
        why: None,
        town_time: None,
        retry_after_s: wait,
        verdicts: Vec::new(),
        replicas: Vec::new(),
    })
}
