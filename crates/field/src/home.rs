//! Where a phone lives: its data folder, the marker outside it, and what seals its key.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::marker::{FileMarker, Marker};
use crate::seal::{FileSeal, KeySeal};

/// A data folder, its marker and its seal.
#[derive(Clone)]
pub struct Home {
    pub data: PathBuf,
    pub marker: Arc<dyn Marker>,
    pub seal: Arc<dyn KeySeal>,
}

impl Home {
    /// With a marker in a state folder that the caller names.
    pub fn with_state(data: &Path, state: &Path) -> Self {
        let marker = Arc::new(FileMarker::within(state, data));
        Self { data: data.to_owned(), marker, seal: Arc::new(FileSeal::within(data)) }
    }

    /// With the marker in the user's state folder.
    pub fn sealed_in(data: &Path, seal: Arc<dyn KeySeal>) -> Self {
        Self { seal, ..Self::from(data) }
    }
}

/// With a marker in the user's state folder, and the key in a file.
impl From<&Path> for Home {
    fn from(data: &Path) -> Self {
        let marker = Arc::new(FileMarker::of_user(data));
        Self { data: data.to_owned(), marker, seal: Arc::new(FileSeal::within(data)) }
    }
}

impl From<&PathBuf> for Home {
    fn from(data: &PathBuf) -> Self {
        Self::from(data.as_path())
    }
}
