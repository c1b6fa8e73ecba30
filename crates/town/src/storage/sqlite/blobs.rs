//! Uploads, files and references as SQL. Scope is in the statement that says whether a file may be read.

use std::collections::BTreeSet;

use async_trait::async_trait;
use uuid::Uuid;
use yaoguan_media::MediaType;
use yaoguan_model::cells::Cell;
use yaoguan_model::{AccountId, BlobHash, Changes, Kind, Record, RecordId, blob};
use yaoguan_wire::HoldId;

use super::super::blobs::{Appended, Blobs, NewUpload, Readable, Upload};
use super::{desk, feed::names_of, id16};
use crate::blobs::{MAX_UPLOADS, UNREFERENCED_HOLDS_S};
use crate::error::TownError;
use crate::storage::sql::{Connection, Engine, OptionalExtension, Transaction, params};

#[async_trait]
impl<E: Engine> Blobs for E {
    async fn begin_upload(&self, upload: NewUpload) -> Result<bool, TownError> {
        self.write(move |tx| begin(tx, &upload)).await
    }

    async fn upload(
        &self,
        id: Uuid,
        account: AccountId,
        now: i64,
    ) -> Result<Option<Upload>, TownError> {
        self.read(move |connection| find(connection, id, account, now)).await
    }

    async fn append(&self, id: Uuid, start: u64, bytes: Vec<u8>) -> Result<Appended, TownError> {
        self.write(move |tx| append(tx, id, start, &bytes)).await
    }

    async fn upload_bytes(&self, id: Uuid) -> Result<Vec<u8>, TownError> {
        self.read(move |connection| {
            let sql = "SELECT bytes FROM upload_part WHERE upload = ?1 ORDER BY start";
            let mut statement = connection.prepare_cached(sql)?;
            let mut bytes = Vec::new();
            statement.for_each([id.as_bytes()], |part| {
                bytes.extend_from_slice(part.bytes("bytes")?);
                Ok(())
            })?;
            Ok(bytes)
        })
        .await
    }

    async fn end_upload(&self, id: Uuid) -> Result<(), TownError> {
        self.write(move |tx| {
            tx.prepare_cached("DELETE FROM upload_part WHERE upload = ?1")?
                .execute([id.as_bytes()])?;
            tx.prepare_cached("DELETE FROM upload WHERE id = ?1")?.execute([id.as_bytes()])?;
            Ok(())
        })
        .await
    }

    async fn keep_blob(
        &self,
        upload: Upload,
        media_type: MediaType,
        now: i64,
    ) -> Result<(), TownError> {
        self.write(move |tx| keep(tx, &upload, media_type, now)).await
    }

    async fn readable_blob(
        &self,
        hash: BlobHash,
        cells: Vec<Cell>,
        account: AccountId,
    ) -> Result<Option<Readable>, TownError> {
        self.read(move |connection| readable(connection, hash, &cells, account)).await
    }

    async fn unreadable_blobs(
        &self,
        hashes: Vec<BlobHash>,
        cells: Vec<Cell>,
        account: AccountId,
    ) -> Result<Vec<BlobHash>, TownError> {
        self.read(move |connection| {
            let mut missing = Vec::new();
            for hash in &hashes {
                if readable(connection, *hash, &cells, account)?.is_none() {
                    missing.push(*hash);
                }
            }
            Ok(missing)
        })
        .await
    }

    async fn with_files(
        &self,
        cells: Vec<Cell>,
        id: RecordId,
    ) -> Result<Option<(Record, BTreeSet<BlobHash>)>, TownError> {
        self.read(move |connection| {
            let found = desk::read(connection, &names_of(&cells), id)?;
            let Some((record, ..)) = found else { return Ok(None) };
            let sql = "SELECT blob.hash AS hash FROM blob_ref JOIN blob ON blob.hash = blob_ref.hash \
                 WHERE blob_ref.record = ?1";
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map([id.as_bytes()], |row| row.get("hash").map(BlobHash))?;
            let arrived = rows.collect::<Result<_, _>>()?;
            Ok(Some((record, arrived)))
        })
        .await
    }

