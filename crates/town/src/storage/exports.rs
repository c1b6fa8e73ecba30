//! What an export asks of storage: which records a list shows, and the records themselves.

use async_trait::async_trait;
use yaoguan_model::cells::Cell;
use yaoguan_model::{Record, RecordId};

use super::desk::{InboxAsk, TaskAsk};
use crate::error::TownError;

/// Which patrols or household checks; what is not said asks for any.
#[derive(Debug, Clone, Default)]
pub struct SpanAsk {
    pub cells: Vec<Cell>,
    /// A grid's code: of a patrol its own, of a check its household's.
    pub grid: Option<String>,
    /// Seconds of the beginning of a patrol, of a visit; `until` is no more inside.
    pub from: Option<i64>,
    pub until: Option<i64>,
}

/// Lists to be exported. Each method is one transaction; scope is in every statement.
#[async_trait]
pub trait Exports: Send + Sync {
    /// The hazards that the inbox shows for this, in its order, so many at most.
    async fn listed(&self, ask: InboxAsk, limit: u32) -> Result<Vec<RecordId>, TownError>;
    /// The tasks that the list of tasks shows for this, in its order, so many at most.
    async fn listed_tasks(&self, ask: TaskAsk, limit: u32) -> Result<Vec<RecordId>, TownError>;
    /// Patrols, the latest first, so many at most.
    async fn listed_patrols(&self, ask: SpanAsk, limit: u32) -> Result<Vec<RecordId>, TownError>;
    /// Household checks, the latest first, so many at most.
    async fn listed_checks(&self, ask: SpanAsk, limit: u32) -> Result<Vec<RecordId>, TownError>;
    /// Those of these records that lie within the cells, in the order asked for.
    async fn records_of(
        &self,
        cells: Vec<Cell>,
        ids: Vec<RecordId>,
    ) -> Result<Vec<Record>, TownError>;
}
