//! Room on the phone: what files take, what may be freed, and what is swept.
//!
//! Only what has its receipt in this epoch of the town is freed, longest unused first, and never while a
//! reconciliation is owed. What nothing refers to is swept: at every start, and after a sync.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use yaoguan_model::{BlobHash, FieldPath, Value, blob};
use yaoguan_store::{FileKind, MediaFile, NewFile};

use crate::error::FieldError;
use crate::files::Files;
use crate::phone::Phone;
use crate::tend::free_bytes;

/// Files that a broken store may have lost the way to are kept for so long after it was saved, in
/// milliseconds: 90 days.
pub const KEEPS_LOST_MS: i64 = 90 * 24 * 60 * 60 * 1000;
/// Bytes of a mebibyte.
const MIB: u64 = 1 << 20;

/// What the storage page shows; bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, export_to = "field.ts"))]
pub struct Stowage {
    /// Free on the disk; none where the system does not say.
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub disk_free: Option<u64>,
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub records: u64,
    /// Own photos and tracks that the town has not received.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub waiting: u64,
    /// Own photos that it has.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub received: u64,
    /// Photos of others.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub fetched: u64,
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub thumbs: u64,
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub tracks: u64,
    /// What may be freed now.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub freeable: u64,
    pub freeable_files: usize,
    /// Photos that the town has may take up so much.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub limit: u64,
    /// Files that are not sent any more, until the person decides.
    pub refused_files: usize,
}

/// What was freed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, export_to = "field.ts"))]
pub struct Freed {
    pub files: usize,
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub bytes: u64,
}

impl Phone {
    pub fn stowage(&self) -> Result<Stowage, FieldError> {
        let rules = self.sending()?;
        let files = self.store.files_here()?;
        let sum = |of: &dyn Fn(&MediaFile) -> bool| -> u64 {
            files.iter().filter(|file| of(file)).map(|file| file.size).sum()
        };
        let photo = |file: &MediaFile| file.kind == FileKind::Photo;
        let waits = |file: &MediaFile| file.is_own && !rules.is_received(file);
        let freeable = self.freeable()?;
        let size = |path| std::fs::metadata(path).map_or(0, |found: std::fs::Metadata| found.len());
        let mut log = self.folder.database().into_os_string();
        log.push("-wal");
        Ok(Stowage {
            disk_free: free_bytes(&self.folder.0),
            records: size(self.folder.database()) + size(log.into()),
            waiting: sum(&|file| waits(file) && file.kind != FileKind::Thumb),
            received: sum(&|file| file.is_own && photo(file) && !waits(file)),
            fetched: sum(&|file| !file.is_own && photo(file)),
            thumbs: sum(&|file| file.kind == FileKind::Thumb),
            tracks: sum(&|file| file.kind == FileKind::Track && !waits(file)),
            freeable: freeable.iter().map(|file| file.size).sum(),
            freeable_files: freeable.len(),
            limit: self.limit_bytes()?,
            refused_files: files.iter().filter(|file| file.refused.is_some()).count(),
        })
    }

    /// Frees photos that the town has, longest unused first: all of them, or until so many bytes are free.
    pub fn free_photos(&mut self, bytes: Option<u64>) -> Result<Freed, FieldError> {
        let mut freed = Freed::default();
        for file in self.freeable()? {
            if bytes.is_some_and(|bytes| freed.bytes >= bytes) {
                break;
            }
            // A crash in between leaves a file that no row says is here: the next look finds it.
            self.transact(|tx| Ok::<_, FieldError>(tx.leave_file(file.hash)?))?;
            self.files.remove(file.hash)?;
            freed.files += 1;
            freed.bytes += file.size;
        }
        Ok(freed)
    }

    fn freeable(&self) -> Result<Vec<MediaFile>, FieldError> {
        let state = self.store.state()?;
        if state.reconcile {
            return Ok(Vec::new());
        }
        Ok(self.store.files_to_free(state.epoch)?)
    }

