//! The storage of a town, whichever engine keeps it.

use tokio::sync::watch;
use yaoguan_model::Env;

use super::postgres::Postgres;
use super::sql::{self, Engine};
use super::sqlite::Sqlite;
use crate::audit::anchor::Anchor;
use crate::error::TownError;

/// One of the engines. Cheap to clone.
#[derive(Clone)]
pub enum Database {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

impl Database {
    /// Notes outside the database how far its line has come.
    pub async fn mark_line(&self) -> Result<(), TownError> {
        match self {
            Self::Sqlite(town) => town.mark_line().await,
            Self::Postgres(town) => town.mark_line().await,
        }
    }

    /// What the town is called by programs, whatever its line of history.
    pub async fn town_id(&self) -> Result<Vec<u8>, TownError> {
        self.read(super::sqlite::identity::town_id).await
    }

    /// After much was written at once: the planner counts anew.
    pub async fn settle(&self) -> Result<(), TownError> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(town) => town.settle().await,
        }
    }

    /// The embedded one; the others are kept safe by their own tools.
    pub fn embedded(&self) -> Result<&Sqlite, TownError> {
        match self {
            Self::Sqlite(town) => Ok(town),
            Self::Postgres(_) => Err(TownError::NotEmbedded),
        }
    }

    /// A connection that may write, for tests that plant faults.
    #[doc(hidden)]
    pub fn with_raw<R: Send>(&self, work: impl FnOnce(&sql::Connection<'_>) -> R + Send) -> R {
        match self {
            Self::Sqlite(town) => {
                town.with_raw(|connection| work(&sql::Connection::of(connection)))
            }
            Self::Postgres(town) => town.with_raw(work),
        }
    }
}

impl Engine for Database {
    async fn read<R: Send + 'static>(
        &self,
        work: impl Fn(&sql::Connection<'_>) -> Result<R, TownError> + Send + 'static,
    ) -> Result<R, TownError> {
        match self {
            Self::Sqlite(town) => Engine::read(town, work).await,
            Self::Postgres(town) => Engine::read(town, work).await,
        }
    }

    async fn write<R: Send + 'static>(
        &self,
        work: impl Fn(&sql::Transaction<'_>) -> Result<R, TownError> + Send + 'static,
    ) -> Result<R, TownError> {
        match self {
            Self::Sqlite(town) => Engine::write(town, work).await,
            Self::Postgres(town) => Engine::write(town, work).await,
        }
    }

    async fn forget_log(&self) -> Result<(), TownError> {
        match self {
            Self::Sqlite(town) => town.forget_log().await,
            Self::Postgres(town) => town.forget_log().await,
        }
    }

    async fn renew_line(&self, env: &dyn Env) -> Result<(), TownError> {
        match self {
            Self::Sqlite(town) => town.renew_line(env).await,
            Self::Postgres(town) => town.renew_line(env).await,
        }
    }

    fn anchor(&self) -> Option<&Anchor> {
        match self {
            Self::Sqlite(town) => town.anchor(),
            Self::Postgres(town) => town.anchor(),
        }
    }

    fn moves(&self) -> watch::Receiver<u64> {
        match self {
            Self::Sqlite(town) => town.moves(),
            Self::Postgres(town) => town.moves(),
        }
    }
}
