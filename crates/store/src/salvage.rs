//! Salvage: what can still be read of a broken file goes into a new one.
//!
//! The broken file is only read, never changed. A page that cannot be read makes SQLCipher refuse the
//! whole connection from then on, so that each failure costs a new one; tables are therefore walked from
//! both ends, and what lies between two broken places is looked for by halving the gap.
//!
//! The new store writes under a new replica id: it cannot know what the old one sent last.

pub mod log;
mod reader;

use std::collections::HashMap;
use std::path::Path;

use rusqlite::types::Value as Sql;
use yaoguan_model::{Env, Record, ReplicaId, canonical};
use yaoguan_sync::{
    Local, PhoneStore as _, SyncError, SyncState, Tx as _, Unsent, rewrite_after_fork,
};

use crate::error::StoreError;
use crate::open::{Key, Store};
use crate::tx::{SqliteTx, state_of};
use reader::{Broken, Row};

/// What came of a salvage.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Salvaged {
    /// The phone's clock, in milliseconds.
    pub at: i64,
    /// Where the broken file lies.
    pub file: String,
    pub records: u64,
    /// Records with unsent saves.
    pub unsent: u64,
    pub quarantined: u64,
    pub drafts: u64,
    /// Imported files.
    pub files: u64,
    /// Places of the file that could not be read.
    pub damaged: u64,
    /// Records known to have had unsent saves that could not be read.
    pub lost_unsent: u64,
}

/// Tables that are copied row by row, with the columns that the new store has.
const COPIED: [&str; 11] = [
    "identity",
    "former_replica",
    "quarantine",
    "draft",
    "alarm",
    "blob",
    "offer",
    "stub",
    "media_file",
    "track",
    "track_fix",
];

/// Makes a new store at `into` from what can be read of the file at `broken`. `name` is what the person
/// is told of where the broken file will lie.
pub fn salvage(
    broken: &Path,
    key: &Key,
    into: &Path,
    name: &str,
    env: &dyn Env,
) -> Result<Salvaged, StoreError> {
    let mut from = Broken::open(broken, key)?;
    let mut store = Store::create(into, key, env)?;
    let mut salvaged = Salvaged { at: env.now_ms(), file: name.to_owned(), ..Salvaged::default() };
    store.transact(|tx| {
        let state = take_state(&mut from, tx)?;
        for table in COPIED {
            if from.lacks(table) {
                continue;
            }
            let rows = copy_table(&mut from, tx, table)?;
            match table {
                "quarantine" => salvaged.quarantined = rows,
                "draft" => salvaged.drafts = rows,
                "blob" => salvaged.files = rows,
                _ => {}
            }
        }
        take_records(&mut from, tx, state.as_ref(), &mut salvaged)?;
        rewrite_after_fork(tx, env).map_err(|error| match error {
            SyncError::Store(error) => error,
            SyncError::Record(_) | SyncError::Identity(_) | SyncError::Protocol(_) => {
                StoreError::Corrupt(error.to_string())
            }
        })?;
        salvaged.damaged = from.failures;
        tx.note_salvage(&salvaged)
    })?;
    store.settle_file()?;
    Ok(salvaged)
}

/// The phone's own row: who wrote, how far, and what it knew of the town.
fn take_state(from: &mut Broken, tx: &mut SqliteTx<'_>) -> Result<Option<SyncState>, StoreError> {
    // A file that an older program wrote lacks the last two. Of columns with one name the first one is
    // read: the file's own, where it has it.
    let sql = "SELECT phone.*, 0 AS evict_owed, NULL AS returned FROM phone";
    let old = from.one(|connection| connection.query_row(sql, [], |row| Ok(state_of(row))));
    let Some(Ok(old)) = old else { return Ok(None) };
    tx.set_state(&old)?;
    Ok(Some(old))
}

fn copy_table(from: &mut Broken, tx: &SqliteTx<'_>, table: &str) -> Result<u64, StoreError> {
    let columns = tx.columns(table)?;
    let mut copied = 0;
    from.walk(table, &mut |row: Row| {
        let there: Vec<&String> = columns.iter().filter(|name| row.contains_key(*name)).collect();
        let values = there.iter().filter_map(|name| row.get(*name));
        copied += tx.insert(table, &there, values)?;
        Ok(())
    })?;
    Ok(copied)
}

fn bytes(row: &Row, column: &str) -> Option<Vec<u8>> {
    match row.get(column) {
        Some(Sql::Blob(bytes)) => Some(bytes.clone()),
        Some(_) | None => None,
    }
}

fn int(row: &Row, column: &str) -> Option<i64> {
    match row.get(column) {
        Some(Sql::Integer(n)) => Some(*n),
        Some(_) | None => None,
    }
}

fn record_of(bytes: Option<Vec<u8>>) -> Option<Record> {
    canonical::decode(&bytes?).ok()
}

