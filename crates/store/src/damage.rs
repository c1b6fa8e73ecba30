//! Whether the file is whole: a probe at every start, and a check of all of it now and then.
//!
//! Every page carries a MAC (SQLCipher), so that a page that was altered by anything but this store is
//! never read as if it were sound.

use yaoguan_sync::PhoneStore as _;

use crate::error::StoreError;
use crate::open::Store;

/// Read at every start, whatever the size of the store: who this is, and what is unsent.
const VITAL: [&str; 5] = [
    "SELECT count(*) AS n FROM phone",
    "SELECT count(*) AS n FROM identity",
    "SELECT count(*) AS n FROM unsent",
    "SELECT count(*) AS n FROM quarantine",
    "SELECT count(*) AS n FROM draft",
];

/// What SQLCipher 4 makes pages of.
const PAGE_BYTES: u64 = 4_096;

impl Store {
    /// Reads what no start can do without: schema, phone, identity, and the keys of what waits.
    pub fn probe(&self) -> Result<(), StoreError> {
        for sql in VITAL {
            let n: i64 = self.connection.query_row(sql, [], |row| row.get("n"))?;
            if n == 0 && sql == "SELECT count(*) AS n FROM phone" {
                return Err(StoreError::Damaged("the phone's own row is gone".to_owned()));
            }
        }
        self.state()?;
        self.identity()?;
        Ok(())
    }

    /// Reads every page of the file and the structure of every table.
    pub fn check(&self) -> Result<(), StoreError> {
        self.probe()?;
        for pragma in ["PRAGMA cipher_integrity_check", "PRAGMA quick_check(1)"] {
            let mut statement = self.connection.prepare(pragma)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let found: String = row.get(0)?;
                if found != "ok" {
                    return Err(StoreError::Damaged(found));
                }
            }
        }
        Ok(())
    }

    /// The town's time of the last [`Store::check`] that found nothing, in seconds; 0 for never.
    pub fn checked_at(&self) -> Result<i64, StoreError> {
        let sql = "SELECT checked_at FROM phone";
        Ok(self.connection.prepare_cached(sql)?.query_row([], |row| row.get("checked_at"))?)
    }

    /// Notes that the file was found whole at this time of the town.
    pub fn set_checked_at(&mut self, at: i64) -> Result<(), StoreError> {
        self.transact(|tx| {
            tx.tx.execute("UPDATE phone SET checked_at = ?1", [at])?;
            Ok(())
        })
    }

    /// This installation; the marker outside names it too.
    pub fn install_id(&self) -> Result<[u8; 16], StoreError> {
        let sql = "SELECT install_id FROM phone";
        Ok(self.connection.prepare_cached(sql)?.query_row([], |row| row.get("install_id"))?)
    }

    /// Bytes that the file could give to new records without growing.
    pub fn free_bytes(&self) -> Result<u64, StoreError> {
        let free: u64 =
            self.connection.pragma_query_value(None, "freelist_count", |row| row.get(0))?;
        Ok(free.saturating_mul(PAGE_BYTES))
    }
}
