//! Which files records refer to: derived from records and their bases, and written in the transaction that
//! writes these.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;
use yaoguan_model::blob::{self, PHOTOS};
use yaoguan_model::{BlobHash, Record, Value};

use super::FileKind;
use crate::error::StoreError;
use crate::projection::Was;

/// Writes what a record and its base refer to.
pub(crate) fn refer(
    connection: &Connection,
    seq: i64,
    states: [Option<&Record>; 2],
    was: Was,
) -> Result<(), StoreError> {
    let mut references = BTreeMap::new();
    states.into_iter().flatten().for_each(|record| references.extend(of_record(record)));
    if was == Was::There {
        connection.prepare_cached("DELETE FROM media_ref WHERE record = ?1")?.execute([seq])?;
    }
    if references.is_empty() {
        return Ok(());
    }
    let mut statement = connection.prepare_cached(
        "INSERT INTO media_ref (record, hash, kind, thumb) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for (hash, (kind, thumb)) in references {
        statement.execute((seq, hash.0, kind.as_str(), thumb.map(|thumb| thumb.0)))?;
    }
    Ok(())
}

/// The hashes noted for a record.
pub(crate) fn noted(connection: &Connection, seq: i64) -> Result<BTreeSet<BlobHash>, StoreError> {
    let sql = "SELECT hash FROM media_ref WHERE record = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([seq], |row| row.get("hash").map(BlobHash))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What a record refers to, with what each is.
pub(crate) fn of_record(record: &Record) -> BTreeMap<BlobHash, (FileKind, Option<BlobHash>)> {
    let plain = (FileKind::Photo, None);
    let mut all: BTreeMap<_, _> =
        blob::references(record).into_iter().map(|hash| (hash, plain)).collect();
    if all.is_empty() {
        return all;
    }
    let hash = |value: Option<&Value>| value.and_then(Value::as_text)?.parse::<BlobHash>().ok();
    for (path, siblings) in &record.fields {
        for sibling in siblings {
            if path.head() == PHOTOS {
                let photo = path.key().and_then(|key| key.parse::<BlobHash>().ok());
                let thumb = hash(sibling.value.get("thumb"));
                thumb.into_iter().for_each(|t| _ = all.insert(t, (FileKind::Thumb, None)));
                photo.into_iter().for_each(|p| _ = all.insert(p, (FileKind::Photo, thumb)));
            } else if path.as_str() == "track" {
                let track = hash(Some(&sibling.value));
                track.into_iter().for_each(|t| _ = all.insert(t, (FileKind::Track, None)));
            }
        }
    }
    all
}
