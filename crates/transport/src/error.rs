//! Why a request did not come back with an answer.

use yaoguan_wire::{ErrorBody, ErrorCode};

#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// No connection, or it broke: the phone goes on offline and tries later.
    #[error("the town cannot be reached: {0}")]
    Unreachable(#[source] reqwest::Error),
    /// The town's certificate is not the one that the invite named.
    #[error("the certificate is not this town's: {0}")]
    NotTheTown(String),
    /// The town answered with an error.
    #[error("{}", .0.message)]
    Refused(Box<ErrorBody>),
    /// Something answered that is not the town (a captive portal), or another protocol.
    #[error("the answer is not one of a town: {0}")]
    NotAnAnswer(String),
    /// The phone's own key or certificate cannot be used.
    #[error("the phone's identity cannot be used: {0}")]
    Identity(String),
}

impl TransportError {
    /// How long the town asks to be left alone, in seconds.
    pub fn retry_after_s(&self) -> Option<u32> {
        if let Self::Refused(body) = self { body.retry_after_s } else { None }
    }

    /// The code that the town answered with.
    pub fn code(&self) -> Option<&ErrorCode> {
        match self {
            Self::Refused(body) => Some(&body.code),
            Self::Unreachable(_) | Self::NotTheTown(_) => None,
            Self::NotAnAnswer(_) | Self::Identity(_) => None,
        }
    }
}

impl From<reqwest::Error> for TransportError {
    fn from(error: reqwest::Error) -> Self {
        let mut source: Option<&dyn std::error::Error> = Some(&error);
        while let Some(cause) = source {
            let text = cause.to_string();
            if text.contains("invalid peer certificate") || text.contains(crate::pinned::MISMATCH) {
                return Self::NotTheTown(text);
            }
            source = cause.source();
        }
        Self::Unreachable(error)
    }
}
