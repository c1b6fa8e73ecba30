//! Disks that fail on purpose: everything that SQLite reads and writes below a folder goes through here.
//!
//! [`Disk::of`] names a folder; from then on each I/O on databases below it is counted, and may fail, end
//! the program, or be undone as a power cut undoes what was never synced. The real files are written all
//! along; nothing but `fsync` itself is left out, which makes a test on a slow disk fast. A folder that is
//! not named is left alone.
//!
//! What is modelled: a write reaches the platter with the next sync of its file; at a power cut each write
//! since then is there, is missing, or is there in part (whole sectors of 512 bytes). Names of files are durable
//! at once. The shared memory of a log does not outlive its machine.

mod vfs;

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a device writes as one.
const SECTOR: usize = 512;

/// How an I/O fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The device gives an error.
    Eio,
    /// No space is left.
    Enospc,
    /// Half of the bytes are written, then no space is left.
    Short,
}

/// What an I/O does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Read,
    Write,
    Sync,
    Truncate,
    Delete,
}

/// What becomes of an I/O.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Done,
    Fails(Failure),
    /// The program has ended: nothing reaches the disk any more.
    Dead,
}

/// Write, truncation: what was there before, and what came.
#[derive(Debug)]
pub(crate) struct Unsynced {
    at: u64,
    old: Vec<u8>,
    old_len: u64,
    /// None for a truncation.
    new: Option<Vec<u8>>,
    new_len: u64,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    /// I/O that changes something, since the start.
    changes: u64,
    /// All I/O.
    all: u64,
    die_at: Option<u64>,
    dead: bool,
    fail_at: Option<(u64, Failure)>,
    /// How often a planned failure struck.
    struck: u64,
    unsynced: BTreeMap<PathBuf, Vec<Unsynced>>,
}

/// The databases below one folder.
#[derive(Debug, Clone)]
pub struct Disk {
    folder: PathBuf,
    state: Arc<Mutex<State>>,
}

static DISKS: Mutex<Vec<Disk>> = Mutex::new(Vec::new());

impl Disk {
    /// Takes the databases below a folder under watch, for as long as the process runs or until
    /// [`Disk::forget`].
    pub fn of(folder: &Path) -> Self {
        vfs::install();
        let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        let disk = Self { folder, state: Arc::default() };
        let mut disks = DISKS.lock().unwrap_or_else(PoisonError::into_inner);
        disks.retain(|known| known.folder != disk.folder);
        disks.push(disk.clone());
        disk
    }

