//! Passwords, one-time passwords and tries to sign in, as storage keeps them. The rules are in
//! `people::sign_in`.

use async_trait::async_trait;
use yaoguan_model::AccountId;

use crate::audit::Attribution;
use crate::error::TownError;
use crate::people::sign_in::{Counted, Outcome, Subjects};

/// What people sign in by. Each method is one transaction.
#[async_trait]
pub trait SignIns: Send + Sync {
    /// Counts a try as a wrong one, unless it comes too early, and gives what is kept of the login.
    async fn count_try(
        &self,
        login: String,
        subjects: Subjects,
        now: i64,
    ) -> Result<Counted, TownError>;
    /// Takes a counted try back; spends the step of a one-time password. False: that was spent already.
    async fn settle_try(
        &self,
        account: AccountId,
        subjects: Subjects,
        outcome: Outcome,
        now: i64,
    ) -> Result<bool, TownError>;

    /// Sets a password (a PHC string); open resets are void.
    async fn set_password(
        &self,
        account: AccountId,
        hash: String,
        done: Attribution,
    ) -> Result<(), TownError>;
    /// Puts a string of other parameters in the place of one for the same password.
    async fn renew_password(
        &self,
        account: AccountId,
        old: String,
        new: String,
    ) -> Result<(), TownError>;
    /// Hands out a one-time code for a new password; an earlier one is void. The old password goes on
    /// until the code is used.
    async fn offer_reset(
        &self,
        account: AccountId,
        code_hash: [u8; 32],
        expires_at: i64,
        done: Attribution,
    ) -> Result<(), TownError>;
    /// Whether the code would be taken.
    async fn reset_waits(
        &self,
        login: String,
        code_hash: [u8; 32],
        now: i64,
    ) -> Result<bool, TownError>;
    /// Uses the code up and sets the password; false: it is unknown, used or stale.
    async fn use_reset(
        &self,
        login: String,
        code_hash: [u8; 32],
        hash: String,
        now: i64,
    ) -> Result<bool, TownError>;

    /// Keeps a secret that is asked for once it is confirmed.
    async fn enrol_totp(
        &self,
        account: AccountId,
        secret: Vec<u8>,
        done: Attribution,
    ) -> Result<(), TownError>;
    /// Confirms the secret with a code of it.
    async fn confirm_totp(
        &self,
        account: AccountId,
        code: String,
        done: Attribution,
    ) -> Result<(), TownError>;
    /// Forgets the secret; false: there was none.
    async fn disable_totp(&self, account: AccountId, done: Attribution) -> Result<bool, TownError>;
}
