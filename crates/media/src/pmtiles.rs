//! PMTiles version 3, for reading: <https://github.com/protomaps/PMTiles/blob/main/spec/v3/spec.md>.
//!
//! A header of 127 bytes, a root directory, leaf directories, tiles. Tiles are numbered along a Hilbert
//! curve; a directory is columns of varints. Directories and tiles are plain or gzip. The file is from
//! elsewhere: every number in it is checked before anything is read by it.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::Mutex;

use flate2::read::MultiGzDecoder;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

const HEADER_BYTES: usize = 127;
/// A directory, the metadata or a tile, packed or unpacked.
const MAX_PART_BYTES: u64 = 16 * 1024 * 1024;
/// Directories on the way to a tile.
const MAX_DEPTH: u32 = 4;
/// Deeper tiles have no 32-bit coordinates.
pub const MAX_ZOOM: u8 = 26;

/// A file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MapError {
    #[error("not a map that can be shown: {0}")]
    Unfit(String),
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// What whoever draws a file has to know of it.
#[derive(Debug, Clone, PartialEq)]
pub struct About {
    pub kind: TileKind,
    pub min_zoom: u8,
    pub max_zoom: u8,
    /// West, south, east, north, in degrees.
    pub bounds: [f64; 4],
    /// Names of the layers of vector tiles.
    pub layers: Vec<String>,
    pub attribution: String,
    pub bytes: u64,
}

/// One tile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tile {
    pub media_type: &'static str,
    pub bytes: Vec<u8>,
}

/// What the tiles are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TileKind {
    Mvt,
    Png,
    Jpeg,
    Webp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packing {
    None,
    Gzip,
}

#[derive(Debug, Clone, Copy)]
struct Part {
    offset: u64,
    length: u64,
}

#[derive(Debug)]
struct Header {
    root: Part,
    metadata: Part,
    leaves: Part,
    data: Part,
    directories: Packing,
    tiles: Packing,
    kind: TileKind,
    min_zoom: u8,
    max_zoom: u8,
    bounds: [f64; 4],
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    tile: u64,
    /// 0: it points to a leaf directory.
    run: u64,
    length: u64,
    offset: u64,
}

/// An open file.
pub struct Archive {
    file: Mutex<File>,
    bytes: u64,
    header: Header,
    root: Vec<Entry>,
}

fn bad(what: &str) -> MapError {
    MapError::Unfit(what.to_owned())
}

impl Archive {
    /// # Errors
    /// [`MapError::Unfit`] for anything but tiles that this app can show.
    pub fn open(path: &Path) -> Result<Self, MapError> {
        let mut file = File::open(path)?;
        let bytes = file.metadata()?.len();
        let mut head = [0; HEADER_BYTES];
        file.read_exact(&mut head).map_err(|_| bad("shorter than a header"))?;
        let header = Header::read(&head)?;
        let mut archive = Self { file: Mutex::new(file), bytes, header, root: Vec::new() };
        archive.root = archive.directory(archive.header.root)?;
        Ok(archive)
    }

    /// What whoever draws it has to know.
    pub fn about(&self) -> Result<About, MapError> {
        let packed = self.part(self.header.metadata)?;
        let metadata = unpack(packed, self.header.directories)?;
        let metadata: Json = serde_json::from_slice(&metadata).unwrap_or_default();
        let layer = |layer: &Json| Some(layer.get("id")?.as_str()?.to_owned());
        let layers = metadata.get("vector_layers").and_then(Json::as_array);
        let attribution = metadata.get("attribution").and_then(Json::as_str);
        Ok(About {
            kind: self.header.kind,
            min_zoom: self.header.min_zoom,
            max_zoom: self.header.max_zoom,
            bounds: self.header.bounds,
            layers: layers.map(|all| all.iter().filter_map(layer).collect()).unwrap_or_default(),
            attribution: attribution.unwrap_or_default().to_owned(),
            bytes: self.bytes,
        })
    }

    /// A tile, unpacked; none where the file has none.
    pub fn tile(&self, zoom: u8, x: u32, y: u32) -> Result<Option<Tile>, MapError> {
        let Some(wanted) = tile_id(zoom, x, y) else { return Ok(None) };
        let mut leaf = None;
        for _ in 0..MAX_DEPTH {
            let found = find(leaf.as_deref().unwrap_or(&self.root), wanted);
            let Some(entry) = found else { return Ok(None) };
            if entry.run > 0 {
                let part = within(self.header.data, entry)?;
                let bytes = unpack(self.part(part)?, self.header.tiles)?;
                return Ok(Some(Tile { media_type: self.header.kind.media_type(), bytes }));
            }
            leaf = Some(self.directory(within(self.header.leaves, entry)?)?);
        }
        Err(bad("directories too deep"))
    }

    fn directory(&self, part: Part) -> Result<Vec<Entry>, MapError> {
        entries(&unpack(self.part(part)?, self.header.directories)?)
            .ok_or_else(|| bad("a directory that does not read"))
    }

    fn part(&self, part: Part) -> Result<Vec<u8>, MapError> {
        let end = part.offset.checked_add(part.length);
        if part.length > MAX_PART_BYTES || end.is_none_or(|end| end > self.bytes) {
            return Err(bad("cut, or a part too large"));
        }
        let mut file = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut bytes = vec![0; usize::try_from(part.length).map_err(|_| bad("too large"))?];
        let read =
            file.seek(SeekFrom::Start(part.offset)).and_then(|_| file.read_exact(&mut bytes));
        read.map_err(|error| bad(&error.to_string()))?;
        Ok(bytes)
    }
}