    async fn blobs(&self) -> Result<Vec<(BlobHash, u64)>, TownError> {
        self.read(|connection| {
            let sql = "SELECT hash, size FROM blob ORDER BY hash";
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement
                .query_map([], |row| Ok((BlobHash(row.get("hash")?), row.get("size")?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn lose_blobs(&self, hashes: Vec<BlobHash>) -> Result<(), TownError> {
        self.write(move |tx| {
            // Who brought it stays: that is what lets others read it once it is here again.
            for hash in &hashes {
                tx.prepare_cached("DELETE FROM blob WHERE hash = ?1")?.execute([hash.0])?;
            }
            Ok(())
        })
        .await
    }

    async fn forget_blobs(&self, now: i64) -> Result<Vec<BlobHash>, TownError> {
        self.write(move |tx| forget(tx, now)).await
    }
}

fn begin(tx: &Transaction<'_>, upload: &NewUpload) -> Result<bool, TownError> {
    // Whoever begins the same file again never heard where the upload was that has no byte yet.
    let sql = "DELETE FROM upload WHERE account = ?1 AND hash = ?2 AND received = 0 AND done = 0";
    tx.prepare_cached(sql)?.execute((upload.account.as_bytes(), upload.hash.0))?;
    let sql = "SELECT count(*) AS n FROM upload WHERE account = ?1 AND done = 0";
    let unfinished: u64 =
        tx.prepare_cached(sql)?.query_row([upload.account.as_bytes()], |row| row.get("n"))?;
    if unfinished >= MAX_UPLOADS {
        return Ok(false);
    }
    tx.prepare_cached(
        "INSERT INTO upload (id, account, hash, size, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute((
        upload.id.as_bytes(),
        upload.account.as_bytes(),
        upload.hash.0,
        upload.size,
        upload.expires_at,
    ))?;
    Ok(true)
}

fn find(
    connection: &Connection,
    id: Uuid,
    account: AccountId,
    now: i64,
) -> Result<Option<Upload>, TownError> {
    let mut statement = connection.prepare_cached(
        "SELECT hash, size, received, done, expires_at FROM upload \
         WHERE id = ?1 AND account = ?2 AND expires_at > ?3",
    )?;
    let found = statement.query_row((id.as_bytes(), account.as_bytes(), now), |row| {
        Ok(Upload {
            id,
            account,
            hash: BlobHash(row.get("hash")?),
            size: row.get("size")?,
            received: row.get("received")?,
            done: row.get("done")?,
            expires_at: row.get("expires_at")?,
        })
    });
    Ok(found.optional()?)
}

fn append(tx: &Transaction<'_>, id: Uuid, start: u64, bytes: &[u8]) -> Result<Appended, TownError> {
    let sql = "SELECT received, size FROM upload WHERE id = ?1 AND done = 0";
    let row = tx.prepare_cached(sql)?.query_row([id.as_bytes()], |row| {
        Ok((row.get::<_, u64>("received")?, row.get::<_, u64>("size")?))
    });
    let Some((received, size)) = row.optional()? else { return Ok(Appended::Gone) };
    let end = start.saturating_add(bytes.len() as u64);
    if start != received || end > size {
        return Ok(Appended::OtherOffset);
    }
    if !bytes.is_empty() {
        let sql = "INSERT INTO upload_part (upload, start, bytes) VALUES (?1, ?2, ?3)";
        tx.prepare_cached(sql)?.execute((id.as_bytes(), start, bytes))?;
        let sql = "UPDATE upload SET received = ?2 WHERE id = ?1";
        tx.prepare_cached(sql)?.execute((id.as_bytes(), end))?;
    }
    Ok(Appended::Upto(end))
}

fn keep(
    tx: &Transaction<'_>,
    upload: &Upload,
    media_type: MediaType,
    now: i64,
) -> Result<(), TownError> {
    tx.prepare_cached(
        "INSERT INTO blob (hash, type, size, received_at) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (hash) DO UPDATE SET unreferenced_since = NULL",
    )?
    .execute((upload.hash.0, media_type.as_str(), upload.size, now))?;
    let sql = "INSERT OR IGNORE INTO blob_from (hash, account) VALUES (?1, ?2)";
    tx.prepare_cached(sql)?.execute((upload.hash.0, upload.account.as_bytes()))?;
    let sql = "UPDATE upload SET done = 1 WHERE id = ?1";
    tx.prepare_cached(sql)?.execute([upload.id.as_bytes()])?;
    let sql = "DELETE FROM upload_part WHERE upload = ?1";
    tx.prepare_cached(sql)?.execute([upload.id.as_bytes()])?;
    Ok(())
}

/// Brought by the asker, or referred to by a record in the asker's cells whose writer was entitled to.
const READABLE: &str = "SELECT type, size, EXISTS (SELECT 1 FROM blob_ref \
     JOIN record ON record.id = blob_ref.record \
     WHERE blob_ref.hash = blob.hash AND record.kind = 'household_check') AS of_household \
     FROM blob WHERE hash = ?1 AND (\
     EXISTS (SELECT 1 FROM blob_from WHERE blob_from.hash = blob.hash AND blob_from.account = ?3) \
     OR EXISTS (SELECT 1 FROM blob_ref \
     JOIN feed ON feed.record = blob_ref.record AND feed.state = 0 \
     JOIN cell ON cell.id = feed.cell \
     WHERE blob_ref.hash = blob.hash AND cell.name IN (SELECT value FROM json_each(?2)) \
     AND (blob_ref.entitled = 1 OR EXISTS (SELECT 1 FROM blob_from \
     WHERE blob_from.hash = blob_ref.hash AND blob_from.account = blob_ref.account))))";

fn readable(
    connection: &Connection,
    hash: BlobHash,
    cells: &[Cell],
    account: AccountId,
) -> Result<Option<Readable>, TownError> {
    let mut statement = connection.prepare_cached(READABLE)?;
    let row = statement.query_row(params![hash.0, names_of(cells), account.as_bytes()], |row| {
        let text: String = row.get("type")?;
        Ok((text, row.get("size")?, row.get("of_household")?))
    });
    let Some((text, size, of_household)) = row.optional()? else { return Ok(None) };
    let corrupt = || TownError::Corrupt(format!("blob {hash}: type {text}"));
    let media_type = MediaType::from_text(&text).ok_or_else(corrupt)?;
    Ok(Some(Readable { media_type, size, of_household }))
}

/// Notes what a record refers to now. A reference that was there before keeps its writer; a new one is
/// `account`'s, with what that person may read at this moment. Before the record's feed rows are written.
pub(super) fn refer(
    tx: &Transaction<'_>,
    record: &Record,
    account: AccountId,
    cells: &[Cell],
) -> Result<(), TownError> {
    let now = blob::references(record);
    let mut statement = tx.prepare_cached("SELECT hash FROM blob_ref WHERE record = ?1")?;
    let rows = statement.query_map([record.id.as_bytes()], |row| row.get("hash").map(BlobHash))?;
    let before: BTreeSet<BlobHash> = rows.collect::<Result<_, _>>()?;
    for gone in before.difference(&now) {
        let sql = "DELETE FROM blob_ref WHERE hash = ?1 AND record = ?2";
        tx.prepare_cached(sql)?.execute((gone.0, record.id.as_bytes()))?;
    }
    for new in now.difference(&before) {
        let entitled = readable(tx, *new, cells, account)?.is_some();
        tx.prepare_cached(
            "INSERT INTO blob_ref (hash, record, account, entitled) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute((new.0, record.id.as_bytes(), account.as_bytes(), entitled))?;
    }
    Ok(())
}

/// Notes what a held save refers to.
pub(super) fn refer_held(
    tx: &Transaction<'_>,
    hold: HoldId,
    kind: &Kind,
    changes: &Changes,
) -> Result<(), TownError> {
    for hash in blob::references_of_changes(kind, changes) {
        let sql = "INSERT OR IGNORE INTO blob_held (hash, hold) VALUES (?1, ?2)";
        tx.prepare_cached(sql)?.execute((hash.0, hold.as_bytes()))?;
    }
    Ok(())
}

/// A record was purged: what it alone referred to goes with the next look round, without the usual delay,
/// and nobody reads it any more.
pub(super) fn release(tx: &Transaction<'_>, record: RecordId) -> Result<(), TownError> {
    for sql in [
        "UPDATE blob SET unreferenced_since = 0 WHERE hash IN \
         (SELECT hash FROM blob_ref WHERE record = ?1) AND NOT EXISTS \
         (SELECT 1 FROM blob_ref WHERE blob_ref.hash = blob.hash AND record <> ?1)",
        "DELETE FROM blob_from WHERE hash IN (SELECT hash FROM blob_ref WHERE record = ?1) \
         AND NOT EXISTS (SELECT 1 FROM blob_ref WHERE blob_ref.hash = blob_from.hash AND record <> ?1)",
        "DELETE FROM blob_ref WHERE record = ?1",
    ] {
        tx.prepare_cached(sql)?.execute([record.as_bytes()])?;
    }
    Ok(())
}

/// A record, a save that waits, or anything that was recovered and waits.
const NEEDED: &str = "(EXISTS (SELECT 1 FROM blob_ref WHERE blob_ref.hash = blob.hash) \
     OR EXISTS (SELECT 1 FROM blob_held JOIN held ON held.id = blob_held.hold \
     WHERE blob_held.hash = blob.hash AND held.outcome = '') \
     OR EXISTS (SELECT 1 FROM recovered WHERE taken_at IS NULL))";

fn forget(tx: &Transaction<'_>, now: i64) -> Result<Vec<BlobHash>, TownError> {
    for sql in [
        "DELETE FROM upload_part WHERE upload IN (SELECT id FROM upload WHERE expires_at <= ?1)",
        "DELETE FROM upload WHERE expires_at <= ?1",
    ] {
        tx.prepare_cached(sql)?.execute([now])?;
    }
    tx.execute(&format!("UPDATE blob SET unreferenced_since = NULL WHERE {NEEDED}"), [])?;
    let sql = format!(
        "UPDATE blob SET unreferenced_since = ?1 WHERE unreferenced_since IS NULL AND NOT {NEEDED}"
    );
    tx.execute(&sql, [now])?;
    let sql = "DELETE FROM blob WHERE unreferenced_since <= ?1 RETURNING hash";
    let mut statement = tx.prepare_cached(sql)?;
    let rows = statement.query_map([now - UNREFERENCED_HOLDS_S], |row| row.get("hash"))?;
    let gone: Vec<BlobHash> = rows.map(|hash| hash.map(BlobHash)).collect::<Result<_, _>>()?;
    for hash in &gone {
        tx.prepare_cached("DELETE FROM blob_from WHERE hash = ?1")?.execute([hash.0])?;
    }
    Ok(gone)
}

/// Whose reference a record's are where nobody pushed it: its author's.
pub(super) fn refer_as_author(tx: &Transaction<'_>, record: &Record) -> Result<(), TownError> {
    refer(tx, record, record.created_by, &[])
}

/// Who pushed a held save: references in it are that person's.
pub(super) fn pusher_of(tx: &Transaction<'_>, hold: HoldId) -> Result<AccountId, TownError> {
    let sql = "SELECT account FROM held WHERE id = ?1";
    let account =
        tx.prepare_cached(sql)?.query_row([hold.as_bytes()], |row| id16(row, "account"))?;
    Ok(AccountId::from_bytes(account))
}
