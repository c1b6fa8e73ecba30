//! What travels between a phone and the town, and the faults that a test may switch on.

use yaoguan_model::{Record, ReplicaId, VersionVector};

use crate::history::State;

/// A record and what the oracle says of it; they travel together.
#[derive(Debug, Clone)]
pub struct Parcel {
    pub index: usize,
    pub record: Record,
    pub state: State,
}

#[derive(Debug, Clone)]
pub struct Request {
    pub account: u8,
    pub epoch: u32,
    pub replica: ReplicaId,
    pub tokens: Vec<u64>,
    pub next: u64,
    pub cursor: u64,
    pub records: Vec<Parcel>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    Taken,
    TakenEvict,
    Refused,
    /// The number is the key of the hold.
    Held(u64),
    /// It holds dots of others that this town has lost: kept for an administrator.
    Recovered,
}

#[derive(Debug, Clone)]
pub struct Verdict {
    pub index: usize,
    pub context: VersionVector,
    pub state: State,
    pub judgement: Judgement,
}

#[derive(Debug, Clone)]
pub enum Reply {
    NewEpoch(u32),
    Forked,
    Page {
        next: Option<u64>,
        verdicts: Vec<Verdict>,
        feed: Vec<Parcel>,
        cursor: u64,
        holds: Vec<u64>,
    },
}

/// A rule of the design that the model of the network, the town or the phone breaks on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    None,
    /// No push chain and no marker: a clone or a restored phone goes on under the same replica id.
    CloneKeepsReplicaId,
    /// The feed leaves a path out, under the whole context.
    PartialRecord,
    /// The town forgets an entry of a context.
    PrunedContext,
    /// A hold is released by merging the record as it was pushed.
    ReleaseByMerge,
    /// `replaces` are the siblings when the form is saved, not when it was opened.
    ReplacesAtSave,
    /// A refused or held save leaves the replica id as it was.
    SameReplicaAfterPutBack,
    /// The same, except when an earlier push is unanswered.
    SameReplicaAfterAnsweredPutBack,
    /// A crash leaves the cursor of a page without the page.
    CursorWithoutPage,
    /// A draft names dots that a fork has left behind.
    DraftsKeepDotsAcrossFork,
    /// The other unsent saves stay under their old dots when a put-back leaves the replica id.
    UnsentKeepDotsAfterPutBack,
    /// A new replica id at start leaves unsent saves under their old dots.
    UnsentKeepDotsAtStart,
    /// A phone that was brought back takes the marker's word without asking the town.
    MarkerAloneIsTrusted,
    /// A new epoch leaves the replica ids as they were.
    SameReplicaInNewEpoch,
    /// What was given up stays hidden when it has changed at the town.
    StubHidesChange,
    /// The phone forgets a held save as soon as the town holds it.
    HeldForgottenByPhone,
}