    /// Leaves them alone again.
    pub fn forget(&self) {
        let mut disks = DISKS.lock().unwrap_or_else(PoisonError::into_inner);
        disks.retain(|known| known.folder != self.folder);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes, syncs, truncations and deletions so far.
    pub fn changes(&self) -> u64 {
        self.state().changes
    }

    /// All I/O so far, reading too.
    pub fn all(&self) -> u64 {
        self.state().all
    }

    /// The program ends at the `n`-th change from now on (1: the next): that one and all after it do not
    /// happen, whatever the program still tries.
    pub fn die_at(&self, n: u64) {
        let mut state = self.state();
        state.die_at = Some(state.changes + n.max(1));
    }

    /// The program ends now.
    pub fn die(&self) {
        self.state().dead = true;
    }

    pub fn is_dead(&self) -> bool {
        self.state().dead
    }

    /// The `n`-th I/O from now on fails, once.
    pub fn fail_at(&self, n: u64, failure: Failure) {
        let mut state = self.state();
        state.fail_at = Some((state.all + n.max(1), failure));
    }

    /// How many planned failures struck.
    pub fn struck(&self) -> u64 {
        self.state().struck
    }

    /// The program may start again, and nothing is planned any more. All its connections must be closed.
    pub fn revive(&self) {
        let mut state = self.state();
        state.dead = false;
        state.die_at = None;
        state.fail_at = None;
    }

    /// All that was written is on the platter: the files were put there by other means.
    pub fn settle(&self) {
        self.state().unsynced.clear();
    }

    /// The power goes: of what was not synced each write is there, or not, or in part, as `dice` says (any
    /// number). All connections must be closed, and closed dead, so that no close wrote anything.
    pub fn cut_power(&self, mut dice: impl FnMut() -> u64) -> std::io::Result<()> {
        let unsynced = std::mem::take(&mut self.state().unsynced);
        for (path, writes) in unsynced {
            if !path.exists() {
                continue;
            }
            let mut file = OpenOptions::new().read(true).write(true).open(&path)?;
            for write in writes.iter().rev() {
                file.seek(SeekFrom::Start(write.at))?;
                file.write_all(&write.old)?;
                file.set_len(write.old_len)?;
            }
            // All of it up to some point, some of it, or none.
            let mode = dice() % 3;
            let upto = dice() as usize % (writes.len() + 1);
            for (index, write) in writes.iter().enumerate() {
                let kept = match mode {
                    0 => false,
                    1 => index < upto,
                    _ => dice().is_multiple_of(2),
                };
                let torn = mode != 0 && index == upto;
                if kept || torn {
                    write.redo(&mut file, torn.then(&mut dice))?;
                }
            }
        }
        self.forget_shared_memory(&self.folder)
    }

    fn forget_shared_memory(&self, folder: &Path) -> std::io::Result<()> {
        let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                self.forget_shared_memory(&path)?;
            } else if path.to_string_lossy().ends_with("-shm") {
                std::fs::remove_file(path)?;
            }
        }
        Ok(())
    }
}

impl Unsynced {
    fn redo(&self, file: &mut File, torn: Option<u64>) -> std::io::Result<()> {
        let Some(new) = &self.new else { return file.set_len(self.new_len) };
        let sectors = new.len().div_ceil(SECTOR);
        let whole = torn.map_or(new.len(), |dice| (dice as usize % sectors.max(1)) * SECTOR);
        file.seek(SeekFrom::Start(self.at))?;
        file.write_all(&new[..whole.min(new.len())])
    }
}

/// The disk that a path lies on.
pub(crate) fn disk_of(path: &Path) -> Option<Disk> {
    let disks = DISKS.lock().unwrap_or_else(PoisonError::into_inner);
    disks.iter().find(|disk| path.starts_with(&disk.folder)).cloned()
}

impl Disk {
    /// Counts one I/O and says what becomes of it.
    pub(crate) fn next(&self, act: Act) -> Fate {
        let mut state = self.state();
        state.all += 1;
        if act != Act::Read {
            state.changes += 1;
            if state.die_at.is_some_and(|at| state.changes >= at) {
                state.dead = true;
            }
        }
        if state.dead {
            return Fate::Dead;
        }
        match state.fail_at {
            Some((at, failure)) if state.all >= at => {
                state.fail_at = None;
                state.struck += 1;
                Fate::Fails(failure)
            }
            Some(_) | None => Fate::Done,
        }
    }

    /// Before a write or a truncation of the real file.
    pub(crate) fn note_change(&self, path: &Path, at: u64, new: Option<&[u8]>) {
        let Ok(mut file) = File::open(path) else { return };
        let old_len = file.metadata().map_or(0, |data| data.len());
        let reach = new.map_or(u64::MAX, |new| new.len() as u64);
        let mut old = Vec::new();
        if file.seek(SeekFrom::Start(at)).is_ok() {
            _ = file.take(reach).read_to_end(&mut old);
        }
        let new_len = if new.is_some() { old_len } else { at };
        let change = Unsynced { at, old, old_len, new: new.map(<[u8]>::to_vec), new_len };
        self.state().unsynced.entry(path.to_owned()).or_default().push(change);
    }

    pub(crate) fn note_sync(&self, path: &Path) {
        self.state().unsynced.remove(path);
    }
}
