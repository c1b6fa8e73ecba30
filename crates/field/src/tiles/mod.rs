//! The map's tiles: one PMTiles file in the app's folder, for everybody on the phone. Without one the map
//! draws its plain base.

mod fetch;

use std::fs::File;
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::durable;
use crate::error::FieldError;
use crate::folder::io;

pub use fetch::{MapStep, PART_BYTES, want_again};
use yaoguan_media::pmtiles::{About, MapError};
pub use yaoguan_media::pmtiles::{Archive, Tile, TileKind};

/// The largest file that is installed.
pub const MAX_MAP_BYTES: u64 = 2 * 1024 * 1024 * 1024;

/// What the map has to know of the file.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, export_to = "field.ts"))]
pub struct TilesShown {
    #[cfg_attr(feature = "ts", ts(type = "'png' | 'jpeg' | 'webp' | 'mvt'"))]
    pub kind: TileKind,
    pub min_zoom: u8,
    pub max_zoom: u8,
    /// West, south, east, north, in degrees.
    pub bounds: [f64; 4],
    /// Names of the layers of vector tiles.
    pub layers: Vec<String>,
    pub attribution: String,
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub bytes: u64,
}

impl From<About> for TilesShown {
    fn from(about: About) -> Self {
        let About { kind, min_zoom, max_zoom, bounds, layers, attribution, bytes } = about;
        Self { kind, min_zoom, max_zoom, bounds, layers, attribution, bytes }
    }
}

impl From<MapError> for FieldError {
    fn from(error: MapError) -> Self {
        match error {
            MapError::Unfit(why) => Self::BadMap(why),
            MapError::Io(error) => io(Path::new("map.pmtiles"), error),
        }
    }
}

/// The file in an app's folder.
fn path(app: &Path) -> PathBuf {
    app.join("map.pmtiles")
}

/// The installed file; none when there is none, or none that reads.
pub fn open(app: &Path) -> Option<Archive> {
    Archive::open(&path(app)).ok()
}

/// Takes a file in, once it is whole and reads. What was there stays until then.
pub fn install(app: &Path, from: &mut dyn Read) -> Result<TilesShown, FieldError> {
    std::fs::create_dir_all(app).map_err(|e| io(app, e))?;
    let path = path(app);
    let new = durable::beside(&path, ".new");
    let taken = take_in(&new, from).and_then(|()| Ok(Archive::open(&new)?.about()?.into()));
    match taken {
        Ok(shown) => {
            std::fs::rename(&new, &path).map_err(|e| io(&path, e))?;
            durable::sync_names(&path).map_err(|e| io(&path, e))?;
            Ok(shown)
        }
        Err(error) => {
            // What is left of it is only in the way.
            _ = durable::remove(&new);
            Err(error)
        }
    }
}

fn take_in(new: &Path, from: &mut dyn Read) -> Result<(), FieldError> {
    let mut file = File::create(new).map_err(|e| io(new, e))?;
    let mut limited = from.take(MAX_MAP_BYTES + 1);
    let copied = std::io::copy(&mut limited, &mut file).map_err(|e| io(new, e))?;
    if copied > MAX_MAP_BYTES {
        return Err(FieldError::BadMap("larger than 2 GiB".to_owned()));
    }
    file.flush().and_then(|()| file.sync_all()).map_err(|e| io(new, e))
}

/// Takes the map away again.
pub fn remove(app: &Path) -> Result<(), FieldError> {
    let path = path(app);
    durable::remove(&path).map_err(|e| io(&path, e))
}

#[cfg(test)]
mod tests;
