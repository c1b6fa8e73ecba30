//! What can go wrong with the phone's file.

use yaoguan_model::canonical::BadRecord;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The key does not open the file, or the file is not a database at all.
    #[error("the key does not open this store, or the file is damaged")]
    WrongKey,
    /// Written by a later program: readable, but nothing may be written.
    #[error(
        "this store has schema {found}, this program knows {known}: update the program; until then the store can be read but not written"
    )]
    SchemaNewer { found: i64, known: i64 },
    #[error("there is no store here: enrol first")]
    Missing,
    /// The disk is full; nothing was saved.
    #[error("the disk is full: nothing was saved; free some space and try again")]
    DiskFull,
    /// The file or its folder cannot be written; nothing was saved.
    #[error("the store cannot be written: nothing was saved")]
    ReadOnly,
    /// Pages of the file cannot be read, or do not hold what they must.
    #[error("the store's file is damaged: {0}")]
    Damaged(String),
    #[error("database: {0}")]
    Sqlite(#[source] rusqlite::Error),
    /// WAL or synchronous=FULL could not be had on this file system.
    #[error("the file system does not keep saves durable: {0}")]
    NotDurable(String),
    #[error("a stored record cannot be read: {0}")]
    Record(#[from] BadRecord),
    #[error("a stored value cannot be read: {0}")]
    Corrupt(String),
    #[error("file: {0}")]
    Io(#[from] std::io::Error),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::WrongKey,
            Some(ErrorCode::DiskFull) => Self::DiskFull,
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen) => Self::ReadOnly,
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged(error.to_string()),
            Some(ErrorCode::SystemIoFailure) if has_no_room(&error) => Self::DiskFull,
            Some(_) | None => Self::Sqlite(error),
        }
    }
}

/// The shared memory beside the log could not be made as large as it has to be.
fn has_no_room(error: &rusqlite::Error) -> bool {
    let extended = error.sqlite_extended_error_code();
    extended == Some(rusqlite::ffi::SQLITE_IOERR_SHMSIZE)
}
