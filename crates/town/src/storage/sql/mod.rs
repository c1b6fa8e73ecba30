//! SQL as the town speaks it: one text for each statement, run by every engine.
//!
//! What is said here is what [`rusqlite`] says, so far as the statements need it. An engine brings a [`Sql`]
//! and an [`Engine`]; the statements below [`super`] know neither. Where two engines must be told different
//! things, a statement asks for the [`Dialect`].

mod error;
mod value;

use std::ops::Deref;

use tokio::sync::watch;
use yaoguan_model::Env;

pub use error::{Error, OptionalExtension, Result};
pub use value::{Columns, FromSql, Kind, OwnedValue, Param, Params, Row, ToSql, Value};

use crate::audit::anchor::Anchor;
use crate::error::TownError;
use value::OwnedRow;

/// Which texts an engine understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    Sqlite,
    Postgres,
}

/// Takes each row of an answer.
pub type Each<'a> = &'a mut dyn FnMut(&Row<'_>) -> Result<()>;

/// An engine's connection, inside a transaction.
pub trait Sql {
    fn dialect(&self) -> Dialect;
    /// Runs a statement; how many rows it changed.
    fn change(&self, sql: &str, params: &[Param<'_>]) -> Result<usize>;
    /// Runs a statement and hands its rows over.
    fn ask(&self, sql: &str, params: &[Param<'_>], each: Each<'_>) -> Result<()>;
    /// Runs statements without parameters.
    fn all(&self, sql: &str) -> Result<()>;
    /// What the engine itself finds wrong with what it keeps.
    fn damage(&self) -> Result<Vec<String>>;
}

/// One consistent view of the town.
#[derive(Clone, Copy)]
pub struct Connection<'a> {
    engine: &'a dyn Sql,
}

/// A connection that may write.
#[derive(Clone, Copy)]
pub struct Transaction<'a> {
    connection: Connection<'a>,
}

impl<'a> Transaction<'a> {
    /// Whoever calls this has begun a transaction.
    pub fn of(engine: &'a dyn Sql) -> Self {
        Self { connection: Connection::of(engine) }
    }
}

impl<'a> Deref for Transaction<'a> {
    type Target = Connection<'a>;

    fn deref(&self) -> &Connection<'a> {
        &self.connection
    }
}

impl<'a> Connection<'a> {
    pub fn of(engine: &'a dyn Sql) -> Self {
        Self { engine }
    }

    pub fn dialect(&self) -> Dialect {
        self.engine.dialect()
    }

    /// See [`Sql::damage`].
    pub fn damage(&self) -> Result<Vec<String>> {
        self.engine.damage()
    }

    /// A statement that engines keep prepared.
    pub fn prepare_cached(&self, sql: &str) -> Result<Statement<'a>> {
        Ok(Statement { engine: self.engine, sql: sql.to_owned() })
    }

    pub fn execute(&self, sql: &str, params: impl Params) -> Result<usize> {
        self.engine.change(sql, &params.list()?)
    }

    pub fn query_row<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<T> {
        self.prepare_cached(sql)?.query_row(params, read)
    }

    pub fn execute_batch(&self, sql: &str) -> Result<()> {
        self.engine.all(sql)
    }
}

/// A statement on a connection.
pub struct Statement<'c> {
    engine: &'c dyn Sql,
    sql: String,
}

impl Statement<'_> {
    pub fn execute(&mut self, params: impl Params) -> Result<usize> {
        self.engine.change(&self.sql, &params.list()?)
    }

    /// The first row.
    pub fn query_row<T>(
        &mut self,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<T> {
        let (mut read, mut found) = (Some(read), None);
        self.engine.ask(&self.sql, &params.list()?, &mut |row| {
            if let Some(read) = read.take() {
                found = Some(read(row)?);
            }
            Ok(())
        })?;
        found.ok_or(Error::NoRows)
    }

    /// Hands every row over as it comes; none is kept.
    pub fn for_each(
        &mut self,
        params: impl Params,
        mut each: impl FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<()> {
        self.engine.ask(&self.sql, &params.list()?, &mut each)
    }

    /// Every row, read as it comes.
    pub fn query_map<T>(
        &mut self,
        params: impl Params,
        mut read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<std::vec::IntoIter<Result<T>>> {
        let mut found = Vec::new();
        self.engine.ask(&self.sql, &params.list()?, &mut |row| {
            found.push(read(row));
            Ok(())
        })?;
        Ok(found.into_iter())
    }

    /// Every row, kept.
    pub fn query(&mut self, params: impl Params) -> Result<Rows> {
        let mut found = Vec::new();
        self.engine.ask(&self.sql, &params.list()?, &mut |row| {
            found.push(OwnedRow::of(row)?);
            Ok(())
        })?;
        Ok(Rows { rows: found, at: 0 })
    }

    pub fn exists(&mut self, params: impl Params) -> Result<bool> {
        Ok(self.query_row(params, |_| Ok(())).optional()?.is_some())
    }
}

/// Rows to be walked through.
#[derive(Default)]
pub struct Rows {
    rows: Vec<OwnedRow>,
    at: usize,
}

impl Rows {
    /// Rows of the answer, given out or not.
    pub fn count(&self) -> usize {
        self.rows.len()
    }

    /// Every row was given out.
    pub fn is_done(&self) -> bool {
        self.at >= self.rows.len()
    }

    pub fn last(&self) -> Option<Row<'_>> {
        self.rows.last().map(|row| Row(row))
    }

    #[allow(clippy::should_implement_trait, reason = "a row is lent, as rusqlite lends it")]
    pub fn next(&mut self) -> Result<Option<Row<'_>>> {
        let row = self.rows.get(self.at);
        self.at += 1;
        Ok(row.map(|row| Row(row)))
    }
}

/// Parameters by their place.
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        &[$(&$value as &dyn $crate::storage::sql::ToSql),*] as &[&dyn $crate::storage::sql::ToSql]
    };
}

/// Parameters by their name.
macro_rules! named_params {
    ($($name:literal : $value:expr),* $(,)?) => {
        &[$(($name, &$value as &dyn $crate::storage::sql::ToSql)),*]
            as &[(&str, &dyn $crate::storage::sql::ToSql)]
    };
}

pub(super) use {named_params, params};

/// What runs statements: the embedded database, or PostgreSQL. The traits of [`super`] are theirs by it.
pub trait Engine: Clone + Send + Sync + 'static {
    /// Runs `work` on one consistent view.
    fn read<R: Send + 'static>(
        &self,
        work: impl Fn(&Connection<'_>) -> Result<R, TownError> + Send + 'static,
    ) -> impl Future<Output = Result<R, TownError>> + Send;
    /// Runs `work` in one transaction, after every other of this town: durable when this returns `Ok`, not
    /// begun else. `work` may be run again from its beginning.
    fn write<R: Send + 'static>(
        &self,
        work: impl Fn(&Transaction<'_>) -> Result<R, TownError> + Send + 'static,
    ) -> impl Future<Output = Result<R, TownError>> + Send;
    /// What was purged is not left where the engine kept it for its own purposes.
    fn forget_log(&self) -> impl Future<Output = Result<(), TownError>> + Send;
    /// See [`super::Storage::renew`].
    fn renew_line(&self, env: &dyn Env) -> impl Future<Output = Result<(), TownError>> + Send;
    /// Where heads of the audit log are noted.
    fn anchor(&self) -> Option<&Anchor>;
    /// Where the feed stands, whenever it moves.
    fn moves(&self) -> watch::Receiver<u64>;
}
