//! What a phone does for itself after a sync: gives up finished records, looks whether its file is whole.

use yaoguan_model::retention::PHONE_KEEPS_S;
use yaoguan_sync::purge;

use crate::error::FieldError;
use crate::phone::Phone;

/// Finished records that one run gives up: a sync stays short.
pub const PURGE_PER_RUN: usize = 500;
/// A disk with less free space than this is nearly full: 64 MiB.
pub const NEARLY_FULL_BYTES: u64 = 64 << 20;

impl Phone {
    /// After a sync. Returns how many records were given up.
    pub(crate) fn tend(&mut self) -> Result<u64, FieldError> {
        let gone = self.give_up(PHONE_KEEPS_S)? + self.free_space(NEARLY_FULL_BYTES)?;
        self.sweep_files()?;
        self.check_if_due()?;
        Ok(gone)
    }

    /// When the disk has less free space than `least` bytes: gives up finished and confirmed records before
    /// their time, oldest first. Their space is the store's to fill again. Returns how many went.
    pub fn free_space(&mut self, least: u64) -> Result<u64, FieldError> {
        let Some(free) = free_bytes(&self.folder.0) else { return Ok(0) };
        if free.saturating_add(self.store.free_bytes()?) >= least {
            return Ok(0);
        }
        self.give_up(0)
    }

    fn give_up(&mut self, keeps_s: i64) -> Result<u64, FieldError> {
        let gone = self.transact(|tx| Ok::<_, FieldError>(purge(tx, keeps_s, PURGE_PER_RUN)?))?;
        Ok(gone.len() as u64)
    }
}

/// Bytes that this person may still write where the folder lies; none where the system does not say.
#[cfg(unix)]
pub(crate) fn free_bytes(folder: &std::path::Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(not(unix))]
pub(crate) fn free_bytes(_: &std::path::Path) -> Option<u64> {
    None
}
