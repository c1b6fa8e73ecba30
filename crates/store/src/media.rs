//! What is known of photos, thumbnails and tracks: where they come from, how far they are sent, what refers
//! to them. The bytes lie outside of this file, sealed; the phone's surface writes and reads them.

mod references;

use rusqlite::{OptionalExtension, Row};
use yaoguan_model::{BlobHash, RecordId};
use yaoguan_wire::Epoch;

pub(crate) use references::{noted, of_record, refer};

use crate::error::StoreError;
use crate::open::Store;
use crate::tx::SqliteTx;

/// What a file is. The order is that in which files are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileKind {
    Thumb,
    Track,
    Photo,
}

impl FileKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Thumb => "thumb",
            Self::Track => "track",
            Self::Photo => "photo",
        }
    }

    fn of(word: &str) -> Result<Self, StoreError> {
        let found =
            [Self::Thumb, Self::Track, Self::Photo].into_iter().find(|k| k.as_str() == word);
        found.ok_or_else(|| StoreError::Corrupt(format!("kind of a file: {word}")))
    }
}

/// A file that this phone has, had, or knows of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaFile {
    pub hash: BlobHash,
    pub kind: FileKind,
    pub size: u64,
    /// The bytes are on this phone.
    pub is_here: bool,
    /// This phone has to send it: it made it, or holds what the town has lost.
    pub is_own: bool,
    pub thumb: Option<BlobHash>,
    /// Path of the upload under way, and how far it is.
    pub upload: Option<String>,
    pub sent: u64,
    /// The person asked for it to be sent.
    pub by_hand: bool,
    /// The town's epoch when it gave the receipt.
    pub epoch: Option<Epoch>,
    pub tries: u32,
    /// Why it is not sent any more.
    pub refused: Option<String>,
    /// A record refers to it.
    pub is_referred: bool,
}

/// A file that is now on this phone.
#[derive(Debug, Clone, Copy)]
pub struct NewFile {
    pub hash: BlobHash,
    pub kind: FileKind,
    pub size: u64,
    pub is_own: bool,
    pub thumb: Option<BlobHash>,
    /// The phone's clock, in milliseconds.
    pub at_ms: i64,
}

/// A reference of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MediaRef {
    pub hash: BlobHash,
    pub kind: FileKind,
    pub thumb: Option<BlobHash>,
}

/// Own photos of a record, and those of them that the town has received.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Receipts {
    pub photos: u32,
    pub received: u32,
}

const FILE: &str = "SELECT hash, kind, size, is_here, is_own, thumb, upload, sent, by_hand, epoch, tries, \
     refused, EXISTS (SELECT 1 FROM media_ref WHERE media_ref.hash = media_file.hash) AS is_referred \
     FROM media_file";

impl Store {
    pub fn media_file(&self, hash: BlobHash) -> Result<Option<MediaFile>, StoreError> {
        let sql = format!("{FILE} WHERE hash = ?1");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let found = statement.query_row([hash.0], file).optional()?;
        found.map(sound).transpose()
    }

    /// Own files without a receipt of this epoch that are not given up: thumbnails first, then tracks, then
    /// photos, oldest first; those over which the town failed come last.
    pub fn files_to_send(&self, epoch: Option<Epoch>) -> Result<Vec<MediaFile>, StoreError> {
        let sql = format!(
            "{FILE} WHERE is_own AND is_here AND refused IS NULL AND epoch IS NOT ?1 \
             ORDER BY tries, CASE kind WHEN 'thumb' THEN 0 WHEN 'track' THEN 1 ELSE 2 END, added_at, hash"
        );
        self.files(&sql, [epoch.map(|epoch| *epoch.as_bytes())])
    }

    /// Files that are here, that records refer to, and that no receipt of this epoch says to be at the town, though
    /// one of another did, or the file came from there: lost, or only to be asked about.
    pub fn files_to_confirm(
        &self,
        epoch: Epoch,
        limit: usize,
    ) -> Result<Vec<MediaFile>, StoreError> {
        let sql = format!(
            "{FILE} WHERE is_here AND epoch IS NOT ?1 AND (length(epoch) = 16 OR NOT is_own) \
             AND EXISTS (SELECT 1 FROM media_ref WHERE media_ref.hash = media_file.hash) \
             ORDER BY hash LIMIT ?2"
        );
        self.files(&sql, (epoch.as_bytes(), limit as u64))
    }

    /// Files to which no record refers.
    pub fn unreferred_files(&self) -> Result<Vec<MediaFile>, StoreError> {
        let sql = format!(
            "{FILE} WHERE NOT EXISTS (SELECT 1 FROM media_ref WHERE media_ref.hash = media_file.hash)"
        );
        self.files(&sql, [])
    }

    /// Photos that may leave this phone, since the town has them in this epoch: longest unused first.
    pub fn files_to_free(&self, epoch: Option<Epoch>) -> Result<Vec<MediaFile>, StoreError> {
        let sql = format!(
            "{FILE} WHERE is_here AND kind = 'photo' AND epoch = ?1 ORDER BY used_at, hash"
        );
        self.files(&sql, [epoch.map(|epoch| *epoch.as_bytes())])
    }

