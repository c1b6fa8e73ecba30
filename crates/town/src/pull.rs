//! Fills a page of the feed.

use yaoguan_model::cells::Cell;
use yaoguan_model::{Record, RecordId, ReplicaId};

/// What a reader asks of the feed.
#[derive(Debug, Clone)]
pub struct Ask {
    /// The reader's cells; nothing outside them is looked at.
    pub cells: Vec<Cell>,
    /// Rows after this position.
    pub after: u64,
    /// No rows beyond this position; none goes up to the head.
    pub upto: Option<u64>,
    /// The asking replica: states that it pushed itself are passed over. None delivers them too.
    pub skip_origin: Option<ReplicaId>,
    /// Records of the push in the same request whose state is exactly as pushed.
    pub skip_records: Vec<RecordId>,
}

/// One row for a reader.
#[derive(Debug, Clone)]
pub enum Row {
    Record(Box<Record>),
    Left(RecordId),
    Purged(RecordId),
}

/// A page of the feed.
#[derive(Debug, Clone)]
pub struct Page {
    pub rows: Vec<Row>,
    /// Where the next page goes on.
    pub position: u64,
    pub more: bool,
    /// The feed's last position.
    pub head: u64,
}
