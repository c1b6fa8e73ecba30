//! A phone's data folder: `phone.db`, the lock that keeps two syncs apart, and its key in what seals it.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use yaoguan_model::Env;
use yaoguan_store::{Key, StoreError};

use crate::error::FieldError;
use crate::seal::pin::PinFile;
use crate::seal::{self, KeySeal};

const DATABASE: &str = "phone.db";
const LOCK: &str = "sync.lock";

/// Where things are.
#[derive(Debug, Clone)]
pub(crate) struct Folder(pub PathBuf);

impl Folder {
    pub(crate) fn database(&self) -> PathBuf {
        self.0.join(DATABASE)
    }

    /// Renames in this folder outlast a power cut.
    pub(crate) fn make_names_durable(&self) -> Result<(), FieldError> {
        File::open(&self.0).and_then(|folder| folder.sync_all()).map_err(|e| io(&self.0, e))
    }

    /// The key, made when there is none and no database that would need it.
    pub(crate) fn key(&self, seal: &dyn KeySeal, env: &dyn Env) -> Result<Key, FieldError> {
        if let Some(key) = seal.unseal()? {
            return Ok(key);
        }
        if self.database().exists() {
            let under_pin = PinFile::within(&self.0).exists();
            let wrong = FieldError::Store(StoreError::WrongKey);
            return Err(if under_pin { FieldError::Locked } else { wrong });
        }
        std::fs::create_dir_all(&self.0).map_err(|e| io(&self.0, e))?;
        let key = seal::new_key(env);
        seal.seal(&key)?;
        Ok(key)
    }

    /// Held while a sync runs; released by the system when the process ends, however it ends.
    pub(crate) fn lock(&self) -> Result<File, FieldError> {
        let path = self.0.join(LOCK);
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|e| io(&path, e))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(std::fs::TryLockError::WouldBlock) => Err(FieldError::Busy),
            Err(std::fs::TryLockError::Error(error)) => Err(io(&path, error)),
        }
    }
}

/// An I/O error with its path.
pub(crate) fn io(path: &Path, source: std::io::Error) -> FieldError {
    FieldError::Io { path: path.display().to_string(), source }
}
