//! Opening the file: key, durability, schema.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use yaoguan_model::Env;
use yaoguan_sync::PhoneStore;

use crate::error::StoreError;
use crate::migrations;
use crate::tx::SqliteTx;

/// How long a writer waits for another process, in milliseconds.
const BUSY_MS: u64 = 10_000;
const STATEMENTS: usize = 128;

/// The raw key of the file: 32 random bytes. Not a password: no derivation is done.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(pub [u8; 32]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

/// One person's records on one phone.
pub struct Store {
    pub(crate) connection: Connection,
    /// Set when a later program wrote the file: it can be read, and every write says why not.
    newer: Option<i64>,
}

impl Store {
    /// Makes a new store, or opens the one that is there.
    pub fn create(path: &Path, key: &Key, env: &dyn Env) -> Result<Self, StoreError> {
        let mut connection = Connection::open(path)?;
        prepare(&connection, key)?;
        if migrations::found(&connection)? > migrations::known() {
            return Self::open(path, key);
        }
        make_durable(&connection)?;
        migrations::apply(&mut connection)?;
        connection.execute(
            "INSERT INTO phone (one, install_id, replica) VALUES (1, ?1, ?2) ON CONFLICT DO NOTHING",
            (env.random_16(), env.random_16()),
        )?;
        Ok(Self { connection, newer: None })
    }

    /// Opens a store that is there.
    pub fn open(path: &Path, key: &Key) -> Result<Self, StoreError> {
        if !path.exists() {
            return Err(StoreError::Missing);
        }
        let mut connection = Connection::open(path)?;
        prepare(&connection, key)?;
        let found = migrations::found(&connection)?;
        if found > migrations::known() {
            drop(connection);
            let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
            prepare(&connection, key)?;
            return Ok(Self { connection, newer: Some(found) });
        }
        make_durable(&connection)?;
        migrations::apply(&mut connection)?;
        Ok(Self { connection, newer: None })
    }

    /// The error that every write would give, when a later program wrote the file.
    pub fn check_writable(&self) -> Result<(), StoreError> {
        match self.newer {
            Some(found) => Err(StoreError::SchemaNewer { found, known: migrations::known() }),
            None => Ok(()),
        }
    }

    /// The connection, for tests that plant faults.
    #[doc(hidden)]
    pub fn raw(&self) -> &Connection {
        &self.connection
    }
}

fn prepare(connection: &Connection, key: &Key) -> Result<(), StoreError> {
    let hex: String = key.0.iter().map(|byte| format!("{byte:02x}")).collect();
    // SQLCipher would print to the terminal, page by page, what comes back as an error anyway.
    connection.execute_batch("PRAGMA cipher_log_level = NONE")?;
    connection.execute_batch(&format!("PRAGMA key = \"x'{hex}'\""))?;
    connection.busy_timeout(std::time::Duration::from_millis(BUSY_MS))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // The first read tells whether the key opens the file.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // What is deleted is overwritten, in tables as in free pages: a record that left the phone is gone.
    connection.query_row("PRAGMA secure_delete = ON", [], |_| Ok(()))?;
    Ok(())
}

fn make_durable(connection: &Connection) -> Result<(), StoreError> {
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    let synchronous: i64 = connection.query_row("PRAGMA synchronous", [], |row| row.get(0))?;
    // 2 is FULL; NORMAL may roll an acknowledged save back at a power cut.
    if mode == "wal" && synchronous == 2 {
        Ok(())
    } else {
        Err(StoreError::NotDurable(format!("journal_mode={mode}, synchronous={synchronous}")))
    }
}

impl PhoneStore for Store {
    type Error = StoreError;
    type Tx<'a> = SqliteTx<'a>;

    fn transact<R, E: From<StoreError>>(
        &mut self,
        work: impl FnOnce(&mut SqliteTx<'_>) -> Result<R, E>,
    ) -> Result<R, E> {
        self.check_writable()?;
        let behavior = TransactionBehavior::Immediate;
        let tx = self.connection.transaction_with_behavior(behavior).map_err(StoreError::from)?;
        let mut tx = SqliteTx::new(tx);
        let result = work(&mut tx)?;
        let has_removed = tx.commit()?;
        if has_removed {
            // The log still holds pages from before. What another program of this phone keeps it from
            // cutting goes when that program closes the file.
            let cut = "PRAGMA wal_checkpoint(TRUNCATE)";
            self.connection.query_row(cut, [], |_| Ok(())).map_err(StoreError::from)?;
        }
        Ok(result)
    }
}
