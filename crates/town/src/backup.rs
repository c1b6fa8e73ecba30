//! A backup: a folder with a consistent copy of the database and the journal, the blobs, and a list of them
//! with their hashes. It is made while the town serves, is encrypted under the town's key (which is not in
//! it), and becomes visible under its name only when it is whole.
//!
//! A restore checks every file, moves what stood in its place aside, and opens the town as a new line of
//! history: what the journal outside knows is replayed, every phone reconciles.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use yaoguan_model::Env;

use crate::audit::anchor::{self, Anchor};
use crate::audit::hex;
use crate::blobs::{BlobPlace, Checked, FOLDER, place};
use crate::data::{DATABASE, Place, Town, beside, journal_file, make_private};
use crate::error::TownError;
use crate::key_file;
use crate::line::{private, sync_folder_of};
use crate::lock;
use crate::storage::Storage as _;
use crate::storage::sqlite::Snapshot;

/// The list of what a backup holds.
pub const MANIFEST: &str = "backup.json";
const JOURNAL: &str = "journal.db";
const FORMAT: u32 = 1;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub format: u32,
    /// The town, whatever its line of history; hexadecimal.
    pub town: String,
    pub name: String,
    pub epoch: String,
    /// The feed's last position.
    pub position: u64,
    pub schema: i64,
    pub records: u64,
    /// Town's time, in seconds.
    pub made_at: i64,
    /// Path inside the backup → size and SHA-256.
    pub files: BTreeMap<String, Listed>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    pub bytes: u64,
    pub sha256: String,
}

/// What a restore did.
#[derive(Debug, Clone)]
pub struct Restored {
    pub manifest: Manifest,
    /// Where the data that stood there before is now.
    pub aside: Option<PathBuf>,
    /// How far the audit log had come before.
    pub left_head: u64,
    pub findings: Vec<crate::storage::Finding>,
    /// Every file was looked at; those that are no good are asked of phones again.
    pub blobs: Checked,
}

fn bad(what: impl std::fmt::Display) -> TownError {
    TownError::BadBackup(what.to_string())
}

fn list(file: &Path) -> Result<Listed, TownError> {
    let mut input = File::open(file)?;
    let (mut hasher, mut bytes) = (Sha256::new(), 0);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let n = input.read(&mut buffer)?;
        let Some(read) = buffer.get(..n).filter(|read| !read.is_empty()) else { break };
        hasher.update(read);
        bytes += n as u64;
    }
    Ok(Listed { bytes, sha256: hex(&hasher.finalize()) })
}

fn copy(from: &Path, to: &Path) -> Result<(), TownError> {
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut out = private(to)?;
    std::io::copy(&mut File::open(from)?, &mut out)?;
    out.sync_all()?;
    Ok(())
}

/// Makes a backup of an open town in the folder `out`, which must not be there yet.
pub async fn backup(town: &Town, out: &Path, env: &dyn Env) -> Result<Manifest, TownError> {
    town.storage.embedded()?;
    if out.exists() {
        return Err(TownError::Exists(out.to_owned()));
    }
    let partial = beside(out, ".partial");
    // What an interrupted backup left.
    _ = std::fs::remove_dir_all(&partial);
    make_private(&partial)?;
    let made = fill(town, &partial, env).await;
    if made.is_err() {
        _ = std::fs::remove_dir_all(&partial);
    }
    let manifest = made?;
    std::fs::rename(&partial, out)?;
    sync_folder_of(out)?;
    Ok(manifest)
}

async fn fill(town: &Town, out: &Path, env: &dyn Env) -> Result<Manifest, TownError> {
    let storage = town.storage.embedded()?;
    let copied = storage.copy_to(&out.join(DATABASE), &out.join(JOURNAL)).await?;
    let mut names: Vec<PathBuf> = vec![DATABASE.into(), JOURNAL.into()];
    // After the database: a blob that it refers to is there before it does.
    for hash in town.blobs.store.names().await? {
        // What was swept meanwhile is not there any more.
        let Some(sealed) = town.blobs.store.sealed(hash).await? else { continue };
        let name = Path::new(FOLDER).join(place(hash));
        let file = out.join(&name);
        file.parent().map_or(Ok(()), std::fs::create_dir_all)?;
        private(&file)?.write_all(&sealed)?;
        names.push(name);
    }
    let mut files = BTreeMap::new();
    for name in names {
        let file = out.join(&name);
        File::open(&file)?.sync_all()?;
        files.insert(name.to_string_lossy().into_owned(), list(&file)?);
    }
    let manifest = Manifest {
        format: FORMAT,
        town: hex(&copied.town),
        name: copied.name,
        epoch: copied.epoch.to_string(),
        position: copied.position,
        schema: copied.schema,
        records: copied.records,
        made_at: env.now_s(),
        files,
    };
    let mut list = private(&out.join(MANIFEST))?;
    list.write_all(&serde_json::to_vec_pretty(&manifest).map_err(bad)?)?;
    list.sync_all()?;
    Ok(manifest)
}

