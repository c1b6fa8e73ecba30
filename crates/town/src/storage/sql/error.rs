//! What can go wrong with a statement.

use crate::error::TownError;

pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no such row")]
    NoRows,
    #[error("a value cannot be read or written: {0}")]
    Value(String),
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error(transparent)]
    Postgres(#[from] tokio_postgres::Error),
}

impl From<Error> for TownError {
    fn from(error: Error) -> Self {
        match error {
            Error::NoRows => Self::Corrupt("a row is missing".to_owned()),
            Error::Value(what) => Self::Corrupt(what),
            Error::Sqlite(error) => error.into(),
            Error::Postgres(error) => error.into(),
        }
    }
}

/// No row is an answer too.
pub trait OptionalExtension<T> {
    fn optional(self) -> Result<Option<T>>;
}

impl<T> OptionalExtension<T> for Result<T> {
    fn optional(self) -> Result<Option<T>> {
        match self {
            Ok(value) => Ok(Some(value)),
            Err(Error::NoRows) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
