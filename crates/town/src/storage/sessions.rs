//! Sessions of the console: kept hashed, ended by time, by their owner, by another password, by a restore.

use async_trait::async_trait;
use yaoguan_model::AccountId;

use crate::error::TownError;
use crate::people::Account;

/// A session ends when nothing was asked for this long.
pub const IDLE_S: i64 = 8 * 3600;
/// And in any case after this long.
pub const LONGEST_S: i64 = 24 * 3600;
/// Sessions of one account; the oldest beyond them end.
pub const MAX_SESSIONS: u32 = 16;
/// How often it is written down that a session is in use.
pub const SEEN_EVERY_S: i64 = 60;

/// A password that was given this recently is not asked for again.
pub const PROVED_S: i64 = 10 * 60;

/// Whether asking keeps a session alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// A person does something.
    Active,
    /// An open page listens.
    Listening,
}

/// Sessions. Each method is one transaction.
#[async_trait]
pub trait Sessions: Send + Sync {
    async fn add_session(
        &self,
        hash: [u8; 32],
        account: AccountId,
        now: i64,
    ) -> Result<(), TownError>;
    /// The account of a session as it is now; none when the session ended or the account was closed.
    async fn session(
        &self,
        hash: [u8; 32],
        by: Use,
        now: i64,
    ) -> Result<Option<Account>, TownError>;
    /// Notes that the session's person has just given the password again.
    async fn prove_session(&self, hash: [u8; 32], now: i64) -> Result<(), TownError>;
    /// Whether that was within [`PROVED_S`].
    async fn is_proved(&self, hash: [u8; 32], now: i64) -> Result<bool, TownError>;
    /// Ends one session, or all of its account.
    async fn end_session(&self, hash: [u8; 32], everywhere: bool) -> Result<(), TownError>;
}
