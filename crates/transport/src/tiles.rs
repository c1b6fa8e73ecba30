//! The map that the town has for its phones: what it is, and the file by parts.

use reqwest::header::RANGE;
use reqwest::{Method, RequestBuilder, StatusCode};
use yaoguan_model::{BlobHash, Env};
use yaoguan_wire::TilesNews;

use crate::error::TransportError;
use crate::files::is_missing;
use crate::town::TownClient;

impl TownClient {
    /// The town's map; none: it has none, or is of a version that knows of none.
    pub async fn tiles(&mut self, env: &dyn Env) -> Result<Option<TilesNews>, TransportError> {
        match self.get("/v1/tiles", env).await {
            Ok(news) => serde_json::from_value(news)
                .map(Some)
                .map_err(|error| TransportError::NotAnAnswer(error.to_string())),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// So many bytes of the file from `at` on; none when the town has another file by now.
    pub async fn tiles_part(
        &mut self,
        hash: BlobHash,
        (at, count): (u64, u64),
        env: &dyn Env,
    ) -> Result<Option<Vec<u8>>, TransportError> {
        let last = at.saturating_add(count).saturating_sub(1);
        let part = |request: RequestBuilder| request.header(RANGE, format!("bytes={at}-{last}"));
        let path = format!("/v1/tiles/{hash}");
        let mut response = match self.answered(Method::GET, &path, part, env).await {
            Ok(response) => response,
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        if response.status() != StatusCode::PARTIAL_CONTENT {
            return Err(TransportError::NotAnAnswer("the whole map for a part of it".to_owned()));
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            bytes.extend_from_slice(&chunk);
            self.traffic.bytes_down += chunk.len() as u64;
            if bytes.len() as u64 > count {
                return Err(TransportError::NotAnAnswer(
                    "more of the map than asked for".to_owned(),
                ));
            }
        }
        Ok(Some(bytes))
    }
}
