//! Projection of notices, and those that hold now.

use rusqlite::params;

use crate::error::StoreError;
use crate::open::Store;
use crate::projection::{Column::*, Table};
use crate::query::Stored;

pub(crate) const TABLE: Table = Table {
    name: "notice",
    columns: &[Text("title"), Int("valid_until")],
    order: "valid_until",
    searched: &["title", "text"],
    initials: &[],
};

/// Walks the index from the first that has not ended; those without an end stand at 0, behind.
pub(crate) const HOLDING: &str = "SELECT record.body AS body, unsent.record IS NOT NULL AS unsent \
     FROM notice JOIN record ON record.seq = notice.record \
     LEFT JOIN unsent ON unsent.record = record.seq \
     WHERE notice.deletion = 0 AND (notice.valid_until >= ?1 OR notice.valid_until = 0) \
     ORDER BY notice.valid_until = 0, notice.valid_until, notice.record LIMIT ?2";

impl Store {
    /// Live notices that hold at this moment of the town, those that end first on top.
    pub fn notices_at(&self, now: i64, limit: u32) -> Result<Vec<Stored>, StoreError> {
        self.records(HOLDING, params![now, limit])
    }
}
