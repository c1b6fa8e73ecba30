//! Migrations of the embedded storage; the same rules as the phone's.

use include_dir::{Dir, include_dir};
use rusqlite::Connection;

use super::{facts, features, inbox, journal};
use crate::error::TownError;
use crate::storage::sql;

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../migrations/town-sqlite");

/// Brings the file to the schema of this program; a newer one is not opened.
pub(super) fn apply(connection: &mut Connection) -> Result<(), TownError> {
    let known = known();
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > known {
        return Err(TownError::SchemaNewer { found, known });
    }
    let mut files: Vec<_> = FILES.files().collect();
    files.sort_by_key(|file| file.path());
    for (number, file) in (1_i64..).zip(files).filter(|(number, _)| *number > found) {
        let unreadable = || TownError::Corrupt(format!("migration {}", file.path().display()));
        let sql = file.contents_utf8().ok_or_else(unreadable)?;
        let tx = connection.transaction()?;
        tx.execute_batch(sql)?;
        tx.pragma_update(None, "user_version", number)?;
        tx.commit()?;
    }
    if found < known {
        let tx = connection.transaction()?;
        journal::watch(&tx)?;
        let derived = sql::Transaction::of(&*tx);
        inbox::rebuild(&derived)?;
        facts::rebuild(&derived)?;
        features::rebuild(&derived)?;
        tx.commit()?;
    }
    Ok(())
}

/// The schema that this program knows.
pub(super) fn known() -> i64 {
    i64::try_from(FILES.files().count()).unwrap_or(i64::MAX)
}
