//! Wrong PINs are slowed: `phone.pin.tries` counts them. Nothing is ever destroyed.
//!
//! The wait is measured from the last try by the time since the device started, which nobody can set. After
//! a restart that time begins anew: the whole wait is waited again, never less.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use yaoguan_model::Env;

use crate::durable;
use crate::error::FieldError;
use crate::folder::io;

/// Wrong PINs that cost no wait: fingers slip.
pub(crate) const FREE_TRIES: u32 = 4;
/// The wait after the next one; it doubles from there.
pub(crate) const FIRST_WAIT_MS: i64 = 30_000;
/// The longest wait. All PINs would take 28 years.
pub(crate) const MAX_WAIT_MS: i64 = 15 * 60_000;

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Tries {
    wrong: u32,
    /// Of the last one, since the device started.
    at_boot_ms: i64,
}

impl Tries {
    fn whole_wait_ms(self) -> i64 {
        let doublings = match self.wrong.checked_sub(FREE_TRIES + 1) {
            Some(doublings) => doublings.min(16),
            None => return 0,
        };
        (FIRST_WAIT_MS << doublings).min(MAX_WAIT_MS)
    }
}

fn path(data: &Path) -> PathBuf {
    data.join("phone.pin.tries")
}

fn read(data: &Path) -> Result<Tries, FieldError> {
    let path = path(data);
    match std::fs::read(&path) {
        // One that cannot be read counts as many: altering it gains nothing.
        Ok(text) => Ok(serde_json::from_slice(&text)
            .unwrap_or(Tries { wrong: u32::MAX / 2, at_boot_ms: i64::MAX })),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Tries::default()),
        Err(error) => Err(io(&path, error)),
    }
}

fn write(data: &Path, tries: Tries) -> Result<(), FieldError> {
    let path = path(data);
    let text = serde_json::to_vec(&tries).map_err(|e| FieldError::Protocol(e.to_string()))?;
    durable::replace(&path, &text).map_err(|e| io(&path, e))
}

/// How long the next try has to wait.
pub(crate) fn wait_ms(data: &Path, env: &dyn Env) -> Result<i64, FieldError> {
    let (mut tries, now_ms) = (read(data)?, env.boot_elapsed_ms());
    if tries.whole_wait_ms() == 0 {
        return Ok(0);
    }
    if now_ms < tries.at_boot_ms {
        tries.at_boot_ms = now_ms;
        write(data, tries)?;
    }
    let waited_ms = now_ms.saturating_sub(tries.at_boot_ms);
    Ok(tries.whole_wait_ms().saturating_sub(waited_ms).max(0))
}

/// One more try, before it is known whether it is right.
pub(crate) fn count(data: &Path, env: &dyn Env) -> Result<(), FieldError> {
    let wrong = read(data)?.wrong.saturating_add(1);
    write(data, Tries { wrong, at_boot_ms: env.boot_elapsed_ms() })
}

/// The PIN was right, or is new.
pub(crate) fn forget(data: &Path) -> Result<(), FieldError> {
    let path = path(data);
    durable::remove(&path).map_err(|e| io(&path, e))
}