    /// Every file that lies on this phone.
    pub fn files_here(&self) -> Result<Vec<MediaFile>, StoreError> {
        self.files(&format!("{FILE} WHERE is_here"), [])
    }

    fn files(
        &self,
        sql: &str,
        values: impl rusqlite::Params,
    ) -> Result<Vec<MediaFile>, StoreError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map(values, file)?.collect::<Result<Vec<_>, _>>()?;
        rows.into_iter().map(sound).collect()
    }

    /// Thumbnails that records refer to, that are not here, and that the town was not asked for since then.
    pub fn missing_thumbs(&self, since_ms: i64, limit: u32) -> Result<Vec<BlobHash>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT DISTINCT media_ref.hash FROM media_ref \
             LEFT JOIN media_file ON media_file.hash = media_ref.hash \
             WHERE media_ref.kind = 'thumb' AND coalesce(media_file.is_here, 0) = 0 \
             AND coalesce(media_file.asked_at, 0) < ?1 ORDER BY media_ref.record DESC LIMIT ?2",
        )?;
        let rows = statement.query_map((since_ms, limit), |row| row.get("hash").map(BlobHash))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What a record refers to.
    pub fn references(&self, record: RecordId) -> Result<Vec<MediaRef>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT media_ref.hash, media_ref.kind, media_ref.thumb FROM media_ref \
             JOIN record ON record.seq = media_ref.record WHERE record.id = ?1",
        )?;
        let rows = statement.query_map([record.as_bytes()], |row| {
            Ok((row.get("hash")?, row.get::<_, String>("kind")?, row.get::<_, Option<_>>("thumb")?))
        })?;
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        let reference = |(hash, kind, thumb): (_, String, Option<_>)| {
            let kind = FileKind::of(&kind)?;
            Ok(MediaRef { hash: BlobHash(hash), kind, thumb: thumb.map(BlobHash) })
        };
        rows.into_iter().map(reference).collect()
    }

    /// What a file is by the records that refer to it; none when none does.
    pub fn kind_by_reference(&self, hash: BlobHash) -> Result<Option<FileKind>, StoreError> {
        let sql = "SELECT kind FROM media_ref WHERE hash = ?1 LIMIT 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let word: Option<String> =
            statement.query_row([hash.0], |row| row.get("kind")).optional()?;
        word.map(|word| FileKind::of(&word)).transpose()
    }

    /// The thumbnail of a photo.
    pub fn thumb_of(&self, photo: BlobHash) -> Result<Option<BlobHash>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT thumb FROM media_file WHERE hash = ?1 AND thumb IS NOT NULL UNION ALL \
             SELECT thumb FROM media_ref WHERE hash = ?1 AND thumb IS NOT NULL LIMIT 1",
        )?;
        Ok(statement.query_row([photo.0], |row| row.get("thumb").map(BlobHash)).optional()?)
    }

    /// When a file was last looked at, by the phone's clock in milliseconds.
    pub fn media_last_used(&self, hash: BlobHash) -> Result<Option<i64>, StoreError> {
        let sql = "SELECT used_at FROM media_file WHERE hash = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row([hash.0], |row| row.get("used_at")).optional()?)
    }

    /// Own photos of a record, and how many of them the town has in this epoch.
    pub fn receipts(&self, record: RecordId, epoch: Option<Epoch>) -> Result<Receipts, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT count(*) AS photos, coalesce(sum(media_file.epoch IS ?2 AND ?2 IS NOT NULL), 0) AS received \
             FROM media_ref JOIN media_file ON media_file.hash = media_ref.hash \
             WHERE media_ref.record = (SELECT seq FROM record WHERE id = ?1) \
             AND media_ref.kind = 'photo' AND media_file.is_own",
        )?;
        let epoch = epoch.map(|epoch| *epoch.as_bytes());
        let read = |row: &Row<'_>| {
            Ok(Receipts { photos: row.get("photos")?, received: row.get("received")? })
        };
        Ok(statement.query_row((record.as_bytes(), epoch), read)?)
    }
}

