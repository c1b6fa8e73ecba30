//! Opening the file: key, durability, schema.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use yaoguan_model::Env;
use yaoguan_model::faults::{FULL, synchronous};
use yaoguan_sync::PhoneStore;
use zeroize::{Zeroize as _, Zeroizing};

use crate::error::StoreError;
use crate::migrations;
use crate::tx::SqliteTx;

/// How long a writer waits for another process, in milliseconds.
const BUSY_MS: u64 = 10_000;
const STATEMENTS: usize = 128;
/// Pages kept decrypted, at most: 16 MiB. With SQLite's usual 2 MiB the indexes of a first pull push one another
/// out, and each page is encrypted and decrypted many times over.
const CACHE_KIB: i64 = 16 * 1024;

/// The raw key of the file: 32 random bytes. Not a password: no derivation is done.
/// Overwritten when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(pub [u8; 32]);

impl Drop for Key {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

/// One person's records on one phone.
pub struct Store {
    pub(crate) connection: Connection,
    /// Set when the file can only be read: every write says why.
    barred: Option<Barred>,
    /// The file and its key; none without a file.
    place: Option<(PathBuf, Key)>,
}

/// Why a file can only be read.
#[derive(Debug, Clone, Copy)]
enum Barred {
    /// A later program wrote it.
    Newer(i64),
    ReadOnly,
    DiskFull,
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
        Ok(Self { connection, barred: None, place: place(path, key) })
    }

    /// Opens a store that is there; on a disk that cannot be written, or has no room left, for reading.
    pub fn open(path: &Path, key: &Key) -> Result<Self, StoreError> {
        if !path.exists() {
            return Err(StoreError::Missing);
        }
        match Self::open_writable(path, key) {
            Err(StoreError::ReadOnly) => open_as_it_is(path, key, Barred::ReadOnly),
            Err(StoreError::DiskFull) => open_as_it_is(path, key, Barred::DiskFull),
            opened => opened,
        }
    }

    fn open_writable(path: &Path, key: &Key) -> Result<Self, StoreError> {
        let mut connection = Connection::open(path)?;
        prepare(&connection, key)?;
        let found = migrations::found(&connection)?;
        if found > migrations::known() {
            drop(connection);
            let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
            prepare(&connection, key)?;
            let barred = Some(Barred::Newer(found));
            return Ok(Self { connection, barred, place: place(path, key) });
        }
        make_durable(&connection)?;
        migrations::apply(&mut connection)?;
        Ok(Self { connection, barred: None, place: place(path, key) })
    }

    /// A store without a file and without content: what stands in while a file changes its place.
    pub fn nowhere() -> Result<Self, StoreError> {
        let connection = Connection::open_in_memory()?;
        Ok(Self { connection, barred: Some(Barred::ReadOnly), place: None })
    }

    /// Opens the file anew when this connection is spent. After one page that could not be read, for whatever
    /// passing reason, SQLCipher gives zeros for every further page: a sound file would look damaged from then
    /// on. Each write asks this by itself; who keeps a store open asks it before each use.
    pub fn renew(&mut self) -> Result<(), StoreError> {
        let sound: String =
            self.connection.query_row("PRAGMA cipher_status", [], |row| row.get(0))?;
        if sound == "1" {
            return Ok(());
        }
        if let Some((path, key)) = &self.place {
            *self = Self::open(path, key)?;
        }
        Ok(())
    }

    /// The error that every write would give, when the file can only be read.
    pub fn check_writable(&self) -> Result<(), StoreError> {
        match self.barred {
            Some(Barred::Newer(found)) => {
                Err(StoreError::SchemaNewer { found, known: migrations::known() })
            }
            Some(Barred::ReadOnly) => Err(StoreError::ReadOnly),
            Some(Barred::DiskFull) => Err(StoreError::DiskFull),
            None => Ok(()),
        }
    }

    /// The connection, for tests that plant faults.
    #[doc(hidden)]
    pub fn raw(&self) -> &Connection {
        &self.connection
    }
}

/// Without a log and without its shared memory, which could not be made. Only a file whose log is empty
/// can be read so: else its last saves would be missing in view.
fn open_as_it_is(path: &Path, key: &Key, barred: Barred) -> Result<Store, StoreError> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    if std::fs::metadata(log).is_ok_and(|log| log.len() > 0) {
        return Err(match barred {
            Barred::DiskFull => StoreError::DiskFull,
            Barred::Newer(_) | Barred::ReadOnly => StoreError::ReadOnly,
        });
    }
    let mut uri = "file:".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"/._-".contains(byte);
        uri.push_str(&if plain { char::from(*byte).to_string() } else { format!("%{byte:02X}") });
    }
    uri.push_str("?immutable=1");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(uri, flags)?;
    prepare(&connection, key)?;
    let found = migrations::found(&connection)?;
    match found.cmp(&migrations::known()) {
        std::cmp::Ordering::Equal => {
            Ok(Store { connection, barred: Some(barred), place: place(path, key) })
        }
        std::cmp::Ordering::Greater => {
            let barred = Some(Barred::Newer(found));
            Ok(Store { connection, barred, place: place(path, key) })
        }
        // An older schema would have to be brought up to date first.
        std::cmp::Ordering::Less => Err(StoreError::ReadOnly),
    }
}

fn place(path: &Path, key: &Key) -> Option<(PathBuf, Key)> {
    Some((path.to_owned(), key.clone()))
}

pub(crate) fn prepare(connection: &Connection, key: &Key) -> Result<(), StoreError> {
    let hex = Zeroizing::new(key.0.iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing into a String cannot fail.
        _ = write!(hex, "{byte:02x}");
        hex
    }));
    // SQLCipher would print to the terminal, page by page, what comes back as an error anyway.
    connection.execute_batch("PRAGMA cipher_log_level = NONE")?;
    let statement = Zeroizing::new(format!("PRAGMA key = \"x'{}'\"", hex.as_str()));
    connection.execute_batch(&statement)?;
    connection.busy_timeout(std::time::Duration::from_millis(BUSY_MS))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // The first read tells whether the key opens the file.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    // What is deleted is overwritten, in tables as in free pages: a record that left the phone is gone.
    connection.query_row("PRAGMA secure_delete = ON", [], |_| Ok(()))?;
    Ok(())
}

fn make_durable(connection: &Connection) -> Result<(), StoreError> {
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    connection.pragma_update(None, "synchronous", synchronous())?;
    let found: i64 = connection.query_row("PRAGMA synchronous", [], |row| row.get(0))?;
    // 2 is FULL; NORMAL may roll an acknowledged save back at a power cut.
    if mode == "wal" && (found == 2 || synchronous() != FULL) {
        Ok(())
    } else {
        Err(StoreError::NotDurable(format!("journal_mode={mode}, synchronous={found}")))
    }
}

impl PhoneStore for Store {
    type Error = StoreError;
    type Tx<'a> = SqliteTx<'a>;

    fn transact<R, E: From<StoreError>>(
        &mut self,
        work: impl FnOnce(&mut SqliteTx<'_>) -> Result<R, E>,
    ) -> Result<R, E> {
        self.renew()?;
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
