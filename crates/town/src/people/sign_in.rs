//! Signing in with a password, and with a one-time password where the account asks for one.
//!
//! A try is counted before it is looked at, by login and by address, and taken back when it was right: so
//! tries at the same time count too. After some wrong ones each is answered later, never not at all.
//! Whether a login exists cannot be told from an answer, from its time or from its waits.

use sha2::{Digest, Sha256};
use yaoguan_model::Env;

use super::limits::{FREE_TRIES, FREE_TRIES_ADDRESS, LONGEST_WAIT_ADDRESS_S, LONGEST_WAIT_S};
use super::{Account, PeopleError, password, totp};
use crate::error::TownError;
use crate::storage::Storage;

/// What somebody typed, and where it came from.
#[derive(Debug, Clone, Copy)]
pub struct Try<'a> {
    pub login: &'a str,
    pub password: &'a str,
    /// None: not asked for yet.
    pub totp: Option<&'a str>,
    /// The other end of the line, without its port.
    pub address: &'a str,
}

/// Why somebody is not let in.
#[derive(Debug)]
pub enum SignInError {
    /// No such login, another password, another code: it is not said which.
    Wrong,
    /// Too many wrong tries: nothing is looked at before that time.
    Slow {
        retry_after_s: i64,
    },
    /// The password is right; the account asks for a code too.
    TotpNeeded,
    /// The password is right; the account was closed.
    Disabled,
    Failed(TownError),
}

impl From<TownError> for SignInError {
    fn from(error: TownError) -> Self {
        Self::Failed(error)
    }
}

/// The two things that tries are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subjects {
    pub login: [u8; 32],
    pub address: [u8; 32],
}

impl Subjects {
    pub fn of(login: &str, address: &str) -> Self {
        let hash = |sort: &str, text: &str| Sha256::digest(format!("{sort}\n{text}")).into();
        Self { login: hash("login", login), address: hash("address", address) }
    }
}

/// What the town has of a login.
#[derive(Debug, Clone)]
pub struct Found {
    pub account: Account,
    pub disabled: bool,
    pub password: Option<String>,
    /// The secret and the last step used, once it is confirmed.
    pub totp: Option<(Vec<u8>, i64)>,
}

/// A counted try.
#[derive(Debug, Clone)]
pub enum Counted {
    /// Not before so many seconds.
    Slow(i64),
    Go(Option<Box<Found>>),
}

/// What a try turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Right in all; the one-time password's step, if there was one.
    Right { step: Option<i64> },
    /// Right as far as it went: this try is not counted, earlier ones still are.
    Half,
}

/// The wait after so many wrong tries, in seconds.
pub fn wait_s(wrong: u32, by_address: bool) -> i64 {
    let (free, longest) = match by_address {
        true => (FREE_TRIES_ADDRESS, LONGEST_WAIT_ADDRESS_S),
        false => (FREE_TRIES, LONGEST_WAIT_S),
    };
    match wrong.checked_sub(free + 1) {
        None => 0,
        Some(over) => 1_i64.checked_shl(over.min(20)).unwrap_or(longest).min(longest),
    }
}

/// Lets somebody in, or not.
pub async fn sign_in(
    storage: &dyn Storage,
    env: &dyn Env,
    typed: Try<'_>,
) -> Result<Account, SignInError> {
    let login = super::login_of(typed.login);
    let subjects = Subjects::of(&login, typed.address);
    let now = env.now_s();
    let found = match storage.count_try(login, subjects, now).await? {
        Counted::Slow(retry_after_s) => return Err(SignInError::Slow { retry_after_s }),
        Counted::Go(found) => found,
    };
    let kept = found.as_ref().and_then(|found| found.password.clone());
    let right = password::verify(typed.password.to_owned(), kept.clone()).await?;
    let (Some(found), Some(kept), true) = (found, kept, right) else {
        return Err(SignInError::Wrong);
    };
    let id = found.account.id;
    if found.disabled {
        return Err(SignInError::Disabled);
    }
    let step = match (&found.totp, typed.totp) {
        (None, _) => None,
        (Some(_), None) => {
            storage.settle_try(id, subjects, Outcome::Half, now).await?;
            return Err(SignInError::TotpNeeded);
        }
        (Some((secret, last)), Some(code)) => {
            let step = totp::step_of(secret, code, now, *last);
            Some(step.ok_or(SignInError::Wrong)?)
        }
    };
    // The step is spent in the transaction that lets the person in: of two at once one is too late.
    if !storage.settle_try(id, subjects, Outcome::Right { step }, now).await? {
        return Err(SignInError::Wrong);
    }
    if password::is_outdated(&kept) {
        let renewed = password::hash(typed.password.to_owned(), env).await?;
        storage.renew_password(id, kept, renewed).await?;
    }
    Ok(found.account)
}

/// Sets a new password with the one-time code of a reset.
pub async fn use_reset(
    storage: &dyn Storage,
    env: &dyn Env,
    login: &str,
    code: &str,
    new: &str,
) -> Result<(), TownError> {
    let login = super::login_of(login);
    password::check(new, &login).map_err(PeopleError::Password)?;
    let code_hash = super::hash_code(&super::code::normal(code));
    let now = env.now_s();
    // Nobody makes the town hash passwords without a code.
    if !storage.reset_waits(login.clone(), code_hash, now).await? {
        return Err(PeopleError::ResetGone.into());
    }
    let hash = password::hash(new.to_owned(), env).await?;
    match storage.use_reset(login, code_hash, hash, now).await? {
        true => Ok(()),
        false => Err(PeopleError::ResetGone.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_are_capped() {
        let waits: Vec<i64> = (4..14).map(|wrong| wait_s(wrong, false)).collect();
        assert_eq!(waits, [0, 0, 1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!((wait_s(20, true), wait_s(21, true), wait_s(u32::MAX, true)), (0, 1, 900));
    }
}
