//! The map that phones fetch on a line that costs nothing: a PMTiles file in the data folder, under its hash. What
//! was received is looked at before anybody may publish it; the file beside it goes with the next one.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};
use yaoguan_media::pmtiles::{Archive, MapError};
use yaoguan_model::BlobHash;

use crate::data::make_private;
use crate::error::TownError;
use crate::grids::FRAME;
use crate::storage::tiles::AboutTiles;

/// The largest file: a county down to single houses has some 100 MiB.
pub const MAX_TILES_BYTES: u64 = 512 * 1024 * 1024;
const FOLDER: &str = "map";
const ENDING: &str = "pmtiles";

/// Where the files lie.
#[derive(Clone)]
pub struct Folder {
    dir: PathBuf,
    open: Arc<Mutex<Option<Open>>>,
}

/// The file that was asked for last.
type Open = (BlobHash, Arc<Archive>);

/// A file that was received.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    pub hash: BlobHash,
    pub size: u64,
    pub about: AboutTiles,
}

/// Why a file is not taken.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    #[error("larger than {MAX_TILES_BYTES} bytes")]
    TooLarge,
    #[error("{0}")]
    Unfit(String),
    #[error("its bounds {0:?} lie outside the town")]
    Elsewhere([f64; 4]),
    #[error(transparent)]
    Town(#[from] TownError),
}

impl From<std::io::Error> for NotTaken {
    fn from(error: std::io::Error) -> Self {
        Self::Town(error.into())
    }
}

impl From<MapError> for NotTaken {
    fn from(error: MapError) -> Self {
        match error {
            MapError::Unfit(why) => Self::Unfit(why),
            MapError::Io(error) => error.into(),
        }
    }
}

/// A file that is being received, beside its place; it goes when this is dropped.
pub struct Incoming {
    folder: Folder,
    file: part::Part,
    hasher: Sha256,
    size: u64,
}

impl Folder {
    /// Of a town's data folder.
    pub fn within(data: &Path) -> Self {
        Self { dir: data.join(FOLDER), open: Arc::default() }
    }

    fn path(&self, hash: BlobHash) -> PathBuf {
        self.dir.join(format!("{hash}.{ENDING}"))
    }

    /// Begins a file; `name` tells it from others that come at the same time.
    pub fn begin(&self, name: &str) -> Result<Incoming, NotTaken> {
        make_private(&self.dir)?;
        let file = part::Part::create(self.dir.join(format!("{name}.part")))?;
        Ok(Incoming { folder: self.clone(), file, hasher: Sha256::new(), size: 0 })
    }

    /// The published file, or one that was received.
    pub fn file(&self, hash: BlobHash) -> Result<Option<std::fs::File>, TownError> {
        match std::fs::File::open(self.path(hash)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            found => Ok(Some(found?)),
        }
    }

    /// Opened for its tiles; none: it is not there or does not read.
    pub fn archive(&self, hash: BlobHash) -> Option<Arc<Archive>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        match &*open {
            Some((of, archive)) if *of == hash => Some(Arc::clone(archive)),
            Some(_) | None => {
                let archive = Arc::new(Archive::open(&self.path(hash)).ok()?);
                *open = Some((hash, Arc::clone(&archive)));
                Some(archive)
            }
        }
    }

    /// What a received file is.
    pub fn received(&self, hash: BlobHash) -> Result<Option<Received>, NotTaken> {
        if self.file(hash)?.is_none() {
            return Ok(None);
        }
        let (about, size) = looked(&self.path(hash))?;
        Ok(Some(Received { hash, size, about }))
    }

    /// Every file but these goes.
    pub fn keep(&self, hashes: &[BlobHash]) -> Result<(), TownError> {
        let entries = match std::fs::read_dir(&self.dir) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        let kept: Vec<PathBuf> = hashes.iter().map(|hash| self.path(*hash)).collect();
        for entry in entries {
            let path = entry?.path();
            let ours = path.extension().is_some_and(|ending| ending == ENDING);
            if ours && !kept.contains(&path) {
                std::fs::remove_file(path)?;
            }
        }
        Ok(())
    }
}

impl Incoming {
    /// The next bytes.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), NotTaken> {
        self.size += bytes.len() as u64;
        if self.size > MAX_TILES_BYTES {
            return Err(NotTaken::TooLarge);
        }
        self.hasher.update(bytes);
        Ok(self.file.write_all(bytes)?)
    }

    /// Looks at the whole file and gives it its name; durable when this returns.
    pub fn finish(self) -> Result<Received, NotTaken> {
        let Self { folder, file, hasher, size } = self;
        let (about, _) = looked(&file.path)?;
        let hash = BlobHash(hasher.finalize().into());
        file.keep_as(&folder.path(hash))?;
        Ok(Received { hash, size, about })
    }
}

fn looked(path: &Path) -> Result<(AboutTiles, u64), NotTaken> {
    let about = Archive::open(path)?.about()?;
    let [west, south, east, north] = about.bounds;
    let sound = west < east && south < north && west >= -180.0 && east <= 180.0;
    if !sound || south < -90.0 || north > 90.0 {
        return Err(NotTaken::Unfit(format!("bounds {:?} that cannot be", about.bounds)));
    }
    let [frame_west, frame_south, frame_east, frame_north] = FRAME;
    if west > frame_east || east < frame_west || south > frame_north || north < frame_south {
        return Err(NotTaken::Elsewhere(about.bounds));
    }
    let size = about.bytes;
    let about = AboutTiles {
        kind: about.kind,
        min_zoom: about.min_zoom,
        max_zoom: about.max_zoom,
        bounds: about.bounds,
        layers: about.layers,
        attribution: about.attribution,
    };
    Ok((about, size))
}

/// A file beside its place.
mod part {
    use std::fs::File;
    use std::io::{self, Write};
    use std::path::{Path, PathBuf};

    pub(super) struct Part {
        file: File,
        pub(super) path: PathBuf,
        kept: bool,
    }

    impl Part {
        pub(super) fn create(path: PathBuf) -> io::Result<Self> {
            Ok(Self { file: File::create(&path)?, path, kept: false })
        }

        /// Takes its place, durably.
        pub(super) fn keep_as(mut self, name: &Path) -> io::Result<()> {
            self.file.sync_all()?;
            std::fs::rename(&self.path, name)?;
            self.kept = true;
            name.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
        }
    }

    impl Write for Part {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.file.write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            self.file.flush()
        }
    }

    impl Drop for Part {
        fn drop(&mut self) {
            if !self.kept {
                // What is left of it is only in the way.
                _ = std::fs::remove_file(&self.path);
            }
        }
    }
}
