//! The bytes of files, under their SHA-256: a trait, and behind it a folder or a bucket, by setting.
//!
//! Sealed in both as docs/MEDIA.md says. What is not fit to be kept never gets here.

mod bucket;
mod folder;

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Mutex;
use yaoguan_media::{Purpose, SealError, SealKey};
use yaoguan_model::BlobHash;

use bucket::Bucket;
pub use bucket::BucketSettings;
use folder::Folder;

use crate::error::TownError;
use crate::storage::Finding;
use crate::storage::blobs::Blobs;

/// Unfinished uploads of one account.
pub const MAX_UPLOADS: u64 = 16;
/// An upload that is not finished is forgotten after this many seconds.
pub const UPLOAD_HOLDS_S: i64 = 7 * 24 * 3600;
/// A file that nothing refers to is forgotten after this many seconds.
pub const UNREFERENCED_HOLDS_S: i64 = 30 * 24 * 3600;

/// Of a data folder, and of a backup.
pub(crate) const FOLDER: &str = "blobs";

/// Where the bytes of a town lie.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum BlobPlace {
    /// `DIR/blobs`.
    #[default]
    Folder,
    Bucket(Box<BucketSettings>),
}

/// Where bytes lie.
#[async_trait]
pub trait BlobStore: Send + Sync {
    /// Keeps bytes; durable when this returns.
    async fn put(&self, hash: BlobHash, bytes: Vec<u8>) -> Result<(), TownError>;
    /// A range of a file; none when there is no such file.
    async fn read(&self, hash: BlobHash, range: Range<u64>) -> Result<Option<Vec<u8>>, TownError>;
    /// The bytes go; not there is as good.
    async fn remove(&self, hash: BlobHash) -> Result<(), TownError>;
    /// Every file that is there, in no order.
    async fn names(&self) -> Result<Vec<BlobHash>, TownError>;
    /// A file as it lies there, for a backup.
    async fn sealed(&self, hash: BlobHash) -> Result<Option<Vec<u8>>, TownError>;
    /// Puts back what [`Self::sealed`] gave.
    async fn put_sealed(&self, hash: BlobHash, sealed: Vec<u8>) -> Result<(), TownError>;
}

/// Two levels keep folders small.
pub(crate) fn place(hash: BlobHash) -> String {
    let [first, second, ..] = hash.0;
    format!("{first:02x}/{second:02x}/{hash}")
}

fn unsealed(hash: BlobHash, error: SealError) -> TownError {
    match error {
        SealError::Io(error) => TownError::Io(error),
        SealError::Foreign | SealError::Broken(_) => {
            TownError::Corrupt(format!("blob {hash}: {error}"))
        }
    }
}

/// What is wrong with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    Missing,
    /// Another length than was received.
    Size,
    /// Other bytes, or it does not open under the town's key.
    Damaged,
}

impl Flaw {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Size => "size",
            Self::Damaged => "damaged",
        }
    }
}

/// What a look at every file found.
#[derive(Debug, Clone, Default)]
pub struct Checked {
    pub files: u64,
    pub bytes: u64,
    pub bad: Vec<(BlobHash, Flaw)>,
    /// Files that the database does not know: of an upload that a restored database has not seen.
    pub unknown: Vec<BlobHash>,
}

/// The store, and the gate that keeps a file from going while the same file is being received.
#[derive(Clone)]
pub struct Kept {
    pub store: Arc<dyn BlobStore>,
    pub gate: Arc<Mutex<()>>,
}

impl Kept {
    /// Of the town with this id.
    pub fn at(
        place: &BlobPlace,
        dir: &Path,
        town: &str,
        database_key: &[u8; 32],
    ) -> Result<Self, TownError> {
        let key = SealKey::derive(database_key, Purpose::Blobs);
        let store: Arc<dyn BlobStore> = match place {
            BlobPlace::Folder => Arc::new(Folder { root: dir.join(FOLDER), key }),
            BlobPlace::Bucket(settings) => Arc::new(Bucket::new(settings, town, key)?),
        };
        Ok(Self { store, gate: Arc::default() })
    }

    /// Reads every file: is it there, of its size, and what its name says?
    pub async fn check(&self, storage: &dyn Blobs) -> Result<Checked, TownError> {
        // First what is there: what is received meanwhile is then known.
        let there = self.store.names().await?;
        let known = storage.blobs().await?;
        let mut checked = Checked { files: known.len() as u64, ..Checked::default() };
        for (hash, size) in &known {
            let flaw = match self.store.read(*hash, 0..u64::MAX).await {
                Ok(Some(bytes)) if bytes.len() as u64 != *size => Some(Flaw::Size),
                Ok(Some(bytes)) if BlobHash::of(&bytes) != *hash => Some(Flaw::Damaged),
                Ok(Some(_)) => None,
                Ok(None) => Some(Flaw::Missing),
                Err(TownError::Corrupt(_)) => Some(Flaw::Damaged),
                // That the place cannot be reached says nothing of the files.
                Err(error) => return Err(error),
            };
            checked.bytes += if flaw.is_none() { *size } else { 0 };
            checked.bad.extend(flaw.map(|flaw| (*hash, flaw)));
        }
        let known: BTreeSet<BlobHash> = known.into_iter().map(|(hash, _)| hash).collect();
        checked.unknown = there.into_iter().filter(|hash| !known.contains(hash)).collect();
        Ok(checked)
    }

    /// Files that are not there, or not what their name says.
    pub async fn verify(&self, storage: &dyn Blobs) -> Result<Vec<Finding>, TownError> {
        let checked = self.check(storage).await?;
        let finding = |(hash, flaw): &(BlobHash, Flaw)| {
            let detail = format!("{hash}: {}", flaw.as_str());
            Finding { sort: "blob", record: None, detail }
        };
        Ok(checked.bad.iter().map(finding).collect())
    }

    /// Lets go of files that are no good, so that phones which still have them send them again.
    pub async fn forget(
        &self,
        storage: &dyn Blobs,
        bad: &[(BlobHash, Flaw)],
    ) -> Result<(), TownError> {
        let _gate = self.gate.lock().await;
        for (hash, _) in bad {
            self.store.remove(*hash).await?;
        }
        storage.lose_blobs(bad.iter().map(|(hash, _)| *hash).collect()).await
    }

    /// Ends uploads and files whose time is over, and files that the database does not know; returns how many
    /// files went.
    pub async fn sweep(&self, storage: &dyn Blobs, now: i64) -> Result<usize, TownError> {
        let _gate = self.gate.lock().await;
        let mut gone: BTreeSet<BlobHash> = storage.forget_blobs(now).await?.into_iter().collect();
        // Under the gate nothing is between the bytes and the row that knows them.
        let known: BTreeSet<BlobHash> =
            storage.blobs().await?.into_iter().map(|(hash, _)| hash).collect();
        let there = self.store.names().await?;
        gone.extend(there.into_iter().filter(|hash| !known.contains(hash)));
        for hash in &gone {
            self.store.remove(*hash).await?;
        }
        Ok(gone.len())
    }
}

/// Beside the threads that serve everyone.
pub(crate) async fn aside<R: Send + 'static>(
    work: impl FnOnce() -> Result<R, TownError> + Send + 'static,
) -> Result<R, TownError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| TownError::Io(std::io::Error::other(error)))?
}
