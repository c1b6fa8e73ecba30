//! What a supervisor at the console asks of storage: the inbox, one record with what stands around it, a
//! decision on it, and what changed. Scope is in every statement.

use std::collections::BTreeMap;

use async_trait::async_trait;
use tokio::sync::watch;
use yaoguan_model::authorise::{Actor, Refusal};
use yaoguan_model::cells::{Around, Cell};
use yaoguan_model::{AccountId, Change, FieldPath, Kind, Record, RecordId, ReplicaId};

use crate::audit::Attribution;
use crate::error::TownError;

/// Rows of one page of the inbox.
pub const PAGE: u32 = 50;
/// Rows that stand above the first page until somebody is on them.
pub const MAX_URGENT: u32 = 20;
/// Where the counting of a view ends.
pub const MAX_COUNTED: u32 = 1_000;
/// How long a claim shows that somebody is on a report; then it is anybody's again.
pub const CLAIM_HOLDS_S: i64 = 30 * 60;
/// Records that one request decides on.
pub const MAX_DECISIONS: usize = 100;
/// Records that a daily report counts.
pub const MAX_DAILY: u32 = 5_000;
/// Linked records of one sort that a page shows.
pub const MAX_LINKS: u32 = 50;
/// Ids that one event names; what is more comes with the next.
pub const MAX_CHANGED: usize = 200;

/// Which hazards are wanted. Empty texts ask for any.
#[derive(Debug, Clone, Default)]
pub struct InboxAsk {
    pub cells: Vec<Cell>,
    /// Who asks.
    pub account: Option<AccountId>,
    pub now: i64,
    /// A status, or `open`: any that is not finished.
    pub state: String,
    /// Why it waits, see [`crate::desk::stage`].
    pub stage: String,
    /// Only what this supervisor is on.
    pub claimed_by: Option<AccountId>,
    pub category: String,
    pub severity: String,
    pub grid: String,
    /// Words that must all occur in title, address, description or what was said on the way.
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
    /// The dots of its siblings, with spaces between.
    pub status_dots: String,
    pub grid: String,
    pub address: String,
    pub stage: String,
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

/// How much waits for a supervisor; no count goes beyond [`MAX_COUNTED`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Major dangers that nobody is on.
    pub urgent: Vec<InboxRow>,
    pub new: u32,
    pub corrected: u32,
    pub changed: u32,
    pub conflict: u32,
    pub overdue: u32,
    /// What the asker is on.
    pub claimed: u32,
}

/// Which tasks are wanted. Empty texts ask for any.
#[derive(Debug, Clone, Default)]
pub struct TaskAsk {
    pub cells: Vec<Cell>,
    /// A status, or `active`: any that is neither done nor cancelled.
    pub state: String,
    /// Only those that this person gave.
    pub giver: Option<AccountId>,
    pub assignee: Option<AccountId>,
    pub grid: String,
    /// Part of the words.
    pub words: String,
    /// Only active ones whose day is before this.
    pub due_before: Option<String>,
    /// Day and id of the last row of the page before.
    pub after: Option<(String, RecordId)>,
}

/// A line of the list of tasks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskRow {
    pub id: RecordId,
    pub what: String,
    pub words: String,
    pub about: Option<RecordId>,
    pub assignee: String,
    /// The assignee's name, or empty.
    pub doer: String,
    pub grid: String,
    pub due_on: String,
    pub status: String,
    pub conflict: bool,
    /// Who gave it.
    pub giver: String,
    pub changed_at: i64,
}

/// How a linked record stands to the one that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// The patrol on which it was seen.
    Patrol,
    Household,
    /// The report that it was merged into.
    MergedInto,
    /// A report that was merged into it.
    Merged,
    /// What a task is about.
    About,
    /// A task about it.
    Task,
    /// Seen on this patrol.
    Seen,
    /// A check of this household.
    Check,
}

impl Relation {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Patrol => "patrol",
            Self::Household => "household",
            Self::MergedInto => "merged_into",
            Self::Merged => "merged",
            Self::About => "about",
            Self::Task => "task",
            Self::Seen => "seen",
            Self::Check => "check",
        }
    }
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
    pub links: Vec<(Relation, Record)>,
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

/// A record that a supervisor makes.
#[derive(Debug, Clone)]
pub struct NewRecord {
    pub id: RecordId,
    pub kind: Kind,
    pub actor: Actor,
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
    /// What waits, by view, before the day `today`; of `ask` cells, account and time count.
    async fn waiting(&self, ask: InboxAsk, today: String) -> Result<Waiting, TownError>;
    /// A page of tasks, those that are due first at the top.
    async fn tasks(&self, ask: TaskAsk) -> Result<Vec<TaskRow>, TownError>;
    /// One record; with `seen` that its content was read is written to the audit log for households.
    async fn view(
        &self,
        cells: Vec<Cell>,
        id: RecordId,
        seen: Attribution,
    ) -> Result<Option<View>, TownError>;
    /// Writes as the town's replica what the actor may write: concurrent edits become siblings.
    async fn decide(&self, decision: Decision) -> Result<Decided, TownError>;
    /// The same for several records; one that is refused keeps no other from being written.
    async fn decide_all(&self, decisions: Vec<Decision>) -> Result<Vec<Decided>, TownError>;
    /// Writes a new record as the town's replica, judged as one of the actor's own.
    async fn create(&self, new: NewRecord) -> Result<Decided, TownError>;
    /// Records of these cells that changed on or after a time, with the time of their first receipt; at most
    /// [`MAX_DAILY`].
    async fn changed_since(
        &self,
        cells: Vec<Cell>,
        since: i64,
    ) -> Result<Vec<(Record, i64)>, TownError>;
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
