//! What a supervisor at the console asks of storage: the inbox, one record with what stands around it, a
//! decision on it, and what changed. Scope is in every statement.

use std::collections::BTreeMap;

use async_trait::async_trait;
use tokio::sync::watch;
use yaoguan_model::authorise::{Actor, Refusal};
use yaoguan_model::cells::{Around, Cell};
use yaoguan_model::{AccountId, Change, FieldPath, Record, RecordId, ReplicaId};

use crate::audit::Attribution;
use crate::error::TownError;

/// Rows of one page of the inbox.
pub const PAGE: u32 = 50;
/// Ids that one event names; what is more comes with the next.
pub const MAX_CHANGED: usize = 200;

/// Which hazards are wanted. Empty texts ask for any.
#[derive(Debug, Clone, Default)]
pub struct InboxAsk {
    pub cells: Vec<Cell>,
    /// A status, or `open`: any that is not finished.
    pub state: String,
    pub category: String,
    pub severity: String,
    pub grid: String,
    /// Part of title, address or description.
    pub words: String,
    /// Only where something is to be settled.
    pub conflict: bool,
    /// Only unfinished ones whose day is before this.
    pub due_before: Option<String>,
    /// The last row of the page before.
    pub after: Option<(i64, RecordId)>,
}

/// A line of the inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxRow {
    pub id: RecordId,
    pub title: String,
    pub category: String,
    pub severity: String,
    pub status: String,
    pub grid: String,
    pub address: String,
    pub due_on: String,
    pub conflict: bool,
    /// Who reported it.
    pub author: String,
    /// The name of the supervisor who is on it, or empty.
    pub claimed_by: String,
    /// Files that it refers to and that have not arrived.
    pub coming: u32,
    pub received_at: i64,
    pub changed_at: i64,
}

/// A record and what its page shows beside it.
#[derive(Debug, Clone)]
pub struct View {
    pub record: Record,
    pub around: Around,
    pub received_at: i64,
    pub changed_at: i64,
    /// Whose replica ids stand in the record; the town's own are nobody's.
    pub replicas: BTreeMap<ReplicaId, AccountId>,
    /// Names of the people who stand in the record.
    pub names: BTreeMap<AccountId, String>,
    /// Linked records that the asker reads.
    pub links: Vec<Record>,
    /// Open hazards of the same category within [`yaoguan_model::hazard::NEARBY_M`], and how far away.
    pub near: Vec<(Record, f64)>,
}

/// What a supervisor wants of a record.
#[derive(Debug, Clone)]
pub struct Decision {
    pub id: RecordId,
    pub actor: Actor,
    /// `replaces` are the dots that the person had in view.
    pub changes: BTreeMap<FieldPath, Change>,
    pub now: i64,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decided {
    Done,
    /// Not there, or not in the actor's scope: it is not said which.
    NotFound,
    Refused(Refusal),
}

/// A person that something can be given to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Colleague {
    pub id: AccountId,
    pub name: String,
    pub role: String,
}

/// The console's storage. Each method is one transaction.
#[async_trait]
pub trait Desk: Send + Sync {
    /// A page of the inbox, newest change first.
    async fn inbox(&self, ask: InboxAsk) -> Result<Vec<InboxRow>, TownError>;
    /// One record; with `seen` that its content was read is written to the audit log for households.
    async fn view(
        &self,
        cells: Vec<Cell>,
        id: RecordId,
        seen: Attribution,
    ) -> Result<Option<View>, TownError>;
    /// Writes as the town's replica what the actor may write: concurrent edits become siblings.
    async fn decide(&self, decision: Decision) -> Result<Decided, TownError>;
    /// Records of these cells that changed after a position, and the position reached.
    async fn changed(
        &self,
        cells: Vec<Cell>,
        after: u64,
    ) -> Result<(Vec<RecordId>, u64), TownError>;
    /// Enabled people who share a grid with the asker.
    async fn colleagues(&self, actor: Actor) -> Result<Vec<Colleague>, TownError>;
    /// The feed's head, as this process moves it.
    fn feed_moves(&self) -> watch::Receiver<u64>;
}
