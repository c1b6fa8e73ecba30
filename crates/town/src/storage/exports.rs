//! What an export asks of storage: which records a list shows, and the records themselves.

use async_trait::async_trait;
use yaoguan_model::cells::Cell;
use yaoguan_model::{Record, RecordId};

use super::desk::InboxAsk;
use crate::error::TownError;

/// Lists to be exported. Each method is one transaction; scope is in every statement.
#[async_trait]
pub trait Exports: Send + Sync {
    /// The hazards that the inbox shows for this, in its order, so many at most.
    async fn listed(&self, ask: InboxAsk, limit: u32) -> Result<Vec<RecordId>, TownError>;
    /// Those of these records that lie within the cells, in the order asked for.
    async fn records_of(
        &self,
        cells: Vec<Cell>,
        ids: Vec<RecordId>,
    ) -> Result<Vec<Record>, TownError>;
}
