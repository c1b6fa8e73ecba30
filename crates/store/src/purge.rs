//! Finished records that this phone gives up, and the stubs that are left of them.
//!
//! A stub counts when phone and town compare, and its source key when a table is imported again.

use rusqlite::{OptionalExtension, params_from_iter};
use yaoguan_model::RecordId;
use yaoguan_model::retention::{HAZARD_FINISHED, TASK_FINISHED};
use yaoguan_wire::reconcile::RecordHash;

use crate::error::StoreError;
use crate::open::Store;
use crate::projection;
use crate::tx::{SqliteTx, id16};

/// Confirmed by `?1`, in the order of confirmation, with nothing of them waiting. A list names what is
/// finished of kinds with a status; the rest is for [`yaoguan_sync::purge`] to judge. (`CROSS JOIN` keeps SQLite from
/// reading every record of the phone to find the few.)
pub(crate) fn settled_sql() -> String {
    let marks = |from: usize, list: &[&str]| {
        let marks: Vec<String> = (from..from + list.len()).map(|n| format!("?{n}")).collect();
        marks.join(", ")
    };
    let hazard = marks(2, HAZARD_FINISHED);
    let task = marks(2 + HAZARD_FINISHED.len(), TASK_FINISHED);
    format!(
        "SELECT record.id FROM ( \
         SELECT record FROM hazard WHERE status IN ({hazard}) OR deletion = 1 \
         UNION ALL SELECT record FROM task WHERE status IN ({task}) OR deletion = 1 \
         UNION ALL SELECT record FROM patrol \
         UNION ALL SELECT record FROM household_check \
         UNION ALL SELECT record FROM notice) AS kind CROSS JOIN record ON record.seq = kind.record \
         WHERE record.confirmed_at BETWEEN 1 AND ?1 \
         AND record.seq NOT IN (SELECT record FROM unsent) \
         AND record.id NOT IN (SELECT record FROM offer) \
         AND record.id NOT IN (SELECT record FROM quarantine) \
         AND record.id NOT IN (SELECT record FROM draft WHERE record IS NOT NULL) \
         ORDER BY record.confirmed_at, record.seq"
    )
}

impl SqliteTx<'_> {
    /// See [`yaoguan_sync::Tx::settled`].
    pub(crate) fn settled_ids(&self, confirmed_by: i64) -> Result<Vec<RecordId>, StoreError> {
        let mut statement = self.tx.prepare_cached(&settled_sql())?;
        let words =
            HAZARD_FINISHED.iter().chain(TASK_FINISHED).map(|word| (*word).to_owned().into());
        let values = std::iter::once(rusqlite::types::Value::Integer(confirmed_by)).chain(words);
        let ids = statement
            .query_map(params_from_iter(values), |row| id16(row, "id").map(RecordId::from_bytes))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }

    /// See [`yaoguan_sync::Tx::stub`].
    pub(crate) fn stub_hash(&self, id: RecordId) -> Result<Option<RecordHash>, StoreError> {
        let mut statement = self.tx.prepare_cached("SELECT hash FROM stub WHERE id = ?1")?;
        Ok(statement.query_row([id.as_bytes()], |row| row.get("hash")).optional()?)
    }

    /// Leaves the stub of a record that is about to go.
    pub(crate) fn leave_stub(&self, id: RecordId) -> Result<(), StoreError> {
        let mut statement = self.tx.prepare_cached(
            "INSERT OR REPLACE INTO stub (id, hash, kind, source, source_key) \
             SELECT record.id, record.hash, record.kind, \
             coalesce(hazard.source, patrol.source, ''), \
             coalesce(hazard.source_key, patrol.source_key, '') FROM record \
             LEFT JOIN hazard ON hazard.record = record.seq \
             LEFT JOIN patrol ON patrol.record = record.seq WHERE record.id = ?1",
        )?;
        statement.execute([id.as_bytes()])?;
        Ok(())
    }
}

impl Store {
    /// How many records this phone gave up and still counts.
    pub fn stubs(&self) -> Result<u64, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT count(*) AS n FROM stub")?;
        Ok(statement.query_row([], |row| row.get("n"))?)
    }

    /// Source keys of a kind that went with records that were given up.
    pub(crate) fn stub_keys(&self, kind: &str, source: &str) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT source_key FROM stub WHERE kind = ?1 AND source = ?2 AND source <> ''";
        let mut statement = self.connection.prepare_cached(sql)?;
        let keys = statement.query_map([kind, source], |row| row.get("source_key"))?;
        Ok(keys.collect::<Result<_, _>>()?)
    }

    /// The record of a kind that was given up and had been imported under this key.
    pub(crate) fn stub_by_source(
        &self,
        kind: &str,
        source: &str,
        key: &str,
    ) -> Result<Option<RecordId>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id FROM stub WHERE kind = ?1 AND source = ?2 AND source_key = ?3 \
             AND source <> ''",
        )?;
        let id = |row: &rusqlite::Row<'_>| id16(row, "id").map(RecordId::from_bytes);
        Ok(statement.query_row([kind, source, key], id).optional()?)
    }
}

/// Every table that a record may stand in has been named above.
const _: () = assert!(projection::TABLES.len() == 8, "a new kind: does a phone give it up?");
