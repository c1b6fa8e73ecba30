//! The town's data folder: `town.db` in it; beside it its key file (see [`crate::key_file`]), its journal, its
//! line marker and the heads of its audit log.
//!
//! Journal and marker lie outside so that a folder that is put back from a copy meets what happened since
//! (see [`crate::line`] and the storage's journal).

use std::path::{Path, PathBuf};

use yaoguan_model::Env;
use yaoguan_model::env::System;

use crate::audit::anchor;
use crate::audit::hex;
use crate::blobs::{BlobPlace, Kept};
use crate::error::TownError;
use crate::key_file;
use crate::storage::Storage;
use crate::storage::sqlite::Sqlite;
use crate::tiles;
use crate::tls::Ca;

pub(crate) const DATABASE: &str = "town.db";
const CA_CERT: &str = "ca_cert";
const CA_KEY: &str = "ca_key";

/// A town on disk.
#[derive(Clone)]
pub struct Town {
    pub storage: Sqlite,
    pub ca: Ca,
    pub blobs: Kept,
    pub tiles: tiles::Folder,
}

/// Where the key of a data folder lies unless said otherwise: beside it, `<folder>.key`.
pub fn default_key_file(dir: &Path) -> PathBuf {
    beside(dir, ".key")
}

/// The journal of a data folder: `<folder>.journal`.
pub fn journal_file(dir: &Path) -> PathBuf {
    beside(dir, ".journal")
}

/// The line marker of a data folder: `<folder>.line`.
pub fn line_file(dir: &Path) -> PathBuf {
    beside(dir, ".line")
}

/// A file beside a data folder, called like it.
pub(crate) fn beside(dir: &Path, ending: &str) -> PathBuf {
    let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    let mut name = dir.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    dir.with_file_name(name)
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
        make_private(dir)?;
        let key = key_file::read_or_make(key_file, dir, env)?;
        let heads = anchor::default_file(dir);
        let storage = Sqlite::open_noting(&database, &key, Some(&heads))?;
        storage.found(name, demo, env).await?;
        storage.begin_line(&line_file(dir), &journal_file(dir)).await?;
        let ca = Ca::new(name, env.now_s())?;
        storage.set_secret(CA_CERT, ca.cert_pem.clone()).await?;
        storage.set_secret(CA_KEY, ca.key_pem.clone()).await?;
        let id = hex(&storage.town_id().await?);
        let blobs = Kept::at(&BlobPlace::Folder, dir, &id, &key)?;
        Ok(Self { storage, ca, blobs, tiles: tiles::Folder::within(dir) })
    }

    /// Opens a town that is there, with its files in its folder.
    pub async fn open(dir: &Path, key_file: &Path) -> Result<Self, TownError> {
        Self::open_with(dir, key_file, &BlobPlace::Folder).await
    }

    /// Opens a town that is there.
    pub async fn open_with(
        dir: &Path,
        key_file: &Path,
        place: &BlobPlace,
    ) -> Result<Self, TownError> {
        let database = dir.join(DATABASE);
        if !database.exists() {
            return Err(TownError::Missing(dir.to_owned()));
        }
        let key = key_file::read(key_file, dir)?;
        let heads = anchor::default_file(dir);
        let storage = Sqlite::open_noting(&database, &key, Some(&heads))?;
        storage.take_up(&line_file(dir), &journal_file(dir), &System).await?;
        let missing = || TownError::Corrupt("the town has no CA: `init` did not finish".to_owned());
        let cert_pem = storage.secret(CA_CERT).await?.ok_or_else(missing)?;
        let key_pem = storage.secret(CA_KEY).await?.ok_or_else(missing)?;
        let id = hex(&storage.town_id().await?);
        let blobs = Kept::at(place, dir, &id, &key)?;
        let tiles = tiles::Folder::within(dir);
        Ok(Self { storage, ca: Ca { cert_pem, key_pem }, blobs, tiles })
    }
}

/// By which phones know the town's own CA.
pub(crate) async fn ca_fingerprint(storage: &dyn Storage) -> Result<String, TownError> {
    let missing = || TownError::Corrupt("the town has no CA: `init` did not finish".to_owned());
    let cert_pem = storage.secret(CA_CERT).await?.ok_or_else(missing)?;
    Ca { cert_pem, key_pem: String::new() }.fingerprint()
}

/// Makes a folder that its owner alone may enter; one that is there stays as it is.
pub(crate) fn make_private(dir: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(dir)
}
