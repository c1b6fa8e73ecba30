//! One connection inside a transaction. Statements run on a thread that may wait.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use deadpool_postgres::Object;
use tokio::runtime::Handle;
use tokio_postgres::Statement;
use tokio_postgres::types::{ToSql, Type};

use super::super::sql::{Dialect, Each, Error, Param, Result, Row, Sql};
use super::dialect::{Translated, translate};
use super::values::{In, type_of};
use crate::error::TownError;

/// What bounds every transaction: a statement, the wait for the town's lock, a process that is stuck.
const LIMITS: &str = "SET LOCAL statement_timeout = '60s'; SET LOCAL lock_timeout = '30s'; \
     SET LOCAL idle_in_transaction_session_timeout = '60s'";
/// Marks locks of towns among the advisory locks of a database.
const LOCK_CLASS: i64 = 0x5947;

/// Translated statements; their number is that of the program's statements.
#[derive(Default)]
pub(super) struct Statements(Mutex<HashMap<String, Arc<Translated>>>);

impl Statements {
    fn of(&self, sql: &str) -> Arc<Translated> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(sql) {
            return Arc::clone(found);
        }
        let made = Arc::new(translate(sql));
        known.insert(sql.to_owned(), Arc::clone(&made));
        made
    }
}

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// One consistent view.
    Read,
    /// After every other write of the town, of whichever process.
    Write,
}

pub(super) struct Session {
    /// None once the transaction has ended.
    client: Option<Object>,
    runtime: Handle,
    statements: Arc<Statements>,
    /// A statement failed: the transaction cannot be committed, whatever was made of the error.
    failed: Cell<bool>,
}

impl Session {
    /// Begins a transaction of a town.
    pub(super) fn begin(
        (client, runtime): (Object, Handle),
        statements: Arc<Statements>,
        town: i64,
        purpose: Purpose,
    ) -> Result<Self, TownError> {
        let (isolation, lock) = match purpose {
            Purpose::Read => ("REPEATABLE READ READ ONLY", String::new()),
            // Writers of a town come one after the other, as they do on SQLite: each sees what those before it
            // wrote, and positions of the feed become visible in their order.
            Purpose::Write => {
                let key = (LOCK_CLASS << 32) | (town & 0xffff_ffff);
                ("READ COMMITTED", format!("; SELECT pg_advisory_xact_lock({key})"))
            }
        };
        let begin = format!(
            "BEGIN ISOLATION LEVEL {isolation}; {LIMITS}; \
             SELECT set_config('yaoguan.town', '{town}', true){lock}"
        );
        let session = Self { client: Some(client), runtime, statements, failed: Cell::new(false) };
        session.batch(&begin)?;
        Ok(session)
    }

    /// Ends the transaction. `Away` says that nobody knows whether it is there.
    pub(super) fn commit(mut self) -> Result<(), TownError> {
        if self.failed.get() {
            return Err(TownError::Corrupt("a statement failed and was not heeded".to_owned()));
        }
        self.batch("COMMIT")?;
        // Sound: it goes back to the pool.
        self.client = None;
        Ok(())
    }

    /// Takes everything back; a connection on which that fails does not come back to the pool.
    pub(super) fn roll_back(mut self) {
        if self.batch("ROLLBACK").is_ok() {
            self.client = None;
        }
    }

    fn client(&self) -> Result<&Object> {
        self.client.as_ref().ok_or_else(|| Error::Value("the transaction has ended".to_owned()))
    }

    fn batch(&self, sql: &str) -> Result<()> {
        Ok(self.runtime.block_on(self.client()?.batch_execute(sql))?)
    }

    async fn prepared(&self, translated: &Translated, params: &[Param<'_>]) -> Result<Statement> {
        let types: Vec<Type> = params.iter().map(|param| type_of(param.value)).collect();
        Ok(self.client()?.prepare_typed_cached(&translated.sql, &types).await?)
    }

    /// Notes a failure.
    fn heed<T>(&self, result: Result<T>) -> Result<T> {
        if result.is_err() {
            self.failed.set(true);
        }
        result
    }
}

/// A work that panicked leaves its transaction open: its connection is closed, which takes it back.
impl Drop for Session {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            drop(Object::take(client));
        }
    }
}

/// Parameters in the order of their places.
fn in_order<'a>(names: &[String], params: &[Param<'a>]) -> Result<Vec<Param<'a>>> {
    if names.is_empty() {
        return Ok(params.to_vec());
    }
    let find = |name: &String| {
        let found = params.iter().find(|param| param.name == Some(name));
        found.copied().ok_or_else(|| Error::Value(format!("no parameter {name}")))
    };
    names.iter().map(find).collect()
}

impl Sql for Session {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn change(&self, sql: &str, params: &[Param<'_>]) -> Result<usize> {
        let translated = self.statements.of(sql);
        let params = in_order(&translated.names, params)?;
        let values: Vec<In<'_>> = params.iter().map(|param| In(param.value)).collect();
        let changed = self.runtime.block_on(async {
            let statement = self.prepared(&translated, &params).await?;
            let values: Vec<&(dyn ToSql + Sync)> =
                values.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
            Ok(self.client()?.execute(&statement, &values).await?)
        });
        Ok(usize::try_from(self.heed(changed)?).unwrap_or(usize::MAX))
    }

    fn ask(&self, sql: &str, params: &[Param<'_>], each: Each<'_>) -> Result<()> {
        let translated = self.statements.of(sql);
        let params = in_order(&translated.names, params)?;
        let values: Vec<In<'_>> = params.iter().map(|param| In(param.value)).collect();
        let rows = self.runtime.block_on(async {
            let statement = self.prepared(&translated, &params).await?;
            let values: Vec<&(dyn ToSql + Sync)> =
                values.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
            Ok(self.client()?.query(&statement, &values).await?)
        });
        for row in self.heed(rows)? {
            each(&Row(&row))?;
        }
        Ok(())
    }

    fn all(&self, sql: &str) -> Result<()> {
        self.heed(self.batch(sql))
    }

    /// Pages are PostgreSQL's own to check.
    fn damage(&self) -> Result<Vec<String>> {
        Ok(Vec::new())
    }
}
