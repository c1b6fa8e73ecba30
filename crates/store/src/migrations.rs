//! Migrations: numbered files, each applied once in a transaction of its own; `PRAGMA user_version` says
//! how far a file is. A released migration is frozen.

use include_dir::{Dir, include_dir};
use rusqlite::Connection;

use crate::error::StoreError;

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../migrations/phone");

/// The schema that this program writes.
pub(crate) fn known() -> i64 {
    i64::try_from(FILES.files().count()).unwrap_or(i64::MAX)
}

/// How far a file is.
pub(crate) fn found(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

/// Brings the file to [`known`].
pub(crate) fn apply(connection: &mut Connection) -> Result<(), StoreError> {
    let done = found(connection)?;
    let mut files: Vec<_> = FILES.files().collect();
    files.sort_by_key(|file| file.path());
    for (number, file) in (1_i64..).zip(files) {
        if number <= done {
            continue;
        }
        let unreadable = || StoreError::Corrupt(format!("migration {}", file.path().display()));
        let sql = file.contents_utf8().ok_or_else(unreadable)?;
        let tx = connection.transaction()?;
        tx.execute_batch(sql)?;
        tx.pragma_update(None, "user_version", number)?;
        tx.commit()?;
    }
    Ok(())
}
