//! The bytes of files, under their SHA-256: a trait, and a folder behind it.
//!
//! `DIR/blobs/ab/cd/<sha256>`, sealed as docs/MEDIA.md says. A file is complete or not there: it is written
//! beside, synced, and renamed. What is not fit to be kept never gets here.

use std::io::Write as _;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Mutex;
use yaoguan_media::seal::seal;
use yaoguan_media::{Purpose, SealError, SealKey, Sealed};
use yaoguan_model::BlobHash;
use yaoguan_model::env::System;

use crate::error::TownError;
use crate::storage::Finding;
use crate::storage::blobs::Blobs;

/// Unfinished uploads of one account.
pub const MAX_UPLOADS: u64 = 16;
/// An upload that is not finished is forgotten after this many seconds.
pub const UPLOAD_HOLDS_S: i64 = 7 * 24 * 3600;
/// A file that nothing refers to is forgotten after this many seconds.
pub const UNREFERENCED_HOLDS_S: i64 = 30 * 24 * 3600;

const FOLDER: &str = "blobs";

/// Where bytes lie.
#[async_trait]
pub trait BlobStore: Send + Sync {
    /// Keeps bytes; durable when this returns.
    async fn put(&self, hash: BlobHash, bytes: Vec<u8>) -> Result<(), TownError>;
    /// A range of a file; none when there is no such file.
    async fn read(&self, hash: BlobHash, range: Range<u64>) -> Result<Option<Vec<u8>>, TownError>;
    /// The bytes go; not there is as good.
    async fn remove(&self, hash: BlobHash) -> Result<(), TownError>;
}

/// The store, and the gate that keeps a file from going while the same file is being received.
#[derive(Clone)]
pub struct Kept {
    pub store: Arc<dyn BlobStore>,
    pub gate: Arc<Mutex<()>>,
}

impl Kept {
    /// The folder of a town.
    pub fn in_folder(dir: &Path, database_key: &[u8; 32]) -> Self {
        let key = SealKey::derive(database_key, Purpose::Blobs);
        let store = Arc::new(Folder { root: dir.join(FOLDER), key });
        Self { store, gate: Arc::default() }
    }

    /// Files that are not there, or not what their name says.
    pub async fn verify(&self, storage: &dyn Blobs) -> Result<Vec<Finding>, TownError> {
        let mut findings = Vec::new();
        for hash in storage.blobs().await? {
            let detail = match self.store.read(hash, 0..u64::MAX).await {
                Ok(Some(bytes)) if BlobHash::of(&bytes) == hash => continue,
                Ok(Some(_)) => format!("{hash}: other bytes"),
                Ok(None) => format!("{hash}: missing"),
                Err(error) => error.to_string(),
            };
            findings.push(Finding { sort: "blob", record: None, detail });
        }
        Ok(findings)
    }

    /// Ends uploads and files whose time is over; returns how many files went.
    pub async fn sweep(&self, storage: &dyn Blobs, now: i64) -> Result<usize, TownError> {
        let _gate = self.gate.lock().await;
        let gone = storage.forget_blobs(now).await?;
        for hash in &gone {
            self.store.remove(*hash).await?;
        }
        Ok(gone.len())
    }
}

/// Files in a folder.
#[derive(Clone)]
struct Folder {
    root: PathBuf,
    key: SealKey,
}

impl Folder {
    /// The folder of a file; two levels keep folders small.
    fn place(&self, hash: BlobHash) -> PathBuf {
        let [first, second, ..] = hash.0;
        self.root.join(format!("{first:02x}")).join(format!("{second:02x}"))
    }

    fn write(&self, hash: BlobHash, bytes: &[u8]) -> Result<(), TownError> {
        let place = self.place(hash);
        let path = place.join(hash.to_string());
        if path.exists() {
            return Ok(());
        }
        std::fs::create_dir_all(&place)?;
        let beside = place.join(format!("{hash}.part"));
        let mut file = std::fs::File::create(&beside)?;
        file.write_all(&seal(&self.key, bytes, &System))?;
        file.sync_all()?;
        std::fs::rename(&beside, &path)?;
        // The names too are to be there after a power cut.
        for folder in place.ancestors().take(3) {
            std::fs::File::open(folder)?.sync_all()?;
        }
        Ok(())
    }

    fn bytes(&self, hash: BlobHash, range: Range<u64>) -> Result<Option<Vec<u8>>, TownError> {
        let file = match std::fs::File::open(self.place(hash).join(hash.to_string())) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let failed = |error| match error {
            SealError::Io(error) => TownError::Io(error),
            SealError::Foreign | SealError::Broken(_) => {
                TownError::Corrupt(format!("blob {hash}: {error}"))
            }
        };
        Ok(Some(Sealed::open(&self.key, file).map_err(failed)?.read(range).map_err(failed)?))
    }
}

#[async_trait]
impl BlobStore for Folder {
    async fn put(&self, hash: BlobHash, bytes: Vec<u8>) -> Result<(), TownError> {
        let folder = self.clone();
        aside(move || folder.write(hash, &bytes)).await
    }

    async fn read(&self, hash: BlobHash, range: Range<u64>) -> Result<Option<Vec<u8>>, TownError> {
        let folder = self.clone();
        aside(move || folder.bytes(hash, range)).await
    }

    async fn remove(&self, hash: BlobHash) -> Result<(), TownError> {
        let path = self.place(hash).join(hash.to_string());
        aside(move || match std::fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            Ok(()) | Err(_) => Ok(()),
        })
        .await
    }
}

/// Beside the threads that serve everyone.
pub(crate) async fn aside<R: Send + 'static>(
    work: impl FnOnce() -> Result<R, TownError> + Send + 'static,
) -> Result<R, TownError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| TownError::Io(std::io::Error::other(error)))?
}
