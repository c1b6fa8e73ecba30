//! What the person has set on this phone: language, text size, theme.

use rusqlite::OptionalExtension;

use crate::error::StoreError;
use crate::open::Store;
use crate::tx::SqliteTx;

impl Store {
    pub fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT value FROM setting WHERE name = ?1")?;
        Ok(statement.query_row([name], |row| row.get("value")).optional()?)
    }
}

impl SqliteTx<'_> {
    pub fn set_setting(&mut self, name: &str, value: &str) -> Result<(), StoreError> {
        let sql = "INSERT OR REPLACE INTO setting (name, value) VALUES (?1, ?2)";
        self.tx.prepare_cached(sql)?.execute([name, value])?;
        Ok(())
    }
}
