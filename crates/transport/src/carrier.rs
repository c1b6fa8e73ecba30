//! Another way to the town than HTTPS: what a test puts in its place, to own the line itself.

use async_trait::async_trait;

use crate::error::TransportError;

/// Takes a request to the town, as it would have gone out, and brings its answer back.
#[async_trait]
pub trait Carrier: Send + Sync {
    async fn carry(&self, request: reqwest::Request) -> Result<reqwest::Response, TransportError>;
}
