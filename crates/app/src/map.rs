//! The map's file, read while the app runs.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use yaoguan_field::FieldError;
use yaoguan_field::tiles::{self, Archive, MAX_MAP_BYTES, Tile, TilesShown};

use crate::fetching::ASK_EVERY_MS;
use crate::host::locked;

/// What has come of a file that is handed over by parts.
const PARTS: &str = "map.pmtiles.parts";

/// The file of an app's folder, opened when it is first needed.
pub struct Map {
    dir: PathBuf,
    open: Mutex<Option<Option<Arc<Archive>>>>,
    /// When the town was asked for another one, by the time since the device started.
    asked_ms: Mutex<Option<i64>>,
}

impl Map {
    pub(crate) fn within(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), open: Mutex::new(None), asked_ms: Mutex::new(None) }
    }

    fn archive(&self) -> Option<Arc<Archive>> {
        let open = || tiles::open(&self.dir).map(Arc::new);
        locked(&self.open).get_or_insert_with(open).clone()
    }

    /// What the map has to know; none without a file.
    pub fn shown(&self) -> Result<Option<TilesShown>, FieldError> {
        Ok(self.archive().map(|archive| archive.about()).transpose()?.map(TilesShown::from))
    }

    /// One tile; none where there is none.
    pub fn tile(&self, zoom: u8, x: u32, y: u32) -> Result<Option<Tile>, FieldError> {
        Ok(self.archive().map_or(Ok(None), |archive| archive.tile(zoom, x, y))?)
    }

    /// Takes a PMTiles file in, instead of the one before.
    pub fn install(&self, from: &mut dyn Read) -> Result<TilesShown, FieldError> {
        let shown = tiles::install(&self.dir, from)?;
        *locked(&self.open) = None;
        Ok(shown)
    }

    /// Whether the town may be asked for another one.
    pub(crate) fn may_ask(&self, now_ms: i64) -> bool {
        locked(&self.asked_ms).is_none_or(|asked| now_ms.saturating_sub(asked) >= ASK_EVERY_MS)
    }

    pub(crate) fn asked(&self, now_ms: i64) {
        *locked(&self.asked_ms) = Some(now_ms);
    }

    /// Another file is in its place.
    pub(crate) fn changed(&self) {
        *locked(&self.open) = None;
    }

    /// The town's map comes again after the next sync, though it was taken away.
    pub(crate) fn want_again(&self) -> Result<(), FieldError> {
        tiles::want_again(&self.dir)?;
        *locked(&self.asked_ms) = None;
        Ok(())
    }

    /// Takes a file in by parts, in their order: `at` bytes came before, and it has `of` in all. What the map
    /// has to know once it is whole.
    pub fn take_part(
        &self,
        at: u64,
        of: u64,
        bytes: &[u8],
    ) -> Result<Option<TilesShown>, FieldError> {
        let end = at.saturating_add(bytes.len() as u64);
        if of > MAX_MAP_BYTES || end > of {
            return Err(FieldError::BadMap("larger than 2 GiB, or than it was said to be".into()));
        }
        let path = self.dir.join(PARTS);
        let failed = |source| FieldError::Io { path: path.display().to_string(), source };
        append(&path, at, bytes).map_err(failed)?;
        if end < of {
            return Ok(None);
        }
        let installed =
            File::open(&path).map_err(failed).and_then(|mut file| self.install(&mut file));
        std::fs::remove_file(&path).map_err(failed)?;
        installed.map(Some)
    }

    pub fn remove(&self) -> Result<(), FieldError> {
        tiles::remove(&self.dir)?;
        *locked(&self.open) = None;
        Ok(())
    }
}

/// The first part begins anew; any other one goes on where the one before ended.
fn append(path: &Path, at: u64, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = match at {
        0 => options.write(true).create(true).truncate(true).open(path)?,
        _ => options.append(true).open(path)?,
    };
    if file.metadata()?.len() != at {
        return Err(io::Error::other("a part of the map is missing"));
    }
    file.write_all(bytes)
}
