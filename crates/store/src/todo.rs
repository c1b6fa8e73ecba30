//! What waits for this person: cases by status, open tasks, checks that are due, fields to be settled,
//! records to be sent. Every query is bounded and walks an index.

use rusqlite::params;
use rusqlite::types::ToSql;
use yaoguan_model::{AccountId, GridCode, Record};

use crate::error::StoreError;
use crate::open::Store;
use crate::query::{Stored, body_and_unsent, stored};
use crate::tx;

const BODY: &str = "SELECT record.body, unsent.record IS NOT NULL AS unsent FROM";
const JOIN: &str = "LEFT JOIN unsent ON unsent.record = record.seq";

impl Store {
    /// Live hazards with this status, newest first.
    pub fn hazards_by_status(&self, status: &str, limit: u32) -> Result<Vec<Stored>, StoreError> {
        let sql = format!(
            "{BODY} hazard JOIN record ON record.seq = hazard.record {JOIN} \
             WHERE hazard.status = ?1 AND hazard.deletion <> 1 \
             ORDER BY hazard.seen_at DESC, hazard.record DESC LIMIT ?2"
        );
        self.records(&sql, params![status, limit])
    }

    /// Open tasks of this person or of these grids, the earliest due first.
    pub fn open_tasks(
        &self,
        account: AccountId,
        grids: &[GridCode],
        limit: u32,
    ) -> Result<Vec<Stored>, StoreError> {
        let corrupt = |e: serde_json::Error| StoreError::Corrupt(e.to_string());
        let grids = serde_json::to_string(grids).map_err(corrupt)?;
        let sql = format!(
            "{BODY} task JOIN record ON record.seq = task.record {JOIN} \
             WHERE task.status IN ('open', 'acknowledged') AND task.deletion <> 1 \
             AND (task.assignee = ?1 OR (task.assignee = '' \
             AND task.grid IN (SELECT value FROM json_each(?2)))) \
             ORDER BY task.due_on = '', task.due_on, task.record LIMIT ?3"
        );
        self.records(&sql, params![account.to_string(), grids, limit])
    }

    /// The latest check of each household whose due date is not after this day, the longest due first.
    pub fn checks_due(&self, until: &str, limit: u32) -> Result<Vec<Stored>, StoreError> {
        let sql = format!(
            "{BODY} household_check JOIN record ON record.seq = household_check.record {JOIN} \
             WHERE household_check.due_on <> '' AND household_check.due_on <= ?1 \
             AND household_check.deletion <> 1 AND NOT EXISTS (SELECT 1 FROM household_check AS later \
             WHERE later.household = household_check.household AND later.deletion <> 1 \
             AND (later.checked_at, later.record) \
             > (household_check.checked_at, household_check.record)) \
             ORDER BY household_check.due_on, household_check.record LIMIT ?2"
        );
        self.records(&sql, params![until, limit])
    }

    /// Records with a field that has several values, or deleted by one and edited by another.
    pub fn conflicted(&self, limit: u32) -> Result<Vec<Stored>, StoreError> {
        let some =
            |table: &str| format!("SELECT record FROM {table} WHERE conflicts > 0 OR deletion = 2");
        let all: Vec<String> =
            crate::projection::TABLES.iter().map(|table| some(table.name)).collect();
        let sql = format!(
            "{BODY} record {JOIN} WHERE record.seq IN ({}) ORDER BY record.seq DESC LIMIT ?1",
            all.join(" UNION ALL ")
        );
        self.records(&sql, params![limit])
    }

    /// Records with unsent saves, the longest waiting first.
    pub fn waiting(&self, limit: u32) -> Result<Vec<Stored>, StoreError> {
        let sql = "SELECT record.body, 1 AS unsent FROM unsent \
             JOIN record ON record.seq = unsent.record \
             ORDER BY unsent.since, unsent.record LIMIT ?1";
        self.records(sql, params![limit])
    }

    /// Bytes of the records that wait, as they are stored.
    pub fn waiting_bytes(&self) -> Result<u64, StoreError> {
        let sql = "SELECT coalesce(sum(length(record.body)), 0) AS n FROM unsent \
             JOIN record ON record.seq = unsent.record";
        Ok(self.connection.prepare_cached(sql)?.query_row([], |row| row.get("n"))?)
    }

    /// The record that waits longest and was never confirmed.
    pub fn oldest_new(&self) -> Result<Option<Record>, StoreError> {
        let sql = "SELECT record.body, 1 AS unsent FROM unsent \
             JOIN record ON record.seq = unsent.record WHERE unsent.base IS NULL \
             ORDER BY unsent.since, unsent.record LIMIT ?1";
        Ok(self.records(sql, params![1])?.pop().map(|stored| stored.record))
    }

    pub(crate) fn records(
        &self,
        sql: &str,
        values: &[&dyn ToSql],
    ) -> Result<Vec<Stored>, StoreError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map(values, body_and_unsent)?;
        rows.map(|row| stored(row?)).collect()
    }

    /// Grids of the town, by their code.
    pub fn grids(&self) -> Result<Vec<Record>, StoreError> {
        let sql = "SELECT record.body FROM grid JOIN record ON record.seq = grid.record \
             WHERE grid.deletion = 0 ORDER BY grid.code, grid.record";
        let mut statement = self.connection.prepare_cached(sql)?;
        let bodies = statement.query_map([], |row| row.get::<_, Vec<u8>>("body"))?;
        bodies.map(|body| tx::decode(&body?)).collect()
    }

    /// Names of grids and of their villages, by code.
    pub fn grid_names(&self) -> Result<Vec<(String, String)>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT code, name FROM grid WHERE deletion = 0 ORDER BY code")?;
        let rows = statement.query_map([], |row| Ok((row.get("code")?, row.get("name")?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
