//! Lists to be exported, as SQL.

use async_trait::async_trait;
use yaoguan_model::cells::Cell;
use yaoguan_model::{Record, RecordId, canonical};

use super::super::desk::{InboxAsk, TaskAsk};
use super::super::exports::{Exports, SpanAsk};
use super::feed::{in_cells, names_of};
use super::{desk_task, id16, inbox};
use crate::error::TownError;
use crate::storage::sql::{Connection, Engine, named_params};

/// Scope is in the statement itself. The two are walked from their latest day back.
pub(super) const PATROLS: &str = concat!(
    "SELECT patrol_fact.record AS record FROM patrol_fact \
     WHERE at >= :from AND at < :until AND (:grid IS NULL OR patrol_fact.grid = :grid) AND ",
    in_cells!("patrol_fact.record", ":cells"),
    " ORDER BY at DESC, patrol_fact.record DESC LIMIT :limit"
);
/// A check has no grid of its own.
pub(super) const CHECKS: &str = concat!(
    "SELECT check_fact.record AS record FROM check_fact \
     WHERE check_fact.checked_at >= :from AND check_fact.checked_at < :until \
     AND (:grid IS NULL OR EXISTS (SELECT 1 FROM household_fact \
     WHERE household_fact.record = check_fact.household AND household_fact.grid = :grid)) AND ",
    in_cells!("check_fact.record", ":cells"),
    " ORDER BY check_fact.checked_at DESC, check_fact.record DESC LIMIT :limit"
);

/// In the order asked for.
pub(super) const RECORDS: &str = concat!(
    "SELECT record.body AS body FROM json_each(:ids) AS asked \
     CROSS JOIN record ON record.id = unhex(asked.value, '-') WHERE ",
    in_cells!("record.id", ":cells"),
    " ORDER BY asked.key"
);

fn listed(
    connection: &Connection,
    sql: &str,
    ask: &SpanAsk,
    limit: u32,
) -> Result<Vec<RecordId>, TownError> {
    let mut statement = connection.prepare_cached(sql)?;
    let asked = named_params! {
        ":cells": names_of(&ask.cells), ":grid": ask.grid, ":from": ask.from.unwrap_or(i64::MIN),
        ":until": ask.until.unwrap_or(i64::MAX), ":limit": limit,
    };
    let rows = statement.query_map(asked, |row| id16(row, "record").map(RecordId::from_bytes))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

#[async_trait]
impl<E: Engine> Exports for E {
    async fn listed(&self, ask: InboxAsk, limit: u32) -> Result<Vec<RecordId>, TownError> {
        let rows = self.read(move |connection| inbox::rows(connection, &ask, limit)).await?;
        Ok(rows.into_iter().map(|row| row.id).collect())
    }

    async fn listed_tasks(&self, ask: TaskAsk, limit: u32) -> Result<Vec<RecordId>, TownError> {
        let rows = self.read(move |connection| desk_task::rows(connection, &ask, limit)).await?;
        Ok(rows.into_iter().map(|row| row.id).collect())
    }

    async fn listed_patrols(&self, ask: SpanAsk, limit: u32) -> Result<Vec<RecordId>, TownError> {
        self.read(move |connection| listed(connection, PATROLS, &ask, limit)).await
    }

    async fn listed_checks(&self, ask: SpanAsk, limit: u32) -> Result<Vec<RecordId>, TownError> {
        self.read(move |connection| listed(connection, CHECKS, &ask, limit)).await
    }

    async fn records_of(
        &self,
        cells: Vec<Cell>,
        ids: Vec<RecordId>,
    ) -> Result<Vec<Record>, TownError> {
        self.read(move |connection| {
            let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
            let ids = serde_json::to_string(&ids).map_err(|e| TownError::Corrupt(e.to_string()))?;
            let mut statement = connection.prepare_cached(RECORDS)?;
            let asked = named_params! { ":ids": ids, ":cells": names_of(&cells) };
            let rows = statement.query_map(asked, |row| row.get::<_, Vec<u8>>("body"))?;
            rows.map(|body| Ok(canonical::decode(&body?)?)).collect()
        })
        .await
    }
}
