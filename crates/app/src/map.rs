//! The map's file, read while the app runs.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use yaoguan_field::FieldError;
use yaoguan_field::tiles::{self, Archive, Tile, TilesShown};

use crate::host::locked;

/// The file of an app's folder, opened when it is first needed.
pub struct Map {
    dir: PathBuf,
    open: Mutex<Option<Option<Arc<Archive>>>>,
}

impl Map {
    pub(crate) fn within(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), open: Mutex::new(None) }
    }

    fn archive(&self) -> Option<Arc<Archive>> {
        let open = || tiles::open(&self.dir).map(Arc::new);
        locked(&self.open).get_or_insert_with(open).clone()
    }

    /// What the map has to know; none without a file.
    pub fn shown(&self) -> Result<Option<TilesShown>, FieldError> {
        self.archive().map(|archive| archive.shown()).transpose()
    }

    /// One tile; none where there is none.
    pub fn tile(&self, zoom: u8, x: u32, y: u32) -> Result<Option<Tile>, FieldError> {
        self.archive().map_or(Ok(None), |archive| archive.tile(zoom, x, y))
    }

    /// Takes a PMTiles file in, instead of the one before.
    pub fn install(&self, from: &mut dyn Read) -> Result<TilesShown, FieldError> {
        let shown = tiles::install(&self.dir, from)?;
        *locked(&self.open) = None;
        Ok(shown)
    }

    pub fn remove(&self) -> Result<(), FieldError> {
        tiles::remove(&self.dir)?;
        *locked(&self.open) = None;
        Ok(())
    }
}