impl SqliteTx<'_> {
    /// Notes a file whose bytes are on this phone now.
    pub fn add_file(&mut self, new: &NewFile) -> Result<(), StoreError> {
        let mut statement = self.tx.prepare_cached(
            "INSERT INTO media_file (hash, kind, size, is_here, is_own, thumb, added_at, used_at) \
             VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6, ?6) ON CONFLICT (hash) DO UPDATE SET is_here = 1, \
             size = excluded.size, is_own = max(is_own, excluded.is_own), \
             thumb = coalesce(excluded.thumb, thumb), used_at = excluded.used_at, refused = NULL, tries = 0",
        )?;
        let thumb = new.thumb.map(|thumb| thumb.0);
        let values = (new.hash.0, new.kind.as_str(), new.size, new.is_own, thumb, new.at_ms);
        statement.execute(values)?;
        Ok(())
    }

    /// A file was found whose row was lost: the town is asked before it is sent.
    pub fn adopt_file(&mut self, new: &NewFile) -> Result<(), StoreError> {
        self.add_file(new)?;
        self.change("UPDATE media_file SET epoch = x'' WHERE hash = ?1 AND epoch IS NULL", new.hash)
    }

    /// Where an upload goes on, and how far it is.
    pub fn set_upload(
        &mut self,
        hash: BlobHash,
        upload: Option<&str>,
        sent: u64,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE media_file SET upload = ?2, sent = ?3 WHERE hash = ?1";
        self.tx.prepare_cached(sql)?.execute((hash.0, upload, sent))?;
        Ok(())
    }

    /// The town's receipt.
    pub fn set_received(
        &mut self,
        hash: BlobHash,
        epoch: Epoch,
        at: i64,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE media_file SET upload = NULL, sent = size, epoch = ?2, received_at = ?3, \
                   tries = 0 WHERE hash = ?1";
        self.tx.prepare_cached(sql)?.execute((hash.0, epoch.as_bytes(), at))?;
        Ok(())
    }

    /// The town has it no more: the next sending begins anew.
    pub fn void_receipt(&mut self, hash: BlobHash) -> Result<(), StoreError> {
        let sql = "UPDATE media_file SET upload = NULL, sent = 0, epoch = NULL WHERE hash = ?1";
        self.change(sql, hash)
    }

    /// The town has lost it, and this phone holds it: it sends it, and asks once more before its bytes go.
    pub fn take_over(&mut self, hash: BlobHash) -> Result<(), StoreError> {
        let sql = "UPDATE media_file SET is_own = 1, epoch = x'', refused = NULL, tries = 0 \
                   WHERE hash = ?1";
        self.change(sql, hash)
    }

    /// It is not sent any more, until the person asks for it.
    pub fn refuse_file(&mut self, hash: BlobHash, code: &str) -> Result<(), StoreError> {
        let sql = "UPDATE media_file SET refused = ?2, upload = NULL, sent = 0 WHERE hash = ?1";
        self.tx.prepare_cached(sql)?.execute((hash.0, code))?;
        Ok(())
    }

    /// The town failed over this very file.
    pub fn count_try(&mut self, hash: BlobHash) -> Result<(), StoreError> {
        self.change("UPDATE media_file SET tries = tries + 1 WHERE hash = ?1", hash)
    }

    /// The person asks for it to be sent, whatever was said or set before.
    pub fn send_by_hand(&mut self, hash: BlobHash) -> Result<(), StoreError> {
        let sql = "UPDATE media_file SET by_hand = 1, refused = NULL, tries = 0 WHERE hash = ?1";
        self.change(sql, hash)
    }

    /// It was looked at.
    pub fn use_file(&mut self, hash: BlobHash, at_ms: i64) -> Result<(), StoreError> {
        let sql = "UPDATE media_file SET used_at = ?2 WHERE hash = ?1";
        self.tx.prepare_cached(sql)?.execute((hash.0, at_ms))?;
        Ok(())
    }

    /// The town was asked for it, and had it not.
    pub fn note_asked(
        &mut self,
        hash: BlobHash,
        kind: FileKind,
        at_ms: i64,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO media_file (hash, kind, added_at, used_at, asked_at) \
                   VALUES (?1, ?2, ?3, ?3, ?3) ON CONFLICT (hash) DO UPDATE SET asked_at = ?3";
        self.tx.prepare_cached(sql)?.execute((hash.0, kind.as_str(), at_ms))?;
        Ok(())
    }

    /// Its bytes leave this phone; what is known of it stays.
    pub fn leave_file(&mut self, hash: BlobHash) -> Result<(), StoreError> {
        self.change("UPDATE media_file SET is_here = 0 WHERE hash = ?1", hash)
    }

    /// Nothing is known of it any more.
    pub fn forget_file(&mut self, hash: BlobHash) -> Result<(), StoreError> {
        self.change("DELETE FROM media_file WHERE hash = ?1", hash)
    }

    fn change(&self, sql: &str, hash: BlobHash) -> Result<(), StoreError> {
        self.tx.prepare_cached(sql)?.execute([hash.0])?;
        Ok(())
    }
}

type Plain = (MediaFile, String);

fn file(row: &Row<'_>) -> rusqlite::Result<Plain> {
    // An empty epoch is none that any town has.
    let epoch: Option<Vec<u8>> = row.get("epoch")?;
    let epoch = epoch.map(|bytes| bytes.try_into().map_or(Epoch::new([0; 16]), Epoch::new));
    let file = MediaFile {
        hash: BlobHash(row.get("hash")?),
        kind: FileKind::Photo,
        size: row.get("size")?,
        is_here: row.get("is_here")?,
        is_own: row.get("is_own")?,
        thumb: row.get::<_, Option<_>>("thumb")?.map(BlobHash),
        upload: row.get("upload")?,
        sent: row.get("sent")?,
        by_hand: row.get("by_hand")?,
        epoch,
        tries: row.get("tries")?,
        refused: row.get("refused")?,
        is_referred: row.get("is_referred")?,
    };
    Ok((file, row.get("kind")?))
}

fn sound((file, kind): Plain) -> Result<MediaFile, StoreError> {
    Ok(MediaFile { kind: FileKind::of(&kind)?, ..file })
}
