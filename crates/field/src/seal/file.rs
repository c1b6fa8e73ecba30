//! The key in a file of mode 600: for the command line and for tests, where nobody can be asked for a PIN.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use yaoguan_store::{Key, StoreError};

use super::KeySeal;
use crate::durable;
use crate::error::FieldError;
use crate::folder::io;

/// `phone.key` in a data folder.
pub struct FileSeal {
    path: PathBuf,
}

impl FileSeal {
    pub fn within(data: &Path) -> Self {
        Self { path: data.join("phone.key") }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl KeySeal for FileSeal {
    fn unseal(&self) -> Result<Option<Key>, FieldError> {
        if !self.path.exists() {
            return Ok(None);
        }
        if is_exposed(&self.path) {
            return Err(FieldError::KeyExposed(self.path.display().to_string()));
        }
        let bytes = std::fs::read(&self.path).map_err(|e| io(&self.path, e))?;
        let key = bytes.try_into().map_err(|_| FieldError::Store(StoreError::WrongKey))?;
        Ok(Some(Key(key)))
    }

    /// A key that is there is never written over: what it opens would be lost.
    fn seal(&self, key: &Key) -> Result<(), FieldError> {
        let mut file = durable::create_private(&self.path, true).map_err(|e| io(&self.path, e))?;
        file.write_all(&key.0).and_then(|()| file.sync_all()).map_err(|e| io(&self.path, e))
    }
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
