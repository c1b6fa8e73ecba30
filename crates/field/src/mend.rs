//! A broken store: noticed, moved aside, and what can be read of it saved into a new one.
//!
//! The broken file is never changed and never deleted. Everything is in the new file before the two change
//! places; a start that finds the change half done brings it to its end.

use std::path::{Path, PathBuf};

use yaoguan_model::Env;
use yaoguan_store::salvage::{Salvaged, log, salvage};
use yaoguan_store::{Key, Store, StoreError};

use crate::durable::beside;
use crate::error::FieldError;
use crate::files::Files;
use crate::folder::{Folder, io};
use crate::home::Home;
use crate::phone::Phone;
use crate::seal::FileSeal;
use crate::seal::pin::PinFile;

/// A store is read as a whole this often, by the town's time, in seconds: weekly.
pub const CHECK_EVERY_S: i64 = 7 * 24 * 60 * 60;

/// Files that belong to a database file.
const BESIDE: [&str; 3] = ["", "-wal", "-shm"];

/// Whether an error says that the file itself is damaged.
pub(crate) fn is_damage(error: &FieldError) -> bool {
    matches!(error, FieldError::Store(StoreError::Damaged(_) | StoreError::Record(_)))
}

/// Opens the store; a damaged one is replaced by what can be read of it.
pub(crate) fn open(
    folder: &Folder,
    key: &Key,
    env: &dyn Env,
) -> Result<(Store, Option<Salvaged>), FieldError> {
    if let Some(repaired) = damaged_log(folder) {
        let salvaged = replace(folder, key, env, Some(&repaired))?;
        return Ok((Store::open(&folder.database(), key)?, Some(salvaged)));
    }
    let opened = || {
        let store = Store::open(&folder.database(), key)?;
        if folder.suspect().exists() {
            store.check()?
        } else {
            store.probe()?
        }
        Ok(store)
    };
    // A read that failed in passing can look like damage; damage is there the second time too.
    let first = opened();
    let found = match first {
        Err(StoreError::Damaged(_) | StoreError::Record(_)) => opened(),
        first => first,
    };
    match found {
        Ok(store) => {
            _ = std::fs::remove_file(folder.suspect());
            Ok((store, None))
        }
        Err(StoreError::Damaged(_) | StoreError::Record(_)) => {
            let salvaged = replace(folder, key, env, None)?;
            Ok((Store::open(&folder.database(), key)?, Some(salvaged)))
        }
        Err(error) => Err(error.into()),
    }
}

/// What can be read of a log that a killed program left and that was damaged since. Read twice: another
/// program may be writing it just now.
fn damaged_log(folder: &Folder) -> Option<Vec<u8>> {
    let path = beside(&folder.database(), "-wal");
    let read = || std::fs::read(&path).ok().as_deref().and_then(log::repaired);
    let first = read()?;
    read().filter(|second| *second == first)
}

/// `repaired`: the log to read instead of the one that is there.
fn replace(
    folder: &Folder,
    key: &Key,
    env: &dyn Env,
    repaired: Option<&[u8]>,
) -> Result<Salvaged, FieldError> {
    // Nobody syncs meanwhile.
    let _lock = folder.lock()?;
    let aside = aside(folder, env);
    let new = folder.new_database();
    remove(&new)?;
    let name = aside.display().to_string();
    let mut salvaged = match repaired {
        None => salvage(&folder.database(), key, &new, &name, env)?,
        Some(log) => {
            let copy = folder.0.join("phone.db.mending");
            remove(&copy)?;
            std::fs::copy(folder.database(), &copy).map_err(|e| io(&copy, e))?;
            std::fs::write(beside(&copy, "-wal"), log).map_err(|e| io(&copy, e))?;
            let salvaged = salvage(&copy, key, &new, &name, env);
            remove(&copy)?;
            salvaged?
        }
    };
    // The wrong part of a log is a place that could not be read too.
    salvaged.damaged += u64::from(repaired.is_some());
    rename(&folder.database(), &aside)?;
    std::fs::rename(&new, folder.database()).map_err(|e| io(&new, e))?;
    folder.make_names_durable()?;
    _ = std::fs::remove_file(folder.suspect());
    Ok(salvaged)
}

/// Where a broken database goes: a name that tells the day, and is free.
fn aside(folder: &Folder, env: &dyn Env) -> PathBuf {
    let at = chrono::DateTime::from_timestamp_millis(env.now_ms()).unwrap_or_default();
    let name = format!("phone.db.broken-{}", at.format("%Y%m%dT%H%M%SZ"));
    let free = |n: &u32| {
        let name = if *n == 0 { name.clone() } else { format!("{name}-{n}") };
        Some(folder.0.join(name)).filter(|path| !path.exists())
    };
    (0..u32::MAX).find_map(|n| free(&n)).unwrap_or_else(|| folder.0.join(name.clone()))
}

