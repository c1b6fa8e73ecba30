//! The town's map, fetched by parts where bytes cost nothing, when nothing else waits. What has come lies beside
//! the map's place and is gone on with after a break; the map before stays until the new one is whole, has its
//! hash and reads.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use yaoguan_model::BlobHash;
use yaoguan_wire::TilesNews;

use super::{Archive, MAX_MAP_BYTES, TilesShown, path};
use crate::durable;
use crate::error::FieldError;
use crate::phone::Phone;
use crate::tend::{NEARLY_FULL_BYTES, free_bytes};

/// One request for a part of the map: what a person saves meanwhile waits no longer than for this.
pub const PART_BYTES: u64 = 4 << 20;
const READ_BYTES: usize = 1 << 16;

/// What one step of fetching came to.
#[derive(Debug, Clone, PartialEq)]
pub enum MapStep {
    /// There is nothing to fetch, or not now.
    Nothing,
    /// So many bytes are here.
    More(u64),
    Installed(TilesShown),
}

/// Which file of the town was installed last; taken away by a person it does not come back by itself.
fn mark(app: &Path) -> PathBuf {
    durable::beside(&path(app), ".town")
}

fn part(app: &Path) -> PathBuf {
    durable::beside(&path(app), ".part")
}

/// The file that `.part` is of.
fn part_of(app: &Path) -> PathBuf {
    durable::beside(&path(app), ".part.of")
}

fn noted(file: &Path) -> Option<BlobHash> {
    std::fs::read_to_string(file).ok()?.trim().parse().ok()
}

/// The town's map comes again, though it was taken away.
pub fn want_again(app: &Path) -> Result<(), FieldError> {
    let mark = mark(app);
    durable::remove(&mark).map_err(|e| crate::folder::io(&mark, e))
}

impl Phone {
    /// The next step towards the town's map for the app in this folder: asks what the town has, fetches a part,
    /// or installs what is whole.
    pub async fn fetch_map(&self, app: &Path) -> Result<MapStep, FieldError> {
        if self.metered {
            return Ok(MapStep::Nothing);
        }
        let mut client = self.client()?;
        let Some(news) = client.tiles(self.env.as_ref()).await? else {
            return Ok(MapStep::Nothing);
        };
        if noted(&mark(app)) == Some(news.hash) || news.size > MAX_MAP_BYTES {
            return Ok(MapStep::Nothing);
        }
        let failed = |error| crate::folder::io(&part(app), error);
        let have = begun(app, news.hash).map_err(failed)?;
        let left = news.size.saturating_sub(have);
        if left > 0 {
            // A map is no reason to fill a phone.
            let room = left.saturating_add(2 * NEARLY_FULL_BYTES);
            if free_bytes(app).is_some_and(|free| free < room) {
                return Ok(MapStep::Nothing);
            }
            let wanted = (have, left.min(PART_BYTES));
            let bytes = client.tiles_part(news.hash, wanted, self.env.as_ref()).await?;
            let Some(bytes) = bytes.filter(|bytes| !bytes.is_empty()) else {
                return Ok(MapStep::Nothing);
            };
            append(app, &bytes).map_err(failed)?;
            return Ok(MapStep::More(have + bytes.len() as u64));
        }
        adopt(app, &news).map(MapStep::Installed)
    }
}

/// Bytes that are here of this file; those of another go.
fn begun(app: &Path, hash: BlobHash) -> io::Result<u64> {
    std::fs::create_dir_all(app)?;
    if noted(&part_of(app)) != Some(hash) {
        durable::remove(&part(app))?;
        durable::replace(&part_of(app), hash.to_string().as_bytes())?;
    }
    match std::fs::metadata(part(app)) {
        Ok(found) => Ok(found.len()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

fn append(app: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(part(app))?;
    file.write_all(bytes)?;
    file.sync_data()
}

/// A file that has come whole takes the map's place. One with other bytes goes, to be fetched anew.
fn adopt(app: &Path, news: &TilesNews) -> Result<TilesShown, FieldError> {
    let (part, place) = (part(app), path(app));
    let failed = |error| crate::folder::io(&part, error);
    let looked = match hash_of(&part).map_err(failed)? {
        hash if hash != news.hash => Err(FieldError::BadMap("other bytes than the town's".into())),
        _ => Archive::open(&part).and_then(|archive| archive.about()).map_err(FieldError::from),
    };
    let about = match looked {
        Ok(about) => about,
        Err(error) => {
            durable::remove(&part).map_err(failed)?;
            return Err(error);
        }
    };
    std::fs::rename(&part, &place).map_err(failed)?;
    durable::sync_names(&place).map_err(failed)?;
    durable::replace(&mark(app), news.hash.to_string().as_bytes()).map_err(failed)?;
    durable::remove(&part_of(app)).map_err(failed)?;
    Ok(about.into())
}

fn hash_of(path: &Path) -> io::Result<BlobHash> {
    let mut file = File::open(path)?;
    let (mut hasher, mut piece) = (Sha256::new(), vec![0; READ_BYTES]);
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(BlobHash(hasher.finalize().into())),
            read => hasher.update(piece.get(..read).unwrap_or_default()),
        }
    }
}
