//! Files in a folder: `DIR/blobs/ab/cd/<sha256>`. A file is complete or not there: it is written beside,
//! synced, and renamed.

use std::io::Write as _;
use std::ops::Range;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use yaoguan_media::seal::seal;
use yaoguan_media::{SealKey, Sealed};
use yaoguan_model::BlobHash;
use yaoguan_model::env::System;

use super::{BlobStore, aside, place, unsealed};
use crate::error::TownError;

/// Files in a folder.
#[derive(Clone)]
pub(super) struct Folder {
    pub(super) root: PathBuf,
    pub(super) key: SealKey,
}

fn missing_is_none<R>(found: std::io::Result<R>) -> Result<Option<R>, TownError> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

impl Folder {
    fn path(&self, hash: BlobHash) -> PathBuf {
        self.root.join(place(hash))
    }

    fn write(&self, hash: BlobHash, sealed: &[u8]) -> Result<(), TownError> {
        let path = self.path(hash);
        let Some(folder) = path.parent() else { return Ok(()) };
        std::fs::create_dir_all(folder)?;
        let beside = path.with_extension("part");
        let mut file = std::fs::File::create(&beside)?;
        file.write_all(sealed)?;
        file.sync_all()?;
        std::fs::rename(&beside, &path)?;
        // The names too are to be there after a power cut.
        for folder in folder.ancestors().take(3) {
            std::fs::File::open(folder)?.sync_all()?;
        }
        Ok(())
    }

    fn bytes(&self, hash: BlobHash, range: Range<u64>) -> Result<Option<Vec<u8>>, TownError> {
        let file = missing_is_none(std::fs::File::open(self.path(hash)))?;
        let read = |file| Sealed::open(&self.key, file)?.read(range);
        file.map(read).transpose().map_err(|error| unsealed(hash, error))
    }

    /// Names two levels below the root.
    fn listed(&self) -> Result<Vec<BlobHash>, TownError> {
        let mut found = Vec::new();
        let entries = |folder: &Path| {
            let entries = missing_is_none(std::fs::read_dir(folder))?;
            let paths = entries.into_iter().flatten().map(|entry| Ok(entry?.path()));
            paths.collect::<Result<Vec<PathBuf>, TownError>>()
        };
        for first in entries(&self.root)?.iter().filter(|path| path.is_dir()) {
            for second in entries(first)?.iter().filter(|path| path.is_dir()) {
                for file in entries(second)? {
                    let name = file.file_name().map(|name| name.to_string_lossy());
                    found.extend(name.and_then(|name| name.parse::<BlobHash>().ok()));
                }
            }
        }
        Ok(found)
    }
}

#[async_trait]
impl BlobStore for Folder {
    async fn put(&self, hash: BlobHash, bytes: Vec<u8>) -> Result<(), TownError> {
        let folder = self.clone();
        aside(move || match folder.path(hash).exists() {
            true => Ok(()),
            false => folder.write(hash, &seal(&folder.key, &bytes, &System)),
        })
        .await
    }

    async fn read(&self, hash: BlobHash, range: Range<u64>) -> Result<Option<Vec<u8>>, TownError> {
        let folder = self.clone();
        aside(move || folder.bytes(hash, range)).await
    }

    async fn remove(&self, hash: BlobHash) -> Result<(), TownError> {
        let path = self.path(hash);
        aside(move || missing_is_none(std::fs::remove_file(path)).map(|_| ())).await
    }

    async fn names(&self) -> Result<Vec<BlobHash>, TownError> {
        let folder = self.clone();
        aside(move || folder.listed()).await
    }

    async fn sealed(&self, hash: BlobHash) -> Result<Option<Vec<u8>>, TownError> {
        let path = self.path(hash);
        aside(move || missing_is_none(std::fs::read(path))).await
    }

    async fn put_sealed(&self, hash: BlobHash, sealed: Vec<u8>) -> Result<(), TownError> {
        let folder = self.clone();
        aside(move || folder.write(hash, &sealed)).await
    }
}
