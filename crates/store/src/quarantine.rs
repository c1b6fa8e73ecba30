//! Saves that the town did not take: kept as their changes, visible, with their reason.

use rusqlite::{Connection, OptionalExtension, Row};
use yaoguan_model::{AccountId, Kind, Record, RecordId};
use yaoguan_sync::{Kept, Quarantined};
use yaoguan_wire::{ErrorCode, HoldId};

use crate::error::StoreError;
use crate::open::Store;
use crate::tx::{SqliteTx, id16};

/// A quarantined save and its number on this phone.
#[derive(Debug, Clone)]
pub struct QuarantineEntry {
    pub number: i64,
    pub save: Quarantined,
}

pub(crate) fn insert(connection: &Connection, save: &Quarantined) -> Result<(), StoreError> {
    let corrupt = |e: serde_json::Error| StoreError::Corrupt(e.to_string());
    let changes = serde_json::to_string(&save.kept.changes).map_err(corrupt)?;
    let about = &save.kept.about;
    connection
        .prepare_cached(
            "INSERT INTO quarantine (record, kind, created_by, changes, code, detail, retriable, at, hold) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute((
            about.id.as_bytes(),
            about.kind.as_str(),
            about.created_by.as_bytes(),
            changes,
            save.code.as_str(),
            &save.detail,
            save.retriable,
            save.at,
            save.hold.map(|hold| *hold.as_bytes()),
        ))?;
    Ok(())
}

const COLUMNS: &str = "id, record, kind, created_by, changes, code, detail, retriable, at, hold";

fn entry(row: &Row<'_>) -> rusqlite::Result<(QuarantineEntry, String)> {
    let kind: Kind = row.get::<_, String>("kind")?.parse().unwrap_or_else(|never| match never {});
    let author = AccountId::from_bytes(id16(row, "created_by")?);
    let about = Record::new(RecordId::from_bytes(id16(row, "record")?), kind, author);
    let save = Quarantined {
        kept: Kept { about, changes: Default::default(), beyond_sent: false },
        code: ErrorCode::from(row.get::<_, String>("code")?),
        detail: row.get("detail")?,
        retriable: row.get("retriable")?,
        at: row.get("at")?,
        hold: row.get::<_, Option<[u8; 16]>>("hold")?.map(HoldId::new),
    };
    Ok((QuarantineEntry { number: row.get("id")?, save }, row.get("changes")?))
}

fn with_changes(
    (mut entry, changes): (QuarantineEntry, String),
) -> Result<QuarantineEntry, StoreError> {
    let corrupt = |e: serde_json::Error| StoreError::Corrupt(format!("quarantine: {e}"));
    entry.save.kept.changes = serde_json::from_str(&changes).map_err(corrupt)?;
    Ok(entry)
}

/// Held saves that this phone keeps a copy of, oldest first.
pub(crate) fn holds(connection: &Connection, limit: usize) -> Result<Vec<HoldId>, StoreError> {
    let sql = "SELECT hold FROM quarantine WHERE hold IS NOT NULL ORDER BY id LIMIT ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([limit], |row| Ok(HoldId::new(id16(row, "hold")?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Takes the copies of a held save out of quarantine.
pub(crate) fn take_hold(
    connection: &Connection,
    hold: HoldId,
) -> Result<Vec<Quarantined>, StoreError> {
    let sql = format!("DELETE FROM quarantine WHERE hold = ?1 RETURNING {COLUMNS}");
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map([hold.as_bytes()], entry)?;
    rows.map(|row| Ok(with_changes(row?)?.save)).collect()
}

impl Store {
    /// Every quarantined save, oldest first.
    pub fn quarantined(&self) -> Result<Vec<QuarantineEntry>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM quarantine ORDER BY id");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map([], entry)?;
        rows.map(|row| with_changes(row?)).collect()
    }
}

impl SqliteTx<'_> {
    /// Takes a save out of quarantine, to send it again or to discard it.
    pub fn take_quarantined(&mut self, number: i64) -> Result<Option<QuarantineEntry>, StoreError> {
        let sql = format!("DELETE FROM quarantine WHERE id = ?1 RETURNING {COLUMNS}");
        let mut statement = self.tx.prepare_cached(&sql)?;
        let row = statement.query_row([number], entry).optional()?;
        row.map(with_changes).transpose()
    }
}
