//! Connections: one for writing, a few for reading, all work on blocking threads.
//!
//! What must outlive the file (see [`super::journal`]) is copied out before a write is reported as done.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};
use tokio::sync::{Semaphore, watch};
use yaoguan_model::Env;
use yaoguan_model::faults::{FULL, synchronous};

use super::{audit, journal, migrations, search_index};
use crate::audit::anchor::Anchor;
use crate::error::TownError;
use crate::line::Line;
use crate::storage::sql::{self, Engine};

const BUSY_MS: u64 = 30_000;
const STATEMENTS: usize = 128;
/// Pages that a connection keeps deciphered; as they lie in the file each reading costs its deciphering again.
const CACHE_KIB: i64 = 8 * 1024;
/// Readers at a time; who comes later waits for one. Each has a cache of its own.
const READERS: usize = 8;

/// The embedded storage. Cheap to clone.
#[derive(Clone)]
pub struct Sqlite {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    key: [u8; 32],
    writer: Mutex<Connection>,
    /// Where heads of the audit log are noted.
    anchor: Option<Anchor>,
    /// The open ones that nobody reads with.
    readers: Mutex<Vec<Connection>>,
    turns: Semaphore,
    /// The head of the feed after the last write of this process.
    head: watch::Sender<u64>,
    /// What stands outside the data folder; none for a file by itself.
    outside: Mutex<Option<Outside>>,
}

/// The journal and the line marker of an open town.
pub(super) struct Outside {
    pub journal: journal::Journal,
    pub line: Line,
}

impl Sqlite {
    /// Opens the file, makes it when it is missing, and brings its schema up to date. Nothing notes the
    /// head of its audit log.
    pub fn open(path: &Path, key: &[u8; 32]) -> Result<Self, TownError> {
        Self::open_noting(path, key, None)
    }

    /// The same; heads of the audit log are noted in the file `heads`. A head that a crash kept from
    /// being noted is noted now.
    pub fn open_noting(
        path: &Path,
        key: &[u8; 32],
        heads: Option<&Path>,
    ) -> Result<Self, TownError> {
        let mut writer = connect_to_write(path, key)?;
        migrations::apply(&mut writer)?;
        let anchor = heads.map(|file| Anchor::new(file, key));
        let head = audit::head(&sql::Connection::of(&writer))?;
        if let (Some(anchor), Some(head)) = (&anchor, head) {
            anchor.begin(head)?;
        }
        let inner = Inner {
            path: path.to_owned(),
            key: *key,
            writer: Mutex::new(writer),
            anchor,
            readers: Mutex::default(),
            turns: Semaphore::new(READERS),
            head: watch::Sender::new(0),
            outside: Mutex::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    pub(super) fn key(&self) -> &[u8; 32] {
        &self.inner.key
    }

    pub(super) fn set_outside(&self, outside: Outside) {
        *self.inner.outside.lock().unwrap_or_else(PoisonError::into_inner) = Some(outside);
    }

    /// Runs `work` on what stands outside, with the writing connection; nothing for a file by itself.
    pub(super) async fn outside<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection, &mut Outside) -> Result<R, TownError> + Send + 'static,
    ) -> Result<Option<R>, TownError> {
        let inner = Arc::clone(&self.inner);
        blocking(move || {
            let mut writer = inner.writer.lock().unwrap_or_else(PoisonError::into_inner);
            let mut outside = inner.outside.lock().unwrap_or_else(PoisonError::into_inner);
            let result = outside.as_mut().map(|outside| work(&writer, outside)).transpose();
            if result.is_err() {
                inner.renew(&mut writer, outside.as_mut());
            }
            result
        })
        .await
    }

    /// Runs `work` in one immediate transaction: durable when this returns `Ok`, not begun else.
    async fn in_transaction<R: Send + 'static>(
        &self,
        work: impl FnOnce(&sql::Transaction<'_>) -> Result<R, TownError> + Send + 'static,
    ) -> Result<R, TownError> {
        let inner = Arc::clone(&self.inner);
        blocking(move || {
            // A panic in another request rolled its transaction back: the connection is sound.
            let mut writer = inner.writer.lock().unwrap_or_else(PoisonError::into_inner);
            let result = inner.write(&mut writer, work);
            if result.is_err() {
                let mut outside = inner.outside.lock().unwrap_or_else(PoisonError::into_inner);
                inner.renew(&mut writer, outside.as_mut());
            }
            result
        })
        .await
    }

    /// Runs `work` on one consistent view of the file.
    async fn look<R: Send + 'static>(
        &self,
        work: impl FnOnce(&sql::Connection<'_>) -> Result<R, TownError> + Send + 'static,
    ) -> Result<R, TownError> {
        let inner = Arc::clone(&self.inner);
        // It fails only when the semaphore is closed, which nobody does.
        let _turn = self.inner.turns.acquire().await.ok();
        blocking(move || {
            let idle = inner.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut connection = match idle {
                Some(connection) => connection,
                None => connect(&inner.path, &inner.key)?,
            };
            let result = {
                let tx = connection.transaction()?;
                work(&sql::Connection::of(&*tx))
            };
            if result.is_ok() || !is_spent(&connection) {
                inner.readers.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            }
            result
        })
        .await
    }

