//! Whoever sits at the town's machine: the system's user acts, and the audit log names them.

use std::os::unix::fs::MetadataExt as _;

use yaoguan_model::Env as _;
use yaoguan_model::env::System;
use yaoguan_town::audit::{Attribution, By};
pub(super) use yaoguan_town::days::local_time;

/// What the kernel says of a process that nobody has signed in to start.
const NOBODY: u32 = u32::MAX;

/// The user who has signed in, also behind `sudo` and whoever the program works as; else the system's user.
/// The environment is not asked: it says what it is told to.
fn uid() -> Option<u32> {
    let signed_in = std::fs::read_to_string("/proc/self/loginuid").ok();
    let signed_in = signed_in.and_then(|uid| uid.trim().parse().ok()).filter(|uid| *uid != NOBODY);
    signed_in.or_else(|| Some(std::fs::metadata("/proc/self").ok()?.uid()))
}

/// By name where the system knows one.
pub(super) fn by() -> By {
    let Some(uid) = uid() else { return By::Console("?".to_owned()) };
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = users.lines().find_map(|line| {
        let mut parts = line.split(':');
        let (name, id) = (parts.next()?, parts.nth(1)?);
        (id == uid.to_string()).then(|| name.to_owned())
    });
    By::Console(name.unwrap_or_else(|| uid.to_string()))
}

/// Done here and now.
pub(super) fn done(reason: &str) -> Attribution {
    Attribution::new(by(), System.now_s()).because(reason)
}
