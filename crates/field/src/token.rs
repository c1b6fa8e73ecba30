//! A token for tools (curl, GIS) that read in this person's name for a few minutes.

use serde::Serialize;
use yaoguan_wire::TokenResponse;

use crate::error::FieldError;
use crate::phone::Phone;

/// A token and what a tool needs beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Token {
    /// Address of the town.
    pub url: String,
    /// Goes into `Authorization: Bearer …`.
    pub token: String,
    /// Seconds since 1970, by the town's clock.
    pub expires_at: i64,
    /// The CA that the town's certificate is under; empty behind a proxy with a public certificate.
    pub ca_pem: String,
}

impl Phone {
    /// Has the town make a token; needs a line.
    pub async fn token(&self) -> Result<Token, FieldError> {
        let TokenResponse { token, expires_at } = self.client()?.token(self.env.as_ref()).await?;
        let identity = self.identity()?;
        Ok(Token { url: identity.town, token, expires_at, ca_pem: identity.ca_pem })
    }
}