impl TileKind {
    fn media_type(self) -> &'static str {
        match self {
            Self::Mvt => "application/vnd.mapbox-vector-tile",
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Webp => "image/webp",
        }
    }
}

impl Header {
    fn read(head: &[u8; HEADER_BYTES]) -> Result<Self, MapError> {
        let word = |at: usize| {
            let bytes = head.get(at..at + 8).and_then(|bytes| bytes.try_into().ok());
            bytes.map_or(0, u64::from_le_bytes)
        };
        let byte = |at: usize| head.get(at).copied().unwrap_or_default();
        let degrees = |at: usize| {
            let bytes = head.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
            f64::from(bytes.map_or(0, i32::from_le_bytes)) / 1e7
        };
        if head.get(..8) != Some(b"PMTiles\x03") {
            return Err(bad("not PMTiles version 3"));
        }
        let part = |at: usize| Part { offset: word(at), length: word(at + 8) };
        let packing = |at: usize| match byte(at) {
            1 => Ok(Packing::None),
            2 => Ok(Packing::Gzip),
            _ => Err(bad("packed in another way than gzip")),
        };
        let kind = match byte(99) {
            1 => TileKind::Mvt,
            2 => TileKind::Png,
            3 => TileKind::Jpeg,
            4 => TileKind::Webp,
            _ => return Err(bad("tiles of another sort than PNG, JPEG, WebP and MVT")),
        };
        let (min_zoom, max_zoom) = (byte(100), byte(101));
        if min_zoom > max_zoom || max_zoom > MAX_ZOOM {
            return Err(bad("zoom levels that cannot be"));
        }
        Ok(Self {
            root: part(8),
            metadata: part(24),
            leaves: part(40),
            data: part(56),
            directories: packing(97)?,
            tiles: packing(98)?,
            kind,
            min_zoom,
            max_zoom,
            bounds: [degrees(102), degrees(106), degrees(110), degrees(114)],
        })
    }
}

/// The number of a tile; none outside of its level.
pub fn tile_id(zoom: u8, mut x: u32, mut y: u32) -> Option<u64> {
    let side = 1_u32.checked_shl(u32::from(zoom)).filter(|_| zoom <= MAX_ZOOM)?;
    if x >= side || y >= side {
        return None;
    }
    // Tiles of all levels above: (4^zoom − 1) / 3.
    let mut id = ((1_u64 << (2 * zoom)) - 1) / 3;
    for level in (0..zoom).rev() {
        let half = 1_u32 << level;
        let (right, low) = (x & half, y & half);
        id += u64::from((3 * right) ^ low) << level;
        if low == 0 {
            if right != 0 {
                x = half.wrapping_sub(1).wrapping_sub(x);
                y = half.wrapping_sub(1).wrapping_sub(y);
            }
            std::mem::swap(&mut x, &mut y);
        }
    }
    Some(id)
}

fn find(entries: &[Entry], wanted: u64) -> Option<Entry> {
    let after = entries.partition_point(|entry| entry.tile <= wanted);
    let entry = *entries.get(after.checked_sub(1)?)?;
    (entry.run == 0 || wanted - entry.tile < entry.run).then_some(entry)
}

fn within(whole: Part, entry: Entry) -> Result<Part, MapError> {
    let end = entry.offset.checked_add(entry.length).filter(|end| *end <= whole.length);
    let offset = end.and_then(|_| whole.offset.checked_add(entry.offset));
    let offset = offset.ok_or_else(|| bad("an entry that points out of the file"))?;
    Ok(Part { offset, length: entry.length })
}

fn unpack(bytes: Vec<u8>, packing: Packing) -> Result<Vec<u8>, MapError> {
    match packing {
        Packing::None => Ok(bytes),
        Packing::Gzip => {
            let mut unpacked = Vec::new();
            let mut limited = MultiGzDecoder::new(bytes.as_slice()).take(MAX_PART_BYTES + 1);
            limited.read_to_end(&mut unpacked).map_err(|error| bad(&error.to_string()))?;
            if unpacked.len() as u64 > MAX_PART_BYTES {
                return Err(bad("a part too large"));
            }
            Ok(unpacked)
        }
    }
}

/// A directory: its length, then tile numbers as differences, run lengths, lengths, offsets.
fn entries(mut bytes: &[u8]) -> Option<Vec<Entry>> {
    let count = usize::try_from(varint(&mut bytes)?).ok()?;
    // Four numbers of a byte at least for each.
    if count > bytes.len() / 4 {
        return None;
    }
    let mut all = vec![Entry { tile: 0, run: 0, length: 0, offset: 0 }; count];
    let mut tile = 0_u64;
    for entry in &mut all {
        tile = tile.checked_add(varint(&mut bytes)?)?;
        entry.tile = tile;
    }
    for entry in &mut all {
        entry.run = varint(&mut bytes)?;
    }
    for entry in &mut all {
        entry.length = varint(&mut bytes)?;
    }
    let mut next = 0_u64;
    for (at, entry) in all.iter_mut().enumerate() {
        // 0 means: right behind the one before.
        entry.offset = match varint(&mut bytes)? {
            0 if at > 0 => next,
            plus_one => plus_one.checked_sub(1)?,
        };
        next = entry.offset.checked_add(entry.length)?;
    }
    Some(all)
}

/// LEB128, as in protocol buffers.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7f).checked_shl(shift)?;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
