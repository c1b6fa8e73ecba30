//! Projections: per kind the columns that lists and filters need, derived from the record alone.
//!
//! A kind's file holds its [`Table`]; everything here is the same for all kinds. A record of a kind that
//! this program does not know has no projection and is kept all the same.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use rusqlite::types::Value as Sql;
use rusqlite::{Connection, params_from_iter};
use yaoguan_model::deletion::{self, Deletion};
use yaoguan_model::{Kind, Position, Record, Value};

use crate::error::StoreError;
use crate::search;

/// The projection of a kind.
pub(crate) struct Table {
    pub name: &'static str,
    pub columns: &'static [Column],
    /// Order of lists: an indexed column.
    pub order: &'static str,
    /// Paths whose text the search finds.
    pub searched: &'static [&'static str],
    /// Paths that are also found by the first letters of their pinyin.
    pub initials: &'static [&'static str],
}

/// A column takes the value shown of the path of the same name.
#[derive(Clone, Copy)]
pub(crate) enum Column {
    Text(&'static str),
    Int(&'static str),
}

impl Column {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Text(name) | Self::Int(name) => name,
        }
    }
    fn value(self, record: &Record) -> Sql {
        match self {
            Self::Text(path) => Sql::Text(record.shown_text(path).unwrap_or_default().to_owned()),
            Self::Int(path) => {
                Sql::Integer(record.shown(path).and_then(Value::as_int).unwrap_or(0))
            }
        }
    }
}

/// Every projection.
pub(crate) const TABLES: [&Table; 8] = [
    &crate::hazard::TABLE,
    &crate::patrol::TABLE,
    &crate::household::TABLE,
    &crate::household_check::TABLE,
    &crate::task::TABLE,
    &crate::notice::TABLE,
    &crate::grid::TABLE,
    &crate::template::TABLE,
];

/// The projection of a kind; none for an unknown one.
pub(crate) fn table(kind: &Kind) -> Option<&'static Table> {
    TABLES.into_iter().find(|table| table.name == kind.as_str())
}

/// One row of a projection: what `write` stores and `verify` compares.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub values: Vec<Sql>,
    pub place: Option<Position>,
    pub text: String,
}

/// Derives the row.
pub(crate) fn derive(table: &Table, record: &Record) -> Row {
    let state = deletion::state(record);
    let conflicts = i64::try_from(record.conflicts().count()).unwrap_or(i64::MAX);
    let mut values = vec![Sql::Integer(deletion_code(state)), Sql::Integer(conflicts)];
    values.extend(table.columns.iter().map(|column| column.value(record)));
    let live = state != Deletion::Deleted;
    let place = record.shown("position").and_then(Position::of).filter(|_| live);
    let mut text = if live { search::text(record, table.searched) } else { String::new() };
    if live {
        text.push_str(&search::initials(record, table.initials));
    }
    Row { values, place, text }
}

/// The code of a deletion state in the column `deletion`.
pub(crate) fn deletion_code(state: Deletion) -> i64 {
    match state {
        Deletion::Live => 0,
        Deletion::Deleted => 1,
        Deletion::Contested => 2,
    }
}

/// Whether there may be rows of a record from before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Was {
    There,
    /// Nothing is looked up that would have to go first.
    Missing,
}

/// Writes the projection of a record anew, but for the words that it is found by: see [`Words`].
pub(crate) fn write(
    connection: &Connection,
    seq: i64,
    record: &Record,
    was: Was,
    words: &mut Words,
) -> Result<(), StoreError> {
    let Some(table) = table(&record.kind) else { return Ok(()) };
    let row = derive(table, record);
    let values = std::iter::once(Sql::Integer(seq)).chain(row.values);
    connection.prepare_cached(&insert_sql(table, was))?.execute(params_from_iter(values))?;
    words.note(seq, was, row.text);
    match row.place {
        Some(at) if was == Was::Missing => connection
            .prepare_cached("INSERT INTO place (record, lat_min, lat_max, lon_min, lon_max) VALUES (?1, ?2, ?2, ?3, ?3)")?
            .execute((seq, at.lat_e7, at.lon_e7))?,
        None if was == Was::Missing => 0,
        Some(at) => connection
            .prepare_cached("INSERT OR REPLACE INTO place (record, lat_min, lat_max, lon_min, lon_max) VALUES (?1, ?2, ?2, ?3, ?3)")?
            .execute((seq, at.lat_e7, at.lon_e7))?,
        None => connection.prepare_cached("DELETE FROM place WHERE record = ?1")?.execute([seq])?,
    };
    Ok(())
}

/// Words that go into the search index with the last statements of a transaction. FTS5 gathers them in memory
/// and writes them as one part, but whenever SQLite opens a savepoint within the transaction, as it does for
/// each `INSERT OR REPLACE` into a table with keys, it writes out what it has: a part for each record, all of
/// which are then merged.
#[derive(Debug, Default)]
pub(crate) struct Words(BTreeMap<i64, (Was, String)>);

impl Words {
    fn note(&mut self, seq: i64, was: Was, text: String) {
        let was = self.0.get(&seq).map_or(was, |(was, _)| *was);
        self.0.insert(seq, (was, text));
    }

    /// A record left.
    pub(crate) fn forget(&mut self, seq: i64) {
        self.0.remove(&seq);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Writes what was noted.
    pub(crate) fn write(&mut self, connection: &Connection) -> Result<(), StoreError> {
        for (seq, (was, text)) in std::mem::take(&mut self.0) {
            match was {
                Was::There => write_text(connection, seq, &text)?,
                Was::Missing if text.is_empty() => {}
                Was::Missing => {
                    let sql = "INSERT INTO search (rowid, text) VALUES (?1, ?2)";
                    connection.prepare_cached(sql)?.execute((seq, text))?;
                }
            }
        }
        Ok(())
    }
}

fn write_text(connection: &Connection, seq: i64, text: &str) -> Result<(), StoreError> {
    if text.is_empty() {
        connection.prepare_cached("DELETE FROM search WHERE rowid = ?1")?.execute([seq])?;
    } else {
        connection
            .prepare_cached("INSERT OR REPLACE INTO search (rowid, text) VALUES (?1, ?2)")?
            .execute((seq, text))?;
    }
    Ok(())
}

/// Erases what the virtual tables hold of a record; the kind's table goes with the record by its key.
pub(crate) fn erase(connection: &Connection, seq: i64) -> Result<(), StoreError> {
    connection.prepare_cached("DELETE FROM place WHERE record = ?1")?.execute([seq])?;
    write_text(connection, seq, "")
}

/// Takes out of the search index what was erased from it: until its parts are merged it only marks rows
/// as gone, and their words stay.
pub(crate) fn forget(connection: &Connection) -> Result<(), StoreError> {
    connection.execute("INSERT INTO search (search) VALUES ('optimize')", [])?;
    Ok(())
}

fn insert_sql(table: &Table, was: Was) -> String {
    let or = if was == Was::There { " OR REPLACE" } else { "" };
    let mut sql = format!("INSERT{or} INTO {} (record, deletion, conflicts", table.name);
    for column in table.columns {
        // Writing into a String cannot fail.
        _ = write!(sql, ", {}", column.name());
    }
    sql.push_str(") VALUES (?1, ?2, ?3");
    for number in 4..table.columns.len() + 4 {
        _ = write!(sql, ", ?{number}");
    }
    sql.push(')');
    sql
}
