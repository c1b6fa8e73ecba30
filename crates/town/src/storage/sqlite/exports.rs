//! Lists to be exported, as SQL.

use crate::storage::sql::Engine;
use async_trait::async_trait;
use yaoguan_model::cells::Cell;
use yaoguan_model::{Record, RecordId};

use super::super::desk::InboxAsk;
use super::super::exports::Exports;
use super::feed::names_of;
use super::{desk, inbox};
use crate::error::TownError;

#[async_trait]
impl<E: Engine> Exports for E {
    async fn listed(&self, ask: InboxAsk, limit: u32) -> Result<Vec<RecordId>, TownError> {
        let rows = self.read(move |connection| inbox::rows(connection, &ask, limit)).await?;
        Ok(rows.into_iter().map(|row| row.id).collect())
    }

    async fn records_of(
        &self,
        cells: Vec<Cell>,
        ids: Vec<RecordId>,
    ) -> Result<Vec<Record>, TownError> {
        self.read(move |connection| {
            let cells = names_of(&cells);
            let mut found = Vec::with_capacity(ids.len());
            for id in &ids {
                found.extend(desk::read(connection, &cells, *id)?.map(|(record, ..)| record));
            }
            Ok(found)
        })
        .await
    }
}
