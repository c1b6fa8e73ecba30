//! A folder that stands for a key store of the system, in tests alone: each key lies in a file of its own.

use std::path::PathBuf;
use std::sync::Arc;

use yaoguan_field::FieldError;
use yaoguan_field::seal::{FileSeal, Key, KeySeal, KeyStore};

pub(crate) struct KeyFolder(pub(crate) PathBuf);

struct Item(PathBuf);

impl KeyStore for KeyFolder {
    fn of(&self, name: &str) -> Arc<dyn KeySeal> {
        Arc::new(Item(self.0.join(name)))
    }
}

impl KeySeal for Item {
    fn unseal(&self) -> Result<Option<Key>, FieldError> {
        FileSeal::within(&self.0).unseal()
    }

    fn seal(&self, key: &Key) -> Result<(), FieldError> {
        let failed = |source| FieldError::Io { path: self.0.display().to_string(), source };
        std::fs::create_dir_all(&self.0).map_err(failed)?;
        match self.unseal()? {
            // A file's key is never written over; the same one lies there.
            Some(kept) if kept == *key => Ok(()),
            Some(_) | None => FileSeal::within(&self.0).seal(key),
        }
    }
}
