//! The town's data folder: `town.db` in it, unless its database is elsewhere; beside it its key file (see [`crate::key_file`]), its journal, its
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
use crate::storage::postgres::{DatabaseUrl, Postgres};
use crate::storage::sqlite::Sqlite;
use crate::storage::{Database, Storage};
use crate::tiles;
use crate::tls::Ca;

pub(crate) const DATABASE: &str = "town.db";
const CA_CERT: &str = "ca_cert";
const CA_KEY: &str = "ca_key";

/// A town that is open.
#[derive(Clone)]
pub struct Town {
    pub storage: Database,
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

/// Where the parts of a town are.
#[derive(Debug, Clone)]
pub struct Place {
    /// The data folder.
    pub dir: PathBuf,
    pub key_file: PathBuf,
    pub blobs: BlobPlace,
    /// None: in the data folder.
    pub database: Option<DatabaseUrl>,
}

impl Place {
    /// Everything in one folder.
    pub fn folder(dir: &Path, key_file: &Path) -> Self {
        let (dir, key_file) = (dir.to_owned(), key_file.to_owned());
        Self { dir, key_file, blobs: BlobPlace::Folder, database: None }
    }
}

/// Left in a data folder whose town moved: says where to.
pub(crate) fn moved_file(dir: &Path) -> PathBuf {
    dir.join("town.moved")
}

impl Town {
    /// Makes a town in a folder: key, database, epoch, replica id, CA.
    pub async fn init(
        dir: &Path,
        key_file: &Path,
        name: &str,
        demo: bool,
        env: &dyn Env,
    ) -> Result<Self, TownError> {
        Self::init_at(&Place::folder(dir, key_file), name, demo, env).await
    }

    /// Makes a town.
    pub async fn init_at(
        place: &Place,
        name: &str,
        demo: bool,
        env: &dyn Env,
    ) -> Result<Self, TownError> {
        let Place { dir, key_file, .. } = place;
        let database = dir.join(DATABASE);
        if database.exists() {
            return Err(TownError::Exists(dir.clone()));
        }
        make_private(dir)?;
        let key = key_file::read_or_make(key_file, dir, env)?;
        let heads = anchor::default_file(dir);
        let storage = match &place.database {
            Some(url) => {
                let heads = Some((heads.as_path(), &key));
                let town = Postgres::found(url, name, demo, env, heads).await?;
                town.take_up(&line_file(dir), env).await?;
                Database::Postgres(town)
            }
            None => {
                let town = Sqlite::open_noting(&database, &key, Some(&heads))?;
                town.found(name, demo, env).await?;
                town.begin_line(&line_file(dir), &journal_file(dir)).await?;
                Database::Sqlite(town)
            }
        };
        let ca = Ca::new(name, env.now_s())?;
        storage.set_secret(CA_CERT, ca.cert_pem.clone()).await?;
        storage.set_secret(CA_KEY, ca.key_pem.clone()).await?;
        Self::of(place, storage, ca, &key).await
    }

    /// Opens the town of a folder.
    pub async fn open(dir: &Path, key_file: &Path) -> Result<Self, TownError> {
        Self::open_at(&Place::folder(dir, key_file)).await
    }

    /// Opens a town that is there.
    pub async fn open_at(place: &Place) -> Result<Self, TownError> {
        let Place { dir, key_file, .. } = place;
        let heads = anchor::default_file(dir);
        let (key, storage) = match &place.database {
            Some(url) => {
                // Another process on the same town has a folder of its own.
                make_private(dir)?;
                let key = key_file::read(key_file, dir)?;
                let town = Postgres::open(url, Some((heads.as_path(), &key))).await?;
                town.take_up(&line_file(dir), &System).await?;
                (key, Database::Postgres(town))
            }
            None => {
                let database = dir.join(DATABASE);
                if !database.exists() {
                    return Err(TownError::Missing(dir.clone()));
                }
                if let Ok(to) = std::fs::read_to_string(moved_file(dir)) {
                    return Err(TownError::Moved(dir.clone(), to.trim().to_owned()));
                }
                let key = key_file::read(key_file, dir)?;
                let town = Sqlite::open_noting(&database, &key, Some(&heads))?;
                town.take_up(&line_file(dir), &journal_file(dir), &System).await?;
                (key, Database::Sqlite(town))
            }
        };
        let missing = || TownError::Corrupt("the town has no CA: `init` did not finish".to_owned());
        let cert_pem = storage.secret(CA_CERT).await?.ok_or_else(missing)?;
        let key_pem = storage.secret(CA_KEY).await?.ok_or_else(missing)?;
        Self::of(place, storage, Ca { cert_pem, key_pem }, &key).await
    }

    async fn of(
        place: &Place,
        storage: Database,
        ca: Ca,
        key: &[u8; 32],
    ) -> Result<Self, TownError> {
        let id = hex(&storage.town_id().await?);
        let blobs = Kept::at(&place.blobs, &place.dir, &id, key)?;
        Ok(Self { storage, ca, blobs, tiles: tiles::Folder::within(&place.dir) })
    }
}

/// By which phones know the town's own CA.
pub(crate) async fn ca_fingerprint(storage: &dyn Storage) -> Result<String, TownError> {
    let missing = || TownError::Corrupt("the town has no CA: `init` did not finish".to_owned());
    let cert_pem = storage.secret(CA_CERT).await?.ok_or_else(missing)?;
    Ca { cert_pem, key_pem: String::new() }.fingerprint()
}

/// Makes a folder that its owner alone may enter; one that is there stays as it is.
pub fn make_private(dir: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(dir)
}