    fn limit_bytes(&self) -> Result<u64, FieldError> {
        Ok(u64::from(self.settings()?.photos_mib) * MIB)
    }

    /// Photos that the town has take up no more than the person allows.
    pub(crate) fn keep_within_limit(&mut self) -> Result<(), FieldError> {
        let held: u64 = self.freeable()?.iter().map(|file| file.size).sum();
        let over = held.saturating_sub(self.limit_bytes()?);
        if over > 0 {
            self.free_photos(Some(over))?;
        }
        Ok(())
    }

    /// Removes files that nothing refers to, and takes up files whose row was lost. Nothing happens while
    /// somebody adds files. Returns how many went.
    pub(crate) fn sweep_files(&mut self) -> Result<u64, FieldError> {
        if !Files::folder(&self.folder.0).exists() || self.store.check_writable().is_err() {
            return Ok(0);
        }
        let Some(_gate) = self.files.close_gate()? else { return Ok(0) };
        let needed = self.files_apart()?;
        // What phone and town do not have alike may be records of which this phone has the photos.
        let owed = self.store.state()?.reconcile;
        let keeps_lost = owed || self.keeps_lost()?;
        let mut gone = 0;
        for file in self.store.unreferred_files()? {
            let is_lost = owed || keeps_lost && file.is_own && file.epoch.is_none();
            if needed.contains(&file.hash) || is_lost {
                continue;
            }
            self.transact(|tx| Ok::<_, FieldError>(tx.forget_file(file.hash)?))?;
            self.files.remove(file.hash)?;
            gone += 1;
        }
        for hash in self.files.all() {
            gone += u64::from(self.look_at(hash, &needed, keeps_lost)?);
        }
        Ok(gone)
    }

    /// A file as it lies: true when nothing needed it and it went.
    fn look_at(
        &mut self,
        hash: BlobHash,
        needed: &BTreeSet<BlobHash>,
        keeps_lost: bool,
    ) -> Result<bool, FieldError> {
        let row = self.store.media_file(hash)?;
        if row.as_ref().is_some_and(|file| file.is_here) {
            return Ok(false);
        }
        let known = row.as_ref().map(|file| file.kind);
        let kind = match self.store.kind_by_reference(hash)? {
            Some(kind) => Some(kind),
            None if needed.contains(&hash) => Some(known.unwrap_or(FileKind::Photo)),
            None => None,
        };
        match (kind, self.files.len(hash)) {
            (Some(kind), Some(size)) => {
                let at_ms = self.env.now_ms();
                let is_own = row.is_none_or(|file| file.is_own);
                let new = NewFile { hash, kind, size, is_own, thumb: None, at_ms };
                self.transact(|tx| Ok::<_, FieldError>(tx.adopt_file(&new)?))?;
                Ok(false)
            }
            (None, _) if keeps_lost => Ok(false),
            (None, _) | (_, None) => self.files.remove(hash).map(|()| true),
        }
    }

    /// What drafts and quarantined saves refer to.
    fn files_apart(&self) -> Result<BTreeSet<BlobHash>, FieldError> {
        let mut needed = BTreeSet::new();
        for entry in self.store.quarantined()? {
            let kept = entry.save.kept;
            needed.extend(blob::references_of_changes(&kept.about.kind, &kept.changes));
        }
        for draft in self.store.drafts()? {
            let values: BTreeMap<FieldPath, Value> =
                draft.values.into_iter().filter_map(|(path, value)| Some((path, value?))).collect();
            needed.extend(blob::references_of_values(&draft.kind, values.iter()));
        }
        Ok(needed)
    }

    /// This store was saved from a broken one not long ago: it may have lost records whose photos are here.
    fn keeps_lost(&self) -> Result<bool, FieldError> {
        let last = self.store.salvages()?.into_iter().map(|one| one.at).max();
        let now = self.env.now_ms();
        Ok(last.is_some_and(|at| now.saturating_sub(at) < KEEPS_LOST_MS))
    }
}
