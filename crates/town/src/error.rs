//! What can go wrong in the town, apart from what is refused to a caller (see [`crate::api::error`]).

use std::path::PathBuf;

use tokio_postgres::error::SqlState;

use crate::people::PeopleError;

#[derive(Debug, thiserror::Error)]
pub enum TownError {
    #[error("there is no town in {0}: run `yaoguan-town init` first")]
    Missing(PathBuf),
    #[error("there is a town in {0} already")]
    Exists(PathBuf),
    #[error("the key file {0} cannot be read: without it the data cannot be opened")]
    Key(PathBuf),
    #[error("others can read the key file {0}: run `chmod 600` on it")]
    KeyExposed(PathBuf),
    #[error(
        "the key file {0} lies inside the data folder: move it out, and name it with --key-file"
    )]
    KeyInside(PathBuf),
    #[error("the key does not open this database, or the file is damaged")]
    WrongKey,
    #[error("this database has schema {found}, this program knows {known}: update the program")]
    SchemaNewer { found: i64, known: i64 },
    #[error("another program serves or changes the town in {0}: stop it first")]
    InUse(PathBuf),
    #[error("{0} belongs to another town")]
    OtherTown(PathBuf),
    #[error("this backup cannot be used: {0}")]
    BadBackup(String),
    #[error("the disk is full")]
    StorageFull,
    #[error("database: {0}")]
    Sqlite(#[source] rusqlite::Error),
    #[error("PostgreSQL: {0}")]
    Postgres(#[source] tokio_postgres::Error),
    /// The answer to a commit was lost, or there is no database to ask: whoever asked asks again.
    #[error("PostgreSQL is away: {0}")]
    Away(String),
    /// What only the embedded database does by itself.
    #[error("PostgreSQL is backed up and put back by its own tools: see docs/OPERATIONS")]
    NotEmbedded,
    /// The town of a folder is served from elsewhere now.
    #[error("the town in {0} moved to {1}: give --database-url")]
    Moved(PathBuf, String),
    #[error("the file system does not keep writes durable: {0}")]
    NotDurable(String),
    #[error("stored data cannot be read: {0}")]
    Corrupt(String),
    #[error("the store of files: {0}")]
    Bucket(String),
    #[error("certificate: {0}")]
    Certificate(String),
    #[error("{0}")]
    Input(String),
    #[error("{0}")]
    People(#[from] PeopleError),
    #[error("file: {0}")]
    Io(#[from] std::io::Error),
}

impl From<rusqlite::Error> for TownError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase) => Self::WrongKey,
            Some(rusqlite::ErrorCode::DiskFull) => Self::StorageFull,
            Some(_) | None => Self::Sqlite(error),
        }
    }
}
impl From<tokio_postgres::Error> for TownError {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.code() {
            Some(&SqlState::DISK_FULL) => Self::StorageFull,
            // Shut down, failed over, starting.
            Some(
                &SqlState::ADMIN_SHUTDOWN
                | &SqlState::CRASH_SHUTDOWN
                | &SqlState::CANNOT_CONNECT_NOW
                | &SqlState::TOO_MANY_CONNECTIONS
                | &SqlState::READ_ONLY_SQL_TRANSACTION
                // In the way for longer than a request waits.
                | &SqlState::LOCK_NOT_AVAILABLE
                | &SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
            ) => Self::Away(error.to_string()),
            Some(_) => Self::Postgres(error),
            None => Self::Away(error.to_string()),
        }
    }
}

impl From<yaoguan_model::canonical::BadRecord> for TownError {
    fn from(error: yaoguan_model::canonical::BadRecord) -> Self {
        Self::Corrupt(error.to_string())
    }
}
