//! The journal: a second encrypted file, outside the data folder, that holds what a restored database must
//! not forget: who was struck off, which scopes were narrowed, which invites were used, what was purged.
//!
//! It keeps the newest state of each row of [`MIRRORED`], not a history, so that it stays small and replaying
//! it twice is the same as once. Triggers note every change in `touched` within the change's own transaction;
//! the journal is brought up to date before that write is reported as done. Phones and accounts that a backup
//! does not know yet come back with it too.

use std::path::{Path, PathBuf};

use rusqlite::types::{Value as Sql, ValueRef};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params_from_iter};
use serde_json::{Map, Value as Json};

use super::connection;
use crate::error::TownError;

/// A table kept outside the database too.
struct Mirrored {
    table: &'static str,
    key: &'static [&'static str],
    /// Columns whose change is worth noting; none: every one.
    of: &'static [&'static str],
    /// Rows are only added: one that is there is never overwritten.
    append_only: bool,
}

const fn rows(table: &'static str, key: &'static [&'static str]) -> Mirrored {
    Mirrored { table, key, of: &[], append_only: false }
}

/// In the order in which rows can refer to each other.
const MIRRORED: &[Mirrored] = &[
    rows("account", &["id"]),
    rows("account_grid", &["account", "grid"]),
    Mirrored { append_only: true, ..rows("account_scope", &["account", "version"]) },
    // Each sync notes the last contact, which nobody misses.
    Mirrored { of: &["account", "name", "public_key", "revoked_at"], ..rows("device", &["id"]) },
    rows("invite", &["code_hash"]),
    // A password that was changed and a code that was used do not come back.
    Mirrored {
        of: &["password", "reset_hash", "totp_secret", "totp_confirmed"],
        ..rows("credential", &["account"])
    },
    Mirrored { append_only: true, ..rows("purged", &["id"]) },
    Mirrored { append_only: true, ..rows("audit", &["sequence"]) },
];

fn corrupt(error: impl std::fmt::Display) -> TownError {
    TownError::Corrupt(format!("journal: {error}"))
}

/// The tables of the list that this database has.
fn present(connection: &Connection) -> Result<Vec<&'static Mirrored>, TownError> {
    let sql = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut found = Vec::new();
    for mirrored in MIRRORED {
        if statement.exists([mirrored.table])? {
            found.push(mirrored);
        }
    }
    Ok(found)
}

/// Makes the triggers that note changes. Names of tables and columns are this program's own.
pub(super) fn watch(tx: &Transaction<'_>) -> Result<(), TownError> {
    for Mirrored { table, key, of, .. } in present(tx)? {
        let of = if of.is_empty() { String::new() } else { format!(" OF {}", of.join(", ")) };
        for (when, event, row) in [
            ("inserted", "INSERT".to_owned(), "new"),
            ("updated", format!("UPDATE{of}"), "new"),
            ("deleted", "DELETE".to_owned(), "old"),
        ] {
            let key = key.iter().map(|column| column_text(&format!("{row}.{column}")));
            let key = key.collect::<Vec<_>>().join(", ");
            tx.execute_batch(&format!(
                "CREATE TRIGGER IF NOT EXISTS {table}_{when} AFTER {event} ON {table} BEGIN \
                 INSERT INTO touched (what, key) VALUES ('{table}', json_array({key})); END"
            ))?;
        }
    }
    Ok(())
}

/// A column as JSON takes it: blobs in hexadecimal.
fn column_text(column: &str) -> String {
    format!("iif(typeof({column}) = 'blob', 'x' || hex({column}), {column})")
}

/// Whether something waits to be copied.
pub(super) fn is_behind(connection: &Connection) -> Result<bool, TownError> {
    Ok(connection.prepare_cached("SELECT 1 FROM touched LIMIT 1")?.exists([])?)
}

/// The number of the last change that was noted, also when it is copied and forgotten here.
fn last_touched(connection: &Connection) -> Result<i64, TownError> {
    let sql = "SELECT seq FROM sqlite_sequence WHERE name = 'touched'";
    let seq = connection.prepare_cached(sql)?.query_row([], |row| row.get("seq")).optional()?;
    Ok(seq.unwrap_or(0))
}

/// The journal's own file.
pub(super) struct Journal {
    connection: Connection,
    path: PathBuf,
    key: [u8; 32],
    town: Vec<u8>,
}

