//! Where a phone lives: its data folder, and the marker outside it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::marker::{FileMarker, Marker};

/// A data folder and its marker.
#[derive(Clone)]
pub struct Home {
    pub data: PathBuf,
    pub marker: Arc<dyn Marker>,
}

impl Home {
    /// With a marker in a state folder that the caller names.
    pub fn with_state(data: &Path, state: &Path) -> Self {
        Self { data: data.to_owned(), marker: Arc::new(FileMarker::within(state, data)) }
    }
}

/// With a marker in the user's state folder.
impl From<&Path> for Home {
    fn from(data: &Path) -> Self {
        Self { data: data.to_owned(), marker: Arc::new(FileMarker::of_user(data)) }
    }
}

impl From<&PathBuf> for Home {
    fn from(data: &PathBuf) -> Self {
        Self::from(data.as_path())
    }
}