/// Reads the list of a backup and checks every file against it.
pub fn check(from: &Path) -> Result<Manifest, TownError> {
    let text = std::fs::read(from.join(MANIFEST)).map_err(|e| bad(format!("{MANIFEST}: {e}")))?;
    let manifest: Manifest = serde_json::from_slice(&text).map_err(bad)?;
    if manifest.format != FORMAT {
        return Err(bad(format!("format {} is of a later program", manifest.format)));
    }
    for (name, listed) in &manifest.files {
        let path = Path::new(name);
        if !path.components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(bad(format!("{name} leads out of the backup")));
        }
        let found = list(&from.join(path)).map_err(|e| bad(format!("{name}: {e}")))?;
        if found != *listed {
            return Err(bad(format!("{name} is damaged or incomplete")));
        }
    }
    for name in [DATABASE, JOURNAL] {
        if !manifest.files.contains_key(name) {
            return Err(bad(format!("{name} is missing")));
        }
    }
    Ok(manifest)
}

/// Puts a backup in the place of a town's data. Nothing is changed before the backup has proved good, and
/// what stood there is moved aside, never deleted.
pub async fn restore(
    dir: &Path,
    key_file: &Path,
    blobs: &BlobPlace,
    from: &Path,
    env: &dyn Env,
) -> Result<Restored, TownError> {
    let manifest = check(from)?;
    let key = key_file::read(key_file, dir)?;
    let named = Snapshot::of(&from.join(DATABASE), &key)?;
    if hex(&named.town) != manifest.town {
        return Err(bad("the list is of another database"));
    }
    make_private(dir)?;
    let held = lock::take(dir)?;
    let incoming = beside(dir, ".restoring");
    _ = std::fs::remove_dir_all(&incoming);
    make_private(&incoming)?;
    for name in manifest.files.keys().filter(|name| *name != JOURNAL) {
        copy(&from.join(name), &incoming.join(name))?;
    }
    // Another town's journal would strike off this one's phones.
    let journal = journal_file(dir);
    if journal.exists() {
        crate::storage::sqlite::check_journal(&journal, &key, &named.town)?;
    } else {
        copy(&from.join(JOURNAL), &journal)?;
    }
    let left_head = Anchor::new(&anchor::default_file(dir), &key).read()?.last();
    let aside = beside(dir, &format!(".before-restore-{}", env.now_s()));
    let is_town = dir.join(DATABASE).exists();
    std::fs::rename(dir, &aside)?;
    std::fs::rename(&incoming, dir)?;
    sync_folder_of(dir)?;
    if !is_town {
        std::fs::remove_dir_all(&aside)?;
    }
    drop(held);
    let place = Place { blobs: blobs.clone(), ..Place::folder(dir, key_file) };
    let town = Town::open_at(&place).await?;
    if let BlobPlace::Bucket(_) = blobs {
        to_bucket(&town, dir, &manifest).await?;
    }
    // A restore is a new line, also where nothing had happened since the backup.
    if town.storage.info().await?.epoch.to_string() == manifest.epoch {
        town.storage.renew(env).await?;
    }
    let findings = town.storage.verify().await?.findings;
    // In a new line phones are asked for every file once more: what is no good is asked for too.
    let checked = town.blobs.check(&town.storage).await?;
    town.blobs.forget(&town.storage, &checked.bad).await?;
    Ok(Restored { manifest, aside: is_town.then_some(aside), left_head, findings, blobs: checked })
}

/// Files of a backup go where the town keeps them.
async fn to_bucket(town: &Town, dir: &Path, manifest: &Manifest) -> Result<(), TownError> {
    for name in manifest.files.keys().map(Path::new).filter(|name| name.starts_with(FOLDER)) {
        let hash = name.file_name().and_then(|name| name.to_string_lossy().parse().ok());
        let Some(hash) = hash else { continue };
        town.blobs.store.put_sealed(hash, std::fs::read(dir.join(name))?).await?;
        std::fs::remove_file(dir.join(name))?;
    }
    Ok(())
}