impl Journal {
    /// Opens the file of this town, or makes it. One of another town is refused.
    pub(super) fn open(path: &Path, key: &[u8; 32], town: &[u8]) -> Result<Self, TownError> {
        let connection = connection::connect(path, key)?;
        // One file, without companions: it can be copied as it is.
        let mode: String =
            connection.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0))?;
        if mode != "delete" {
            return Err(TownError::NotDurable(format!("journal: journal_mode={mode}")));
        }
        connection.pragma_update(None, "synchronous", "EXTRA")?;
        connection.execute_batch(
            "CREATE TABLE IF NOT EXISTS town (
                 one INTEGER PRIMARY KEY CHECK (one = 1),
                 id  BLOB    NOT NULL,
                 seq INTEGER NOT NULL DEFAULT 0  -- the last change copied
             ) STRICT;
             CREATE TABLE IF NOT EXISTS row (
                 what  TEXT NOT NULL,
                 key   TEXT NOT NULL,
                 state TEXT,              -- JSON of the columns; none: the row is gone
                 PRIMARY KEY (what, key)
             ) STRICT, WITHOUT ROWID;",
        )?;
        connection.execute("INSERT OR IGNORE INTO town (one, id) VALUES (1, ?1)", [town])?;
        let own: Vec<u8> = connection.query_row("SELECT id FROM town", [], |row| row.get("id"))?;
        if own != town {
            return Err(TownError::OtherTown(path.to_owned()));
        }
        Ok(Self { connection, path: path.to_owned(), key: *key, town: town.to_owned() })
    }

    /// Opens the file anew when its connection is spent.
    pub(super) fn renew(&mut self) -> Result<(), TownError> {
        if connection::is_spent(&self.connection) {
            *self = Self::open(&self.path, &self.key, &self.town)?;
        }
        Ok(())
    }

    /// True for a journal that was made just now, or lost its rows.
    pub(super) fn is_empty(&self) -> Result<bool, TownError> {
        Ok(!self.connection.prepare("SELECT 1 FROM row LIMIT 1")?.exists([])?)
    }

    /// Whether this knows of changes that the database has not had.
    pub(super) fn is_ahead_of(&self, database: &Connection) -> Result<bool, TownError> {
        let copied: i64 =
            self.connection.query_row("SELECT seq FROM town", [], |row| row.get("seq"))?;
        Ok(copied > last_touched(database)?)
    }

    /// Copies everything, as for a journal that was lost.
    pub(super) fn fill(&mut self, database: &Connection) -> Result<(), TownError> {
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for mirrored in present(database)? {
            let columns =
                mirrored.key.iter().map(|c| column_text(c)).collect::<Vec<_>>().join(", ");
            let sql = format!("SELECT json_array({columns}) AS key FROM {}", mirrored.table);
            let mut statement = database.prepare(&sql)?;
            let mut keys = statement.query([])?;
            while let Some(row) = keys.next()? {
                keep(&tx, database, mirrored, &row.get::<_, String>("key")?)?;
            }
        }
        tx.execute("UPDATE town SET seq = ?1", [last_touched(database)?])?;
        Ok(tx.commit()?)
    }

    /// Copies what was touched since.
    pub(super) fn catch_up(&mut self, database: &Connection) -> Result<(), TownError> {
        if !is_behind(database)? {
            return Ok(());
        }
        let last = last_touched(database)?;
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let sql = "SELECT DISTINCT what, key FROM touched WHERE seq <= ?1";
        let mut statement = database.prepare_cached(sql)?;
        let mut rows = statement.query([last])?;
        while let Some(row) = rows.next()? {
            let what: String = row.get("what")?;
            if let Some(mirrored) = MIRRORED.iter().find(|m| m.table == what) {
                keep(&tx, database, mirrored, &row.get::<_, String>("key")?)?;
            }
        }
        drop(rows);
        tx.execute("UPDATE town SET seq = max(seq, ?1)", [last])?;
        tx.commit()?;
        database.prepare_cached("DELETE FROM touched WHERE seq <= ?1")?.execute([last])?;
        Ok(())
    }

    /// Brings the database to what the journal knows. Returns how many rows it did not have so.
    pub(super) fn replay(&self, database: &Transaction<'_>) -> Result<u64, TownError> {
        let mut changed = 0;
        for mirrored in present(database)? {
            let sql = "SELECT key, state FROM row WHERE what = ?1 ORDER BY key";
            let mut statement = self.connection.prepare(sql)?;
            let mut rows = statement.query([mirrored.table])?;
            let mut all = Vec::new();
            while let Some(row) = rows.next()? {
                all.push((row.get::<_, String>("key")?, row.get::<_, Option<String>>("state")?));
            }
            // Numbers are texts among the keys: a chain must grow in its own order.
            all.sort_by_key(|(key, _)| (key.len(), key.clone()));
            for (key, state) in all {
                let now = state_of(database, mirrored, &key)?;
                if now == state || (mirrored.append_only && now.is_some()) {
                    continue;
                }
                changed += 1;
                match state {
                    Some(state) => write_row(database, mirrored, &state)?,
                    None => {
                        let sql =
                            format!("DELETE FROM {} WHERE {}", mirrored.table, by_key(mirrored));
                        database.execute(&sql, params_from_iter(values(&key)?))?;
                    }
                }
            }
        }
        Ok(changed)
    }

    /// The database counts its changes on from where this stands.
    pub(super) fn take_number(&self, database: &Transaction<'_>) -> Result<(), TownError> {
        let copied: i64 =
            self.connection.query_row("SELECT seq FROM town", [], |row| row.get("seq"))?;
        if copied > last_touched(database)? {
            database
                .execute("INSERT INTO touched (seq, what, key) VALUES (?1, '', '[]')", [copied])?;
        }
        Ok(())
    }

    /// A copy of the file as it is, for a backup.
    pub(super) fn copy(&self, to: &Path) -> Result<(), TownError> {
        connection::copy(&self.connection, to)
    }
}

