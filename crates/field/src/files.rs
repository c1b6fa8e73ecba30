//! Photos, thumbnails and tracks as files: `DIR/photos/ab/<sha256>`, sealed (docs/MEDIA.md).
//!
//! A file is whole or not there: written beside, synced, renamed, its folders synced, and only then does
//! anything refer to it. Who adds files holds the gate from the first byte until something refers to them; who
//! sweeps waits until nobody does.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::ops::Range;
use std::path::{Path, PathBuf};

use yaoguan_media::seal::seal;
use yaoguan_media::{Purpose, SealError, SealKey, Sealed};
use yaoguan_model::{BlobHash, Env};
use yaoguan_store::{Key, StoreError};

use crate::error::FieldError;
use crate::folder::io;

const FOLDER: &str = "photos";
const GATE: &str = "photos.lock";
/// Ending of a file that is being written.
const PART: &str = "part";

/// The files of one phone.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    data: PathBuf,
    key: SealKey,
}

impl Files {
    pub(crate) fn within(data: &Path, key: &Key) -> Self {
        Self { data: data.to_owned(), key: SealKey::derive(&key.0, Purpose::Blobs) }
    }

    /// The folder of all of them.
    pub(crate) fn folder(data: &Path) -> PathBuf {
        data.join(FOLDER)
    }

    fn path(&self, hash: BlobHash) -> PathBuf {
        let [first, ..] = hash.0;
        Self::folder(&self.data).join(format!("{first:02x}")).join(hash.to_string())
    }

    /// Held while files are added that nothing refers to yet.
    pub(crate) fn hold_gate(&self) -> Result<File, FieldError> {
        let (file, path) = self.gate()?;
        file.lock_shared().map_err(|e| io(&path, e))?;
        Ok(file)
    }

    /// Held while files are swept; none while somebody adds some.
    pub(crate) fn close_gate(&self) -> Result<Option<File>, FieldError> {
        let (file, _) = self.gate()?;
        Ok(file.try_lock().is_ok().then_some(file))
    }

    fn gate(&self) -> Result<(File, PathBuf), FieldError> {
        let path = self.data.join(GATE);
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        Ok((file.map_err(|e| io(&path, e))?, path))
    }

    /// Keeps bytes under their hash; durable when this returns.
    pub(crate) fn keep(
        &self,
        hash: BlobHash,
        bytes: &[u8],
        env: &dyn Env,
    ) -> Result<(), FieldError> {
        let path = self.path(hash);
        if self.len(hash) == Some(bytes.len() as u64) {
            return Ok(());
        }
        let beside = path.with_extension(PART);
        let write = || -> std::io::Result<()> {
            let folder = path.parent().unwrap_or(&self.data);
            std::fs::create_dir_all(folder)?;
            let mut file = File::create(&beside)?;
            file.write_all(&seal(&self.key, bytes, env))?;
            file.sync_all()?;
            std::fs::rename(&beside, &path)?;
            for folder in folder.ancestors().take(3) {
                File::open(folder)?.sync_all()?;
            }
            Ok(())
        };
        write().map_err(|error| {
            _ = std::fs::remove_file(&beside);
            use std::io::ErrorKind::{QuotaExceeded, StorageFull};
            match matches!(error.kind(), StorageFull | QuotaExceeded) {
                true => StoreError::DiskFull.into(),
                false => io(&path, error),
            }
        })
    }

    /// A part of a file; none when it is not here.
    pub(crate) fn read(
        &self,
        hash: BlobHash,
        range: Range<u64>,
    ) -> Result<Option<Vec<u8>>, FieldError> {
        let path = self.path(hash);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io(&path, error)),
        };
        let failed = |error| match error {
            SealError::Io(error) => io(&path, error),
            SealError::Foreign | SealError::Broken(_) => FieldError::FileBroken(hash.to_string()),
        };
        let mut sealed = Sealed::open(&self.key, file).map_err(failed)?;
        sealed.read(range).map(Some).map_err(failed)
    }

    /// Bytes of a file; none when it is not here or not whole.
    pub(crate) fn len(&self, hash: BlobHash) -> Option<u64> {
        let file = File::open(self.path(hash)).ok()?;
        Sealed::open(&self.key, file).ok().map(|sealed| sealed.len())
    }

    /// The bytes go; not there is as good.
    pub(crate) fn remove(&self, hash: BlobHash) -> Result<(), FieldError> {
        let path = self.path(hash);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(io(&path, error)),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Every file that is here. What a killed program left half written is removed: hold the gate closed.
    pub(crate) fn all(&self) -> Vec<BlobHash> {
        let entries = |folder: &Path| std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut found = Vec::new();
        for folder in entries(&Self::folder(&self.data)) {
            for file in entries(&folder.path()) {
                let path = file.path();
                if path.extension().is_some_and(|ending| ending == PART) {
                    _ = std::fs::remove_file(&path);
                } else if let Some(hash) = file.file_name().to_str().and_then(|n| n.parse().ok()) {
                    found.push(hash);
                }
            }
        }
        found
    }
}
