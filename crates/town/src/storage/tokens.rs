//! Tokens for tools: kept hashed, for a few minutes, within the scope of the account that asked.

use async_trait::async_trait;
use yaoguan_model::DeviceId;

use crate::audit::Attribution;
use crate::error::TownError;
use crate::people::Device;

/// A token to be kept; the token itself goes to the asker only.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// SHA-256 of the token.
    pub hash: [u8; 32],
    /// The device that asked for it; its end is the token's.
    pub device: DeviceId,
    /// Seconds since 1970.
    pub expires_at: i64,
}

/// Tokens. Each method is one transaction.
#[async_trait]
pub trait Tokens: Send + Sync {
    /// Keeps a token; what has run out goes, and of one account's the oldest beyond the limit.
    async fn add_token(&self, token: NewToken, done: Attribution) -> Result<(), TownError>;
    /// The device that a token stands for, as it is now: barred when it was revoked or its account
    /// closed meanwhile. None for a token that is unknown or has run out.
    async fn token(&self, hash: [u8; 32], now: i64) -> Result<Option<Device>, TownError>;
}
