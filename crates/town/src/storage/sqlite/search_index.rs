//! The index of the words that hazards are found by, three characters at a time (see `model::search`). SQLite
//! keeps one. On PostgreSQL the words of a town's rows are looked through: no index can be asked there without
//! an extension once rows of other towns are out of reach.

use yaoguan_model::search;

use crate::error::TownError;
use crate::storage::sql::{Dialect, Transaction};

/// Puts the words of a row in, in the place of those before.
pub(super) fn put(tx: &Transaction<'_>, seq: i64, words: &str) -> Result<(), TownError> {
    if tx.dialect() == Dialect::Sqlite {
        let sql = "INSERT OR REPLACE INTO inbox_text (rowid, text) VALUES (?1, ?2)";
        tx.prepare_cached(sql)?.execute((seq, search::marked(words)))?;
    }
    Ok(())
}

pub(super) fn remove(tx: &Transaction<'_>, seq: i64) -> Result<(), TownError> {
    if tx.dialect() == Dialect::Sqlite {
        tx.prepare_cached("DELETE FROM inbox_text WHERE rowid = ?1")?.execute([seq])?;
    }
    Ok(())
}

/// Takes out of the index what was erased from it: until its parts are merged it only marks rows as gone, and
/// their words stay.
pub(super) fn forget(tx: &Transaction<'_>) -> Result<(), TownError> {
    if tx.dialect() == Dialect::Sqlite {
        tx.execute("INSERT INTO inbox_text (inbox_text) VALUES ('optimize')", [])?;
    }
    Ok(())
}

pub(super) fn clear(tx: &Transaction<'_>) -> Result<(), TownError> {
    if tx.dialect() == Dialect::Sqlite {
        tx.execute("INSERT INTO inbox_text (inbox_text) VALUES ('delete-all')", [])?;
    }
    Ok(())
}
