//! Every limit of accounts and sign-in, named once.

/// Letters, digits, `.`, `_` and `-` of a login.
pub const LOGIN_CHARS: std::ops::RangeInclusive<usize> = 2..=32;
/// Characters of a password, at least.
pub const MIN_PASSWORD_CHARS: usize = 10;
/// Bytes of a password, at most.
pub const MAX_PASSWORD_BYTES: usize = 256;
/// How long a one-time code for a new password holds.
pub const RESET_HOLDS_S: i64 = 24 * 60 * 60;
/// Rows of a table of accounts.
pub const MAX_ROSTER_ROWS: usize = 10_000;
/// Invites made in one go.
pub const MAX_INVITES: usize = 10_000;

/// Wrong tries for one login that cost nothing; each further one doubles the wait, from 1 s.
pub const FREE_TRIES: u32 = 5;
/// The longest wait for one login: whoever guesses at somebody's password must not keep them out.
pub const LONGEST_WAIT_S: i64 = 60;
/// The same from one address, where a whole office may sit.
pub const FREE_TRIES_ADDRESS: u32 = 20;
/// The longest wait for one address.
pub const LONGEST_WAIT_ADDRESS_S: i64 = 15 * 60;
/// Wrong tries are forgotten when there was none for this long.
pub const TRIES_FORGOTTEN_S: i64 = 24 * 60 * 60;
/// Passwords that are hashed at once: each takes 19 MiB.
pub const HASHING_AT_ONCE: usize = 2;
