//! The town's data folder: `town.db` in it; its key file, its journal and its line marker beside it.
//!
//! The key never lies inside the folder, so that a copy of the folder alone (a backup on a stick) tells
//! nothing to whoever finds it. Journal and marker lie outside so that a folder that is put back from a copy
//! meets what happened since (see [`crate::line`] and the storage's journal).

use std::fs::{File, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use yaoguan_model::Env;
use yaoguan_model::env::System;

use crate::error::TownError;
use crate::line::private;
use crate::storage::Storage;
use crate::storage::sqlite::Sqlite;
use crate::tls::Ca;

pub(crate) const DATABASE: &str = "town.db";
/// Held by whoever serves the town or puts another database in its place.
const LOCK: &str = "town.lock";
const CA_CERT: &str = "ca_cert";
const CA_KEY: &str = "ca_key";

/// A town on disk.
#[derive(Clone)]
pub struct Town {
    pub storage: Sqlite,
    pub ca: Ca,
}

/// Where the key of a data folder lies unless said otherwise: beside it, `<folder>.key`.
pub fn default_key_file(dir: &Path) -> PathBuf {
    beside(dir, "key")
}

/// The journal of a data folder: `<folder>.journal`.
pub fn journal_file(dir: &Path) -> PathBuf {
    beside(dir, "journal")
}

/// The line marker of a data folder: `<folder>.line`.
pub fn line_file(dir: &Path) -> PathBuf {
    beside(dir, "line")
}

pub(crate) fn beside(dir: &Path, ending: &str) -> PathBuf {
    let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    let mut name = dir.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(ending);
    dir.with_file_name(name)
}

/// Takes the data folder for this process alone, until the file is dropped. Commands that only read or write
/// through the database work beside it.
pub fn lock(dir: &Path) -> Result<File, TownError> {
    let file = File::options().create(true).truncate(false).write(true).open(dir.join(LOCK))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(TownError::InUse(dir.to_owned())),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

impl Town {
    /// Makes a town: key, database, epoch, replica id, CA.
    pub async fn init(
        dir: &Path,
        key_file: &Path,
        name: &str,
        demo: bool,
        env: &dyn Env,
    ) -> Result<Self, TownError> {
        let database = dir.join(DATABASE);
        if database.exists() {
            return Err(TownError::Exists(dir.to_owned()));
        }
        std::fs::create_dir_all(dir)?;
        let key = match read_key(key_file) {
            Ok(key) => key,
            Err(_) if !key_file.exists() => new_key(key_file, env)?,
            Err(error) => return Err(error),
        };
        let storage = Sqlite::open(&database, &key)?;
        storage.found(name, demo, env).await?;
        storage.begin_line(&line_file(dir), &journal_file(dir)).await?;
        let ca = Ca::new(name, env.now_s())?;
        storage.set_secret(CA_CERT, ca.cert_pem.clone()).await?;
        storage.set_secret(CA_KEY, ca.key_pem.clone()).await?;
        Ok(Self { storage, ca })
    }

    /// Opens a town that is there.
    pub async fn open(dir: &Path, key_file: &Path) -> Result<Self, TownError> {
        let database = dir.join(DATABASE);
        if !database.exists() {
            return Err(TownError::Missing(dir.to_owned()));
        }
        let storage = Sqlite::open(&database, &read_key(key_file)?)?;
        storage.take_up(&line_file(dir), &journal_file(dir), &System).await?;
        let missing = || TownError::Corrupt("the town has no CA: `init` did not finish".to_owned());
        let cert_pem = storage.secret(CA_CERT).await?.ok_or_else(missing)?;
        let key_pem = storage.secret(CA_KEY).await?.ok_or_else(missing)?;
        Ok(Self { storage, ca: Ca { cert_pem, key_pem } })
    }
}

pub(crate) fn read_key(file: &Path) -> Result<[u8; 32], TownError> {
    let bad = || TownError::Key(file.to_owned());
    let text = std::fs::read_to_string(file).map_err(|_| bad())?;
    let text = text.trim();
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect();
    let digits = digits.filter(|digits| digits.len() == 64).ok_or_else(bad)?;
    let mut key = [0; 32];
    for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        if let [high, low] = pair {
            *byte = high * 16 + low;
        }
    }
    Ok(key)
}

/// Writes a new key, readable by its owner alone.
fn new_key(file: &Path, env: &dyn Env) -> Result<[u8; 32], TownError> {
    let mut key = [0; 32];
    for (byte, random) in key.iter_mut().zip(env.random_16().into_iter().chain(env.random_16())) {
        *byte = random;
    }
    let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut out = private(file)?;
    writeln!(out, "{hex}")?;
    out.sync_all()?;
    Ok(key)
}
