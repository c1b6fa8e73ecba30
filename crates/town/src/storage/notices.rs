//! The notices of the town as the console lists them.

use async_trait::async_trait;
use yaoguan_model::Record;
use yaoguan_model::cells::Cell;

use crate::error::TownError;

/// Notices that the page shows, newest first: of a few years.
pub const MAX_NOTICES: u32 = 500;

/// One of them.
#[derive(Debug, Clone)]
pub struct Noticed {
    pub record: Record,
    /// Who wrote it.
    pub author: String,
    pub received_at: i64,
}

/// Notices. Each method is one transaction; scope is in every statement.
#[async_trait]
pub trait Notices: Send + Sync {
    /// The newest notices within these cells, withdrawn ones too; at most [`MAX_NOTICES`].
    async fn notices(&self, cells: Vec<Cell>) -> Result<Vec<Noticed>, TownError>;
}
