//! One program that serves a data folder, or puts another database in its place: a lock that the system releases when the process ends, however it ends.
//!
//! Commands beside the server (invites, status, backups) do not take it: the database lets them in.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::TownError;

const LOCK: &str = "town.lock";

/// Who holds the folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub pid: u32,
    /// What phones are told, and where it listens; none until it does.
    pub url: Option<String>,
    pub address: Option<SocketAddr>,
}

/// The held lock; dropping it lets go.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

/// Takes the folder for this process.
pub fn take(dir: &Path) -> Result<Lock, TownError> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(dir.join(LOCK))?;
    match file.try_lock() {
        Ok(()) => {
            let mut lock = Lock { file };
            lock.note(None, None)?;
            Ok(lock)
        }
        Err(TryLockError::WouldBlock) => Err(TownError::InUse(dir.to_owned())),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

impl Lock {
    /// Notes where this process listens, for `doctor`.
    pub fn tell(&mut self, url: &str, address: SocketAddr) -> Result<(), TownError> {
        self.note(Some(url.to_owned()), Some(address))
    }

    fn note(&mut self, url: Option<String>, address: Option<SocketAddr>) -> Result<(), TownError> {
        let holder = Holder { pid: std::process::id(), url, address };
        let text = serde_json::to_string(&holder).map_err(std::io::Error::other)?;
        self.file.set_len(0)?;
        std::io::Seek::rewind(&mut self.file)?;
        Ok(writeln!(self.file, "{text}")?)
    }
}

/// Who holds the folder now; nobody when the lock is free, whatever the file says.
pub fn holder(dir: &Path) -> Option<Holder> {
    let file = File::open(dir.join(LOCK)).ok()?;
    match file.try_lock_shared() {
        Ok(()) => None,
        Err(_) => Some(read(dir).unwrap_or(Holder { pid: 0, url: None, address: None })),
    }
}

fn read(dir: &Path) -> Option<Holder> {
    serde_json::from_str(&std::fs::read_to_string(dir.join(LOCK)).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_held_once_and_free_afterwards() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(holder(dir.path()), None);
        let mut lock = take(dir.path()).unwrap();
        lock.tell("https://10.0.0.1:8443", ([10, 0, 0, 1], 8443).into()).unwrap();
        let held = holder(dir.path()).unwrap();
        assert_eq!(held.url.unwrap(), "https://10.0.0.1:8443");
        let second = take(dir.path());
        assert!(matches!(second, Err(TownError::InUse(_))));
        assert_eq!(held.pid, std::process::id());
        drop(lock);
        assert_eq!(holder(dir.path()), None);
        take(dir.path()).unwrap();
    }
}
