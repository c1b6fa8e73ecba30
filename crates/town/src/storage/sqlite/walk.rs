//! Every record in the order of ids, a bounded number at a time.

use crate::error::TownError;
use crate::storage::sql::{Connection, Row, Rows};

/// Records in memory at once.
const STEP: usize = 500;

pub(super) struct Walk<'c> {
    connection: Connection<'c>,
    kind: &'static str,
    rows: Rows,
    after: [u8; 16],
    more: bool,
}

/// Walks through the records of a kind, or of every kind if it is empty.
pub(super) fn records<'c>(connection: &Connection<'c>, kind: &'static str) -> Walk<'c> {
    Walk { connection: *connection, kind, rows: Rows::default(), after: [0; 16], more: true }
}

impl Walk<'_> {
    /// `id`, `kind`, `created_by`, `body`, `hash` and `changed_at` of the next one.
    pub(super) fn next(&mut self) -> Result<Option<Row<'_>>, TownError> {
        if self.rows.is_done() && self.more {
            let sql = "SELECT id, kind, created_by, body, hash, changed_at FROM record \
                 WHERE id > ?1 AND (?2 = '' OR kind = ?2) ORDER BY id LIMIT ?3";
            let mut statement = self.connection.prepare_cached(sql)?;
            self.rows = statement.query((self.after, self.kind, STEP))?;
            self.more = self.rows.count() == STEP;
            if let Some(last) = self.rows.last() {
                self.after = last.get("id")?;
            }
        }
        Ok(self.rows.next()?)
    }
}
