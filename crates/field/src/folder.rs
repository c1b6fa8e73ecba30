//! A phone's data folder: `phone.db`, its key, the lock that keeps two syncs apart.
//!
//! The key file is for the command line and for tests. The app seals its key in the platform's key store.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use yaoguan_model::Env;
use yaoguan_store::{Key, StoreError};

use crate::error::FieldError;

const DATABASE: &str = "phone.db";
const KEY: &str = "phone.key";
const LOCK: &str = "sync.lock";

/// Where things are.
#[derive(Debug, Clone)]
pub(crate) struct Folder(pub PathBuf);

impl Folder {
    pub(crate) fn database(&self) -> PathBuf {
        self.0.join(DATABASE)
    }

    pub(crate) fn key_file(&self) -> PathBuf {
        self.0.join(KEY)
    }

    /// Renames in this folder outlast a power cut.
    pub(crate) fn make_names_durable(&self) -> Result<(), FieldError> {
        File::open(&self.0).and_then(|folder| folder.sync_all()).map_err(|e| io(&self.0, e))
    }

    /// The key, made when there is none and no database that would need it.
    pub(crate) fn key(&self, env: &dyn Env) -> Result<Key, FieldError> {
        let path = self.key_file();
        if path.exists() || self.database().exists() {
            return read_key(&path);
        }
        std::fs::create_dir_all(&self.0).map_err(|e| io(&self.0, e))?;
        let mut key = [0; 32];
        for (byte, random) in key.iter_mut().zip(env.random_16().into_iter().chain(env.random_16()))
        {
            *byte = random;
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let mut file = options.open(&path).map_err(|e| io(&path, e))?;
        file.write_all(&key).and_then(|()| file.sync_all()).map_err(|e| io(&path, e))?;
        Ok(Key(key))
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

fn read_key(path: &Path) -> Result<Key, FieldError> {
    if is_exposed(path) {
        return Err(FieldError::KeyExposed(path.display().to_string()));
    }
    let bytes = std::fs::read(path).map_err(|e| io(path, e))?;
    let key = bytes.try_into().map_err(|_| FieldError::Store(StoreError::WrongKey))?;
    Ok(Key(key))
}

/// Whether others than its owner may read or write the file.
fn is_exposed(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o077 != 0)
    }
    #[cfg(not(unix))]
    {
        _ = path;
        false
    }
}

/// An I/O error with its path.
pub(crate) fn io(path: &Path, source: std::io::Error) -> FieldError {
    FieldError::Io { path: path.display().to_string(), source }
}
