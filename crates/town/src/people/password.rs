//! Passwords: what is one, and what the town keeps of it (Argon2id, RFC 9106).
//!
//! Parameters are OWASP's (Password Storage Cheat Sheet): 19 MiB, two passes, one lane; a town's machine
//! is small. A stored string names its own, and is renewed at the next sign-in when they change.

use std::sync::LazyLock;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use tokio::sync::Semaphore;
use yaoguan_model::Env;

use super::limits::{HASHING_AT_ONCE, MAX_PASSWORD_BYTES, MIN_PASSWORD_CHARS};
use crate::error::TownError;

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

static HASHING: Semaphore = Semaphore::const_new(HASHING_AT_ONCE);

/// Why a text is no password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    TooShort,
    TooLong,
    /// White space at an end is lost when it is copied.
    Spaces,
    /// The login itself.
    Login,
}

/// Checks a new password. What it is made of is its owner's affair (NIST SP 800-63B).
pub fn check(password: &str, login: &str) -> Result<(), Rule> {
    if password.len() > MAX_PASSWORD_BYTES {
        return Err(Rule::TooLong);
    }
    if password.chars().count() < MIN_PASSWORD_CHARS {
        return Err(Rule::TooShort);
    }
    if password.trim() != password {
        return Err(Rule::Spaces);
    }
    if password.eq_ignore_ascii_case(login) { Err(Rule::Login) } else { Ok(()) }
}

fn argon2(memory_kib: u32) -> Result<Argon2<'static>, TownError> {
    let params = Params::new(memory_kib, PASSES, LANES, None);
    let params = params.map_err(|e| TownError::Corrupt(format!("argon2: {e}")))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash_now(password: &str, salt: [u8; 16], memory_kib: u32) -> Result<String, TownError> {
    let hash = argon2(memory_kib)?.hash_password_with_salt(password.as_bytes(), &salt);
    Ok(hash.map_err(|e| TownError::Corrupt(format!("argon2: {e}")))?.to_string())
}

/// What is kept of a password: a PHC string.
pub async fn hash(password: String, env: &dyn Env) -> Result<String, TownError> {
    let salt = env.random_16();
    blocking(move || hash_now(&password, salt, MEMORY_KIB)).await
}

/// Whether a password is the one that was kept. Without one as much work is done, and the answer is no.
pub async fn verify(password: String, kept: Option<String>) -> Result<bool, TownError> {
    blocking(move || {
        let Some(kept) = kept else {
            _ = nobodys().verify(&password);
            return Ok(false);
        };
        let hash = PasswordHash::new(&kept)
            .map_err(|e| TownError::Corrupt(format!("a kept password: {e}")))?;
        Ok(Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
    })
    .await
}

/// Whether a kept password was made with other parameters than today's.
pub fn is_outdated(kept: &str) -> bool {
    let today = format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}$");
    !kept.starts_with(&today)
}

struct Nobodys(Option<String>);

impl Nobodys {
    fn verify(&self, password: &str) -> bool {
        let hash = self.0.as_deref().and_then(|kept| PasswordHash::new(kept).ok());
        hash.is_some_and(|h| Argon2::default().verify_password(password.as_bytes(), &h).is_ok())
    }
}

/// A hash that no account has, to have something to work on.
fn nobodys() -> &'static Nobodys {
    static NOBODYS: LazyLock<Nobodys> =
        LazyLock::new(|| Nobodys(hash_now("nobody", [0; 16], MEMORY_KIB).ok()));
    &NOBODYS
}

async fn blocking<R: Send + 'static>(
    work: impl FnOnce() -> Result<R, TownError> + Send + 'static,
) -> Result<R, TownError> {
    let stopping = || TownError::Input("the town is stopping".to_owned());
    let _turn = HASHING.acquire().await.map_err(|_| stopping())?;
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(stopping()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_known_again_and_no_other_is() {
        let kept = hash_now("correct horse", [1; 16], MEMORY_KIB).unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(verify("correct horse".to_owned(), Some(kept.clone())).await.unwrap());
        assert!(!verify("correct horsf".to_owned(), Some(kept.clone())).await.unwrap());
        assert!(!verify("nobody".to_owned(), None).await.unwrap(), "no account has that one");
        assert!(!is_outdated(&kept));
    }

    #[tokio::test]
    async fn other_parameters_are_outdated_and_still_verify() {
        let kept = hash_now("correct horse", [1; 16], 9 * 1024).unwrap();
        assert!(is_outdated(&kept));
        assert!(verify("correct horse".to_owned(), Some(kept)).await.unwrap());
    }

    #[test]
    fn the_rules_bind_at_their_edges() {
        assert_eq!(check("123456789", "x"), Err(Rule::TooShort));
        assert_eq!(check("1234567890", "x"), Ok(()));
        assert_eq!(check("一二三四五六七八九十", "x"), Ok(()), "characters, not bytes");
        assert_eq!(check(&"a".repeat(256), "x"), Ok(()));
        assert_eq!(check(&"a".repeat(257), "x"), Err(Rule::TooLong));
        assert_eq!(check(" 1234567890", "x"), Err(Rule::Spaces));
        assert_eq!(check("Chief-201001", "chief-201001"), Err(Rule::Login));
    }
}
