//! A phone's line to the town: a request stops here until the world says what becomes of it.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use http::{HeaderMap, Method};
use tokio::sync::oneshot;
use yaoguan_transport::{Carrier, TransportError};

/// A request as it left the phone.
#[derive(Debug, Clone)]
pub struct Sent {
    pub method: Method,
    pub path: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// An answer as it left the town.
pub type Answer = http::Response<Vec<u8>>;

/// A request whose phone waits.
pub struct Waiting {
    pub request: Sent,
    answer: oneshot::Sender<Option<Answer>>,
}

impl Waiting {
    /// Answers; none: the line broke.
    pub fn answer(self, answer: Option<Answer>) {
        // A phone that ended meanwhile hears nothing.
        _ = self.answer.send(answer);
    }
}

#[derive(Default)]
pub struct Line(Mutex<Option<Waiting>>);

impl Line {
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    pub fn take(&self) -> Option<Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[async_trait]
impl Carrier for Line {
    async fn carry(&self, request: reqwest::Request) -> Result<reqwest::Response, TransportError> {
        let (answer, answered) = oneshot::channel();
        let body = request.body().and_then(|body| body.as_bytes()).unwrap_or_default().to_vec();
        let request = Sent {
            method: request.method().clone(),
            path: request.url().path().to_owned(),
            headers: request.headers().clone(),
            body,
        };
        let waiting = Waiting { request, answer };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(waiting);
        match answered.await {
            Ok(Some(answer)) => Ok(answer.into()),
            Ok(None) | Err(_) => Err(TransportError::NotAnAnswer("the line broke".to_owned())),
        }
    }
}