/// The log goes first: a database that lost its log would look whole and lack its last saves.
fn rename(from: &Path, to: &Path) -> Result<(), FieldError> {
    for suffix in BESIDE.iter().rev() {
        let from = beside(from, suffix);
        match std::fs::rename(&from, beside(to, suffix)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(io(&from, error));
            }
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

fn remove(path: &Path) -> Result<(), FieldError> {
    for suffix in BESIDE {
        let path = beside(path, suffix);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(io(&path, error));
            }
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

impl Folder {
    fn new_database(&self) -> PathBuf {
        self.0.join("phone.db.new")
    }

    /// There when a read of this store met damage: the next start reads all of it.
    pub(crate) fn suspect(&self) -> PathBuf {
        self.0.join("phone.db.suspect")
    }

    /// A salvage that was cut off between its two renames is brought to its end.
    pub(crate) fn end_salvage(&self) -> Result<(), FieldError> {
        let new = self.new_database();
        if !self.database().exists() && new.exists() {
            std::fs::rename(&new, self.database()).map_err(|e| io(&new, e))?;
            self.make_names_durable()?;
        }
        Ok(())
    }

    /// A store that does not open at all, and that the person gives up by enrolling again, goes aside with
    /// its key. Nothing is deleted.
    pub(crate) fn move_aside(&self, env: &dyn Env) -> Result<PathBuf, FieldError> {
        let _lock = self.lock()?;
        let aside = aside(self, env);
        rename(&self.database(), &aside)?;
        let sealed = [
            (FileSeal::within(&self.0).path().to_owned(), ".key"),
            (PinFile::within(&self.0).path(), ".key.pin"),
        ];
        for (key, suffix) in sealed.into_iter().filter(|(key, _)| key.exists()) {
            let kept = beside(&aside, suffix);
            std::fs::rename(&key, &kept).map_err(|e| io(&kept, e))?;
        }
        let files = Files::folder(&self.0);
        if files.exists() {
            // They open with that key only.
            let kept = beside(&aside, ".photos");
            std::fs::rename(&files, &kept).map_err(|e| io(&kept, e))?;
        }
        self.make_names_durable()?;
        Ok(aside)
    }
}

impl Phone {
    /// Notes that a read met damage; the next start checks the file and saves what can be read. True when
    /// this error tells of damage.
    pub fn suspect(data: &Path, error: &FieldError) -> bool {
        let damage = is_damage(error);
        if damage {
            // A folder that cannot be written cannot be mended either.
            _ = std::fs::write(Folder(data.to_owned()).suspect(), []);
        }
        damage
    }

    /// What this start saved from a broken store; none when the store was whole.
    pub fn salvaged(&self) -> Option<&Salvaged> {
        self.salvaged.as_ref()
    }

    /// Reads the whole store. A broken one is replaced at once by what can be read of it.
    pub fn check_store(&mut self) -> Result<Option<Salvaged>, FieldError> {
        match self.store.check().map_err(FieldError::from) {
            Ok(()) => {
                if let (Some(now), Ok(())) =
                    (self.store.state()?.last_contact_s, self.store.check_writable())
                {
                    self.store.set_checked_at(now)?;
                }
                Ok(None)
            }
            Err(error) if Self::suspect(&self.folder.0, &error) => {
                // The file is closed before it is moved: a close removes the log by its name.
                self.store = Store::nowhere()?;
                let home = Home {
                    data: self.folder.0.clone(),
                    marker: self.marker.clone(),
                    seal: self.seal.clone(),
                };
                let (metered, connections) = (self.metered, self.connections.clone());
                *self = Self::open(home, self.env.clone(), self.lang)?;
                (self.metered, self.connections) = (metered, connections);
                Ok(self.salvaged.clone())
            }
            Err(error) => Err(error),
        }
    }

    /// The weekly check, after a sync.
    pub(crate) fn check_if_due(&mut self) -> Result<(), FieldError> {
        let Some(now) = self.store.state()?.last_contact_s else { return Ok(()) };
        let last = self.store.checked_at()?;
        if last == 0 {
            return Ok(self.store.set_checked_at(now)?);
        }
        if now.saturating_sub(last) >= CHECK_EVERY_S {
            self.check_store()?;
        }
        Ok(())
    }
}
