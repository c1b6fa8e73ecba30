//! Time-based one-time passwords (RFC 6238 over RFC 4226): SHA-1, 30 seconds, six digits. Pure.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use subtle::ConstantTimeEq as _;
use yaoguan_model::Env;

/// A code is shown this long.
pub const STEP_S: i64 = 30;
const DIGITS: u32 = 6;
/// A code of the step before and after is taken too (RFC 6238 §5.2).
const SKEW: i64 = 1;
/// RFC 4226 §4: as long as the hash.
pub const SECRET_BYTES: usize = 20;

/// A new secret.
pub fn new_secret(env: &dyn Env) -> Vec<u8> {
    env.random_16().into_iter().chain(env.random_16()).take(SECRET_BYTES).collect()
}

/// The step that a code is right for, if it is later than the last one used.
pub fn step_of(secret: &[u8], code: &str, now: i64, last: i64) -> Option<i64> {
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    let current = now.div_euclid(STEP_S);
    let mut found = None;
    for step in current - SKEW..=current + SKEW {
        let right = bool::from(code_at(secret, step).as_bytes().ct_eq(code.as_bytes()));
        if right && step > last && found.is_none() {
            found = Some(step);
        }
    }
    found
}

/// The code of a step, as an authenticator app shows it (RFC 4226 §5.3).
pub fn code_at(secret: &[u8], step: i64) -> String {
    // A key of any length is taken: this never fails.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(secret) else { return String::new() };
    mac.update(&step.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let offset = usize::from(hash.last().copied().unwrap_or(0) & 0x0F);
    let four = hash.iter().skip(offset).take(4).fold(0_u32, |n, b| (n << 8) | u32::from(*b));
    let number = (four & 0x7FFF_FFFF) % 10_u32.pow(DIGITS);
    format!("{number:0width$}", width = DIGITS as usize)
}

/// RFC 4648 §6 without padding.
pub fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    spell(bytes, ALPHABET)
}

/// Five bits a letter, the last padded with zeros.
pub(super) fn spell(bytes: &[u8], alphabet: &[u8; 32]) -> String {
    let (mut text, mut bits, mut have) = (String::new(), 0_u32, 0_u32);
    let letter = |index: u32| alphabet.get(index as usize & 31).copied().map_or('A', char::from);
    for byte in bytes {
        bits = (bits << 8) | u32::from(*byte);
        have += 8;
        while have >= 5 {
            have -= 5;
            text.push(letter(bits >> have));
        }
        bits &= (1 << have) - 1;
    }
    if have > 0 {
        text.push(letter(bits << (5 - have)));
    }
    text
}

/// What an authenticator app scans (Key Uri Format).
pub fn uri(town: &str, login: &str, secret: &[u8]) -> String {
    let town = yaoguan_wire::enrol::escape(town);
    let (login, secret) = (yaoguan_wire::enrol::escape(login), base32(secret));
    format!(
        "otpauth://totp/{town}:{login}?secret={secret}&issuer={town}&algorithm=SHA1&digits={DIGITS}&period={STEP_S}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8; 20] = b"12345678901234567890";

    /// RFC 6238, appendix B (SHA-1), the last six of its eight digits.
    #[test]
    fn the_vectors_of_the_rfc_hold() {
        for (time, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(step_of(SECRET, code, time, 0), Some(time / 30), "{time}");
        }
    }

    #[test]
    fn one_step_off_is_taken_and_two_are_not() {
        let taken = |now| step_of(SECRET, "050471", now, 0).is_some();
        let start = 1_111_111_111 / 30 * 30;
        assert!(taken(start - 30) && taken(start) && taken(start + 59));
        assert!(!taken(start - 31) && !taken(start + 60));
    }

    #[test]
    fn a_step_is_used_once() {
        let step = 1_111_111_111 / 30;
        assert_eq!(step_of(SECRET, "050471", 1_111_111_111, step - 1), Some(step));
        assert_eq!(step_of(SECRET, "050471", 1_111_111_111, step), None);
        assert_eq!(step_of(SECRET, "", 1_111_111_111, 0), None);
    }

    /// RFC 4648 §10.
    #[test]
    fn base32_is_that_of_the_rfc() {
        for (text, spelt) in [("", ""), ("f", "MY"), ("foob", "MZXW6YQ"), ("foobar", "MZXW6YTBOI")]
        {
            assert_eq!(base32(text.as_bytes()), spelt);
        }
    }
}