    /// Runs `work` on a connection of its own, outside any transaction.
    pub(super) async fn read_alone<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<R, TownError> + Send + 'static,
    ) -> Result<R, TownError> {
        let inner = Arc::clone(&self.inner);
        blocking(move || work(&connect(&inner.path, &inner.key)?)).await
    }

    /// The writing connection, for tests that plant faults.
    #[doc(hidden)]
    pub fn with_raw<R>(&self, work: impl FnOnce(&Connection) -> R) -> R {
        work(&self.inner.writer.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Engine for Sqlite {
    async fn read<R: Send + 'static>(
        &self,
        work: impl Fn(&sql::Connection<'_>) -> Result<R, TownError> + Send + 'static,
    ) -> Result<R, TownError> {
        self.look(work).await
    }

    async fn write<R: Send + 'static>(
        &self,
        work: impl Fn(&sql::Transaction<'_>) -> Result<R, TownError> + Send + 'static,
    ) -> Result<R, TownError> {
        self.in_transaction(work).await
    }

    /// Moves the write-ahead log into the file and empties it.
    async fn forget_log(&self) -> Result<(), TownError> {
        self.read_alone(|connection| {
            let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
            connection.query_row(sql, [], |row| row.get::<_, i64>(0))?;
            Ok(())
        })
        .await
    }

    async fn renew_line(&self, env: &dyn Env) -> Result<(), TownError> {
        Self::renew_line(self, env).await
    }

    fn anchor(&self) -> Option<&Anchor> {
        self.inner.anchor.as_ref()
    }

    fn moves(&self) -> watch::Receiver<u64> {
        self.inner.head.subscribe()
    }
}

impl Inner {
    fn write<R>(
        &self,
        writer: &mut Connection,
        work: impl FnOnce(&sql::Transaction<'_>) -> Result<R, TownError>,
    ) -> Result<R, TownError> {
        let tx = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = work(&sql::Transaction::of(&*tx))?;
        search_index::write_due(&sql::Transaction::of(&*tx))?;
        let head = match self.anchor {
            Some(_) => audit::head(&sql::Connection::of(&*tx))?,
            None => None,
        };
        let position = feed_head(&tx)?;
        tx.commit()?;
        if let (Some(anchor), Some(head)) = (&self.anchor, head) {
            anchor.follow(head);
        }
        self.head.send_if_modified(|seen| std::mem::replace(seen, position) != position);
        if journal::is_behind(writer)?
            && let Some(outside) =
                self.outside.lock().unwrap_or_else(PoisonError::into_inner).as_mut()
        {
            outside.journal.catch_up(writer)?;
        }
        Ok(result)
    }

    /// After an error: opens the files anew whose connection is spent. What fails here fails again with the
    /// next request, which then tries again.
    fn renew(&self, writer: &mut Connection, outside: Option<&mut Outside>) {
        let renewed = if is_spent(writer) {
            connect_to_write(&self.path, &self.key).map(|fresh| *writer = fresh)
        } else {
            Ok(())
        };
        let journal = outside.map_or(Ok(()), |outside| outside.journal.renew());
        if let Err(error) = renewed.and(journal) {
            tracing::error!(%error, "a file of the town cannot be opened again");
        }
    }
}

/// Where the feed stands; 0 before there is a town.
fn feed_head(connection: &Connection) -> Result<u64, TownError> {
    let mut statement = connection.prepare_cached("SELECT position FROM feed_head")?;
    Ok(statement.query_row([], |row| row.get("position")).optional()?.unwrap_or(0))
}

async fn blocking<R: Send + 'static>(
    work: impl FnOnce() -> Result<R, TownError> + Send + 'static,
) -> Result<R, TownError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(TownError::Input("the town is stopping".to_owned())),
    }
}

/// After one page that could not be read, for whatever passing reason, SQLCipher gives zeros for every further
/// page of this connection: a sound file would look damaged from then on.
pub(super) fn is_spent(connection: &Connection) -> bool {
    let status = connection.query_row("PRAGMA cipher_status", [], |row| row.get::<_, String>(0));
    !status.is_ok_and(|status| status == "1")
}

/// With what a writer needs of its own.
fn connect_to_write(path: &Path, key: &[u8; 32]) -> Result<Connection, TownError> {
    let connection = connect(path, key)?;
    make_durable(&connection)?;
    connection.execute_batch(search_index::DUE)?;
    Ok(connection)
}

pub(super) fn connect(path: &Path, key: &[u8; 32]) -> Result<Connection, TownError> {
    let connection = Connection::open(path)?;
    let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    // SQLCipher would print to the terminal what comes back as an error anyway.
    connection.execute_batch("PRAGMA cipher_log_level = NONE")?;
    connection.execute_batch(&format!("PRAGMA key = \"x'{hex}'\""))?;
    connection.busy_timeout(std::time::Duration::from_millis(BUSY_MS))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    // What is purged must not be read from free pages.
    connection.pragma_update(None, "secure_delete", true)?;
    Ok(connection)
}

/// A consistent copy of a whole database while it is in use, under the same key, without free pages.
pub(super) fn copy(from: &Connection, to: &Path) -> Result<(), TownError> {
    let to = to.to_str().ok_or_else(|| TownError::Input(format!("{}", to.display())))?;
    from.execute("VACUUM INTO ?1", [to])?;
    Ok(())
}

fn make_durable(connection: &Connection) -> Result<(), TownError> {
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    connection.pragma_update(None, "synchronous", synchronous())?;
    let found: i64 = connection.query_row("PRAGMA synchronous", [], |row| row.get(0))?;
    if mode == "wal" && (found == 2 || synchronous() != FULL) {
        return Ok(());
    }
    Err(TownError::NotDurable(format!("journal_mode={mode}, synchronous={found}")))
}
