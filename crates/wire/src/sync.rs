//! `POST /v1/sync`: one round trip that pushes and pulls.

use serde::{Deserialize, Serialize};
use yaoguan_model::{GridCode, RecordId, ReplicaId, Role};

use crate::error::ErrorCode;
use crate::opaque::{Epoch, HoldId, PushToken};
use crate::packing::{PackedContext, PackedRecord};

/// What a phone asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncRequest {
    pub protocol: u32,
    /// The epoch that the phone last learnt; none before its first sync.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<Epoch>,
    pub replica: ReplicaId,
    pub push: Push,
    /// Where the last page ended; none pulls from the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    pub scope_version: u64,
    /// The table that `records` index.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replicas: Vec<ReplicaId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<PackedRecord>,
    /// Held saves that this phone still keeps a copy of: what became of them?
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<HoldId>,
    pub clock: Clock,
    /// What waits on this phone, for whoever looks after it; left out when nothing does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
}

/// Records that only this phone has, those of this request among them. Evidence: nothing follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    pub records: u64,
    /// How long ago the oldest of them was made, in seconds of the phone's clock.
    pub oldest_s: i64,
}

/// The push chain: a replica whose current token is not among `tokens` has a twin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Push {
    /// The token of the last acknowledged push, then those of all attempts since.
    pub tokens: Vec<PushToken>,
    /// The token of this push; none for an empty one, which advances nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<PushToken>,
    /// The replica's commit counter.
    pub counter: u64,
    /// Indexes of former replica ids of this phone: a town that was restored may not know them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<u32>,
}

/// The phone's clocks, in seconds: evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    pub device: i64,
    pub boot_elapsed: i64,
}

/// What the town answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncResponse {
    pub epoch: Epoch,
    /// One for each pushed record, applied before the feed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub verdicts: Vec<Verdict>,
    /// The table that verdicts and feed index.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replicas: Vec<ReplicaId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub feed: Vec<FeedItem>,
    pub cursor: String,
    /// True while the feed has another page.
    pub more: bool,
    /// The feed's last position.
    pub head: u64,
    pub scope: Scope,
    /// Hash of the whole scope (see [`crate::reconcile::root_of`]), now and then, when the phone is at
    /// the head and has nothing unsent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// The town and this phone do not trust each other's positions any more: the phone reconciles.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reconcile: bool,
    /// Held saves that were asked for and no longer wait.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<HoldNews>,
    /// The town's clock, in seconds.
    pub town_time: i64,
}

/// What became of one pushed record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    pub id: RecordId,
    /// The context as pushed.
    pub context: PackedContext,
    #[serde(flatten)]
    pub judgement: Judgement,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Judgement {
    Taken,
    /// Taken, but no longer in this phone's scope.
    TakenEvict,
    /// Kept at the town for a supervisor.
    Held {
        hold: HoldId,
    },
    /// Rests on what this town has lost: kept whole until an administrator takes it.
    Recovered,
    Refused {
        code: ErrorCode,
        /// The same save may be taken later (after an upgrade of the town).
        retriable: bool,
        detail: String,
    },
    /// A judgement of a later protocol: the save stays unsent.
    #[serde(other)]
    Unknown,
}

/// What became of a held save.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldNews {
    pub hold: HoldId,
    pub outcome: HoldOutcome,
    /// The supervisor's words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldOutcome {
    /// A supervisor put it on the record, or a later push brought it.
    Released,
    /// A supervisor declined it.
    Refused,
    /// This town does not know it: it was restored from before. The phone sends it again.
    Lost,
    /// Of a later protocol: the phone goes on keeping its copy.
    #[serde(other)]
    Unknown,
}

/// One row of the feed: a record, or an id that left the scope or was purged. Exactly one is there; a
/// row with none is of a later protocol and is passed over.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedItem {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<PackedRecord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<RecordId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purged: Option<RecordId>,
}

/// The person's scope; role and grids are sent only when the phone's version is another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    pub version: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grids: Option<Vec<GridCode>>,
}