fn take_records(
    from: &mut Broken,
    tx: &mut SqliteTx<'_>,
    state: Option<&SyncState>,
    salvaged: &mut Salvaged,
) -> Result<(), StoreError> {
    let before = from.failures;
    let mut waiting: HashMap<i64, Row> = HashMap::new();
    from.walk("unsent", &mut |row: Row| {
        if let Some(seq) = int(&row, "record") {
            waiting.insert(seq, row);
        }
        Ok(())
    })?;
    // Which records are unsent is then not known of all of them.
    let own = state.map(|state| state.replica);
    let doubt = own.filter(|_| from.failures > before);
    from.walk("record", &mut |row: Row| {
        let Some(seq) = int(&row, "seq") else { return Ok(()) };
        let unsent = waiting.remove(&seq);
        let Some(record) = record_of(bytes(&row, "body")) else {
            if let Some(unsent) = unsent {
                waiting.insert(seq, unsent);
            }
            return Ok(());
        };
        let local = match (unsent, doubt) {
            (Some(unsent), _) => with_unsent(record, &unsent, own),
            (None, Some(own)) if record.context.get(own) > 0 => doubtful(record, own),
            (None, _) => Local::confirmed(record),
        };
        salvaged.records += 1;
        salvaged.unsent += u64::from(local.unsent.is_some());
        tx.put(&local)
    })?;
    // Of these the record itself could not be read: perhaps the state as sent, or its base.
    for unsent in waiting.into_values() {
        let (base, sent) = (bytes(&unsent, "base"), bytes(&unsent, "sent"));
        let (base, sent) = (record_of(base), record_of(sent));
        salvaged.lost_unsent += u64::from(sent.is_none());
        let local = match (sent, base) {
            (Some(record), base) => {
                Local { record, unsent: Some(Unsent { base, ..Unsent::default() }) }
            }
            (None, Some(base)) => Local::confirmed(base),
            (None, None) => continue,
        };
        salvaged.records += 1;
        salvaged.unsent += u64::from(local.unsent.is_some());
        tx.put(&local)?;
    }
    Ok(())
}

fn with_unsent(record: Record, unsent: &Row, own: Option<ReplicaId>) -> Local {
    let had_base = !matches!(unsent.get("base"), Some(Sql::Null) | None);
    let base = record_of(bytes(unsent, "base")).filter(|base| base.id == record.id);
    let parked = int(unsent, "parked") == Some(1);
    match (base, own) {
        (None, Some(own)) if had_base => doubtful(record, own),
        (base, _) => Local { record, unsent: Some(Unsent { base, sent: None, parked }) },
    }
}

/// Whether the own saves of this record were confirmed cannot be read any more: all of them count as
/// unsent. Written again they may stand beside themselves, where equal values are one.
fn doubtful(record: Record, own: ReplicaId) -> Local {
    let mut base = record.clone();
    base.context = record.context.iter().filter(|dot| dot.replica != own).collect();
    base.fields.retain(|_, siblings| {
        siblings.retain(|sibling| sibling.dot.replica != own);
        !siblings.is_empty()
    });
    let base = (!base.context.is_empty()).then_some(base);
    Local { record, unsent: Some(Unsent { base, ..Unsent::default() }) }
}

impl SqliteTx<'_> {
    fn columns(&self, table: &str) -> Result<Vec<String>, StoreError> {
        let mut statement = self.tx.prepare("SELECT name FROM pragma_table_info(?1)")?;
        let names = statement.query_map([table], |row| row.get("name"))?;
        Ok(names.collect::<Result<_, _>>()?)
    }

    fn insert<'v>(
        &self,
        table: &str,
        columns: &[&String],
        values: impl Iterator<Item = &'v Sql>,
    ) -> Result<u64, StoreError> {
        let names: Vec<&str> = columns.iter().map(|name| name.as_str()).collect();
        let marks = vec!["?"; names.len()].join(", ");
        let sql = format!("INSERT OR IGNORE INTO {table} ({}) VALUES ({marks})", names.join(", "));
        let mut statement = self.tx.prepare_cached(&sql)?;
        Ok(statement.execute(rusqlite::params_from_iter(values))? as u64)
    }

    fn note_salvage(&self, salvaged: &Salvaged) -> Result<(), StoreError> {
        self.tx.execute(
            "INSERT INTO salvage (at, file, records, unsent, quarantined, drafts, files, damaged, \
             lost_unsent) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            (
                salvaged.at,
                &salvaged.file,
                salvaged.records,
                salvaged.unsent,
                salvaged.quarantined,
                salvaged.drafts,
                salvaged.files,
                salvaged.damaged,
                salvaged.lost_unsent,
            ),
        )?;
        Ok(())
    }
}

impl Store {
    /// The broken files that this store was made from, oldest first.
    pub fn salvages(&self) -> Result<Vec<Salvaged>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT at, file, records, unsent, quarantined, drafts, files, damaged, lost_unsent \
             FROM salvage ORDER BY id",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(Salvaged {
                at: row.get("at")?,
                file: row.get("file")?,
                records: row.get("records")?,
                unsent: row.get("unsent")?,
                quarantined: row.get("quarantined")?,
                drafts: row.get("drafts")?,
                files: row.get("files")?,
                damaged: row.get("damaged")?,
                lost_unsent: row.get("lost_unsent")?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Brings all of the write-ahead log into the file, which is then whole without it.
    fn settle_file(self) -> Result<(), StoreError> {
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        self.connection.close().map_err(|(_, error)| StoreError::from(error))
    }
}
