//! Looks at a town's file without changing it: for `doctor`, beside a running server or without one.

use std::collections::BTreeSet;
use std::path::Path;

use yaoguan_model::BlobHash;

use super::super::standing::Standing;
use super::connection::connect;
use super::{migrations, standing};
use crate::error::TownError;
use crate::line::Mark;
use crate::storage::sql::{Connection, OptionalExtension as _};

/// What was found.
#[derive(Debug, Clone)]
pub struct Examined {
    /// Schema of the file, and of this program.
    pub found: i64,
    pub known: i64,
    /// How it is set up where writes are not durable.
    pub volatile: Option<String>,
    /// What is wrong with the file's pages, as SQLite's quick check says; PostgreSQL's are its own to check.
    pub damage: Vec<String>,
    /// None while the schema is older than the program's: the tables may not be there.
    pub inside: Option<Inside>,
}

/// What the tables say.
#[derive(Debug, Clone)]
pub struct Inside {
    /// The counter row, and the highest position of the feed.
    pub head: i64,
    pub feed: i64,
    pub mark: Mark,
    /// How many lines of history the file has had.
    pub lines: i64,
    pub address: String,
    pub ca_pem: Option<String>,
    pub standing: Standing,
    /// What the town is called by programs.
    pub town: Vec<u8>,
    /// Files that were received whole.
    pub blobs: BTreeSet<BlobHash>,
}

pub fn examine(path: &Path, key: &[u8; 32], now: i64) -> Result<Examined, TownError> {
    let connection = connect(path, key)?;
    connection.pragma_update(None, "query_only", true)?;
    let text = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, String>(0));
    let known = migrations::known();
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > known {
        return Err(TownError::SchemaNewer { found, known });
    }
    let journal_mode = text("PRAGMA journal_mode")?;
    let mut statement = connection.prepare("PRAGMA quick_check(10)")?;
    let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
    let damage: Vec<String> =
        rows.filter(|row| !matches!(row, Ok(text) if text == "ok")).collect::<Result<_, _>>()?;
    let inside =
        if found == known { Some(inside(&Connection::of(&connection), now)?) } else { None };
    let volatile = (journal_mode != "wal").then_some(format!("journal_mode = {journal_mode}"));
    Ok(Examined { found, known, volatile, damage, inside })
}

pub(in crate::storage) fn inside(
    connection: &Connection<'_>,
    now: i64,
) -> Result<Inside, TownError> {
    let mut files = connection.prepare_cached("SELECT hash FROM blob")?;
    let files = files.query_map([], |row| row.get("hash").map(BlobHash))?;
    let blobs = files.collect::<Result<_, _>>()?;
    let sql = "SELECT feed_head.position AS head, town.id, town.lines, town.address, \
               coalesce((SELECT max(position) FROM feed), 0) AS feed FROM feed_head, town";
    let ca = "SELECT value FROM secret WHERE name = 'ca_cert'";
    let ca_pem = connection.query_row(ca, [], |row| row.get("value")).optional()?;
    let standing = standing::standing(connection, now)?;
    let mark = super::identity::here(connection)?;
    let inside = connection.query_row(sql, [], |row| {
        Ok(Inside {
            head: row.get("head")?,
            feed: row.get("feed")?,
            mark,
            lines: row.get("lines")?,
            address: row.get("address")?,
            ca_pem,
            standing,
            town: row.get("id")?,
            blobs,
        })
    })?;
    Ok(inside)
}
