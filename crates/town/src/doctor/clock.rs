//! The clock: proofs of phones and certificates hang on it.

use std::path::Path;
use std::process::Command;

use super::Check;

/// This program was not made before this: 2026-01-01.
const EARLIEST_S: i64 = 1_767_225_600;
/// A file that was written later than now, by more than this, says that the clock was set back.
const SET_BACK_S: i64 = 120;

pub(super) fn clock(data: &Path, now: i64) -> Check {
    judge(now, newest_file(data), synchronised())
}

fn judge(now: i64, newest: Option<i64>, synchronised: Option<bool>) -> Check {
    const NAME: &str = "clock";
    if now < EARLIEST_S {
        return Check::bad(NAME, "clock_early");
    }
    if newest.is_some_and(|newest| newest > now + SET_BACK_S) {
        return Check::bad(NAME, "clock_behind_files");
    }
    match synchronised {
        Some(true) => Check::ok(NAME, "clock_synchronised"),
        Some(false) => Check::warn(NAME, "clock_alone"),
        None => Check::ok(NAME, "clock_plausible"),
    }
}

/// When the newest file of the folder was written.
fn newest_file(data: &Path) -> Option<i64> {
    let written = |entry: std::fs::DirEntry| {
        let since = entry.metadata().ok()?.modified().ok()?;
        let since = since.duration_since(std::time::UNIX_EPOCH).ok()?;
        i64::try_from(since.as_secs()).ok()
    };
    std::fs::read_dir(data).ok()?.flatten().filter_map(written).max()
}

/// What systemd says; none where it does not run.
fn synchronised() -> Option<bool> {
    let mut ask = Command::new("timedatectl");
    let answer = ask.args(["show", "--property=NTPSynchronized", "--value"]).output().ok()?;
    match String::from_utf8_lossy(&answer.stdout).trim() {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_judged_by_the_network_and_by_the_files() {
        let now = EARLIEST_S + 86_400;
        assert_eq!(judge(0, None, Some(true)).found, "clock_early");
        assert_eq!(judge(now, Some(now + 3_600), Some(true)).found, "clock_behind_files");
        assert_eq!(judge(now, Some(now + 60), Some(true)).found, "clock_synchronised");
        assert_eq!(judge(now, Some(now), Some(false)).found, "clock_alone");
        assert_eq!(judge(now, None, None).found, "clock_plausible");
    }
}