fn keep(
    tx: &Transaction<'_>,
    database: &Connection,
    mirrored: &Mirrored,
    key: &str,
) -> Result<(), TownError> {
    let state = state_of(database, mirrored, key)?;
    tx.prepare_cached("INSERT OR REPLACE INTO row (what, key, state) VALUES (?1, ?2, ?3)")?
        .execute((mirrored.table, key, state))?;
    Ok(())
}

fn by_key(mirrored: &Mirrored) -> String {
    let is = |(n, column): (usize, &&str)| format!("{column} = ?{}", n + 1);
    mirrored.key.iter().enumerate().map(is).collect::<Vec<_>>().join(" AND ")
}

/// A row of the database as the journal keeps it.
fn state_of(
    database: &Connection,
    mirrored: &Mirrored,
    key: &str,
) -> Result<Option<String>, TownError> {
    let sql = format!("SELECT * FROM {} WHERE {}", mirrored.table, by_key(mirrored));
    let mut statement = database.prepare_cached(&sql)?;
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let row = statement.query_row(params_from_iter(values(key)?), |row| {
        let mut columns = Map::new();
        for name in names {
            let json = match row.get_ref(name.as_str())? {
                ValueRef::Null => Json::Null,
                ValueRef::Integer(n) => Json::from(n),
                ValueRef::Real(n) => Json::from(n),
                ValueRef::Text(text) => Json::from(String::from_utf8_lossy(text).into_owned()),
                ValueRef::Blob(bytes) => Json::from(vec![hex(bytes)]),
            };
            columns.insert(name, json);
        }
        Ok(columns)
    });
    let Some(columns) = row.optional()? else { return Ok(None) };
    serde_json::to_string(&columns).map(Some).map_err(corrupt)
}

/// Writes a row from its kept state. Columns that this schema has not are left out.
fn write_row(tx: &Transaction<'_>, mirrored: &Mirrored, state: &str) -> Result<(), TownError> {
    let columns: Map<String, Json> = serde_json::from_str(state).map_err(corrupt)?;
    let sql = format!("SELECT * FROM {} LIMIT 0", mirrored.table);
    let statement = tx.prepare(&sql)?;
    let known: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let kept: Vec<(&String, &Json)> = columns.iter().filter(|(c, _)| known.contains(c)).collect();
    let names: Vec<&str> = kept.iter().map(|(column, _)| column.as_str()).collect();
    let marks: Vec<String> = (1..=names.len()).map(|n| format!("?{n}")).collect();
    let set: Vec<String> = names.iter().map(|c| format!("{c} = excluded.{c}")).collect();
    let then = match mirrored.append_only {
        true => "NOTHING".to_owned(),
        false => format!("UPDATE SET {}", set.join(", ")),
    };
    let sql = format!(
        "INSERT INTO {} ({}) VALUES ({}) ON CONFLICT ({}) DO {then}",
        mirrored.table,
        names.join(", "),
        marks.join(", "),
        mirrored.key.join(", "),
    );
    let bound = kept.into_iter().map(|(_, json)| sql_of(json)).collect::<Result<Vec<_>, _>>()?;
    tx.execute(&sql, params_from_iter(bound))?;
    Ok(())
}

/// A blob is a list of one text in hexadecimal.
fn sql_of(json: &Json) -> Result<Sql, TownError> {
    Ok(match json {
        Json::Null => Sql::Null,
        Json::Bool(is) => Sql::Integer(i64::from(*is)),
        Json::Number(n) => match n.as_i64() {
            Some(n) => Sql::Integer(n),
            None => Sql::Real(n.as_f64().ok_or_else(|| corrupt("a number"))?),
        },
        Json::String(text) => Sql::Text(text.clone()),
        Json::Array(list) => match list.first().and_then(Json::as_str).and_then(unhex) {
            Some(bytes) => Sql::Blob(bytes),
            None => return Err(corrupt("a blob")),
        },
        Json::Object(_) => return Err(corrupt("an object")),
    })
}

/// The key columns, as `touched` has them.
fn values(key: &str) -> Result<Vec<Sql>, TownError> {
    let list: Vec<Json> = serde_json::from_str(key).map_err(corrupt)?;
    let value = |json: &Json| match json.as_str().and_then(|text| unhex(text.strip_prefix('x')?)) {
        Some(bytes) => Ok(Sql::Blob(bytes)),
        None => sql_of(json),
    };
    list.iter().map(value).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    let byte = |pair: &[u32]| match pair {
        [high, low] => u8::try_from(high * 16 + low).ok(),
        _ => None,
    };
    digits.chunks(2).map(byte).collect()
}
