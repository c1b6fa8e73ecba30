//! The index of the words that hazards are found by (see `model::search`). SQLite keeps one of three characters at
//! a time. On PostgreSQL the words of a town's rows are looked through: there no index can be asked without an
//! extension once rows of other towns are out of reach. Both find the same.

use yaoguan_model::search;

use super::inbox::escaped;
use crate::error::TownError;
use crate::storage::sql::{Connection, Dialect, Statement, Transaction};

/// Words that go into SQLite's index with the last statements of the transaction, in memory until then. FTS5
/// gathers what it is given and writes it as one part, but whenever SQLite opens a savepoint within the
/// transaction, as it does for each upsert, it writes out what it has: a part for each record, all of which are
/// then merged.
pub(super) const DUE: &str =
    "CREATE TEMP TABLE words_due (seq INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT";
const PUT: &str = "INSERT OR REPLACE INTO inbox_text (rowid, text) VALUES (?1, ?2)";

/// Puts the words of a row in, in the place of those before.
pub(super) fn put(tx: &Transaction<'_>, seq: i64, words: &str) -> Result<(), TownError> {
    let sql = match tx.dialect() {
        Dialect::Sqlite => "INSERT OR REPLACE INTO words_due (seq, text) VALUES (?1, ?2)",
        Dialect::Postgres => PUT,
    };
    tx.prepare_cached(sql)?.execute((seq, search::marked(words)))?;
    Ok(())
}

/// Writes the words of the rows that changed in this transaction.
pub(super) fn write_due(tx: &Transaction<'_>) -> Result<(), TownError> {
    if tx.dialect() == Dialect::Postgres {
        return Ok(());
    }
    let mut write = tx.prepare_cached(PUT)?;
    tx.prepare_cached("SELECT seq, text FROM words_due ORDER BY seq")?.for_each([], |row| {
        write.execute((row.get::<_, i64>("seq")?, row.get::<_, String>("text")?))?;
        Ok(())
    })?;
    tx.prepare_cached("DELETE FROM words_due")?.execute([])?;
    Ok(())
}

pub(super) fn remove(tx: &Transaction<'_>, seq: i64) -> Result<(), TownError> {
    if tx.dialect() == Dialect::Sqlite {
        tx.prepare_cached("DELETE FROM words_due WHERE seq = ?1")?.execute([seq])?;
    }
    tx.prepare_cached("DELETE FROM inbox_text WHERE rowid = ?1")?.execute([seq])?;
    Ok(())
}

/// Takes out of the index what was erased from it: until its parts are merged SQLite only marks rows as gone,
/// and their words stay.
pub(super) fn forget(tx: &Transaction<'_>) -> Result<(), TownError> {
    match tx.dialect() {
        Dialect::Sqlite => {
            tx.execute("INSERT INTO inbox_text (inbox_text) VALUES ('optimize')", [])?;
        }
        Dialect::Postgres => {}
    }
    Ok(())
}

pub(super) fn clear(tx: &Transaction<'_>) -> Result<(), TownError> {
    let sql = match tx.dialect() {
        Dialect::Sqlite => "INSERT INTO inbox_text (inbox_text) VALUES ('delete-all')",
        Dialect::Postgres => "DELETE FROM inbox_text",
    };
    tx.execute(sql, [])?;
    Ok(())
}

/// A statement that asks the index for `:expression`.
pub(super) fn asked<'c>(
    connection: &Connection<'c>,
    sql: &str,
) -> Result<Statement<'c>, TownError> {
    Ok(match connection.dialect() {
        Dialect::Sqlite => connection.prepare_cached(sql)?,
        Dialect::Postgres => connection.prepare_cached(&sql.replace(
            "inbox_text MATCH :expression",
            "text ILIKE ALL (ARRAY(SELECT value FROM json_each(:expression)))",
        ))?,
    })
}

/// What is asked, as that statement takes it; empty when nothing is.
pub(super) fn expression(connection: &Connection, question: &str) -> Result<String, TownError> {
    let Some(expression) = search::expression(question) else { return Ok(String::new()) };
    if connection.dialect() == Dialect::Sqlite {
        return Ok(expression);
    }
    let quoted = expression.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let words = quoted.unwrap_or_default().split("\" \"");
    let patterns: Vec<String> =
        words.map(|word| format!("%{}%", escaped(&word.replace("\"\"", "\"")))).collect();
    serde_json::to_string(&patterns).map_err(|e| TownError::Corrupt(e.to_string()))
}
