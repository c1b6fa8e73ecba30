//! Whether the town can do its work: the file takes a write, and the feed stands where its counter says.

use super::super::Health;
use crate::error::TownError;
use crate::storage::sql::Transaction;

pub(super) fn probe(tx: &Transaction<'_>, now: i64) -> Result<Health, TownError> {
    tx.prepare_cached("UPDATE town SET probed_at = ?1")?.execute([now])?;
    let sql = "SELECT feed_head.position = coalesce((SELECT max(position) FROM feed), 0) AS same \
               FROM feed_head";
    let feed_moves = tx.prepare_cached(sql)?.query_row([], |row| row.get("same"))?;
    Ok(Health { writable: true, feed_moves })
}
