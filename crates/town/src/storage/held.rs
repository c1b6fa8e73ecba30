//! Saves that the town keeps apart: held ones, and what came back after a restore.

use std::collections::BTreeMap;

use async_trait::async_trait;
use yaoguan_model::authorise::Actor;
use yaoguan_model::cells::Cell;
use yaoguan_model::{AccountId, Changes, DeviceId, FieldPath, Kind, Record, RecordId, Value};
use yaoguan_wire::{ErrorCode, HoldId, HoldNews};

use crate::audit::{Attribution, By};
use crate::error::TownError;

/// A held save that waits for a supervisor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    pub id: HoldId,
    /// Id, kind and author of the record; without fields.
    pub about: Record,
    pub account: AccountId,
    pub device: DeviceId,
    pub changes: Changes,
    /// Why it was not taken.
    pub code: ErrorCode,
    pub detail: String,
    /// The town's time, in seconds.
    pub received_at: i64,
}

/// Who looks at held saves. Administrators read no household (records.md, *People*): what is held of one, or
/// may be, they see without its content, and leave to a supervisor.
#[derive(Debug, Clone)]
pub enum Reader {
    /// A supervisor, by what they read.
    Cells(Vec<Cell>),
    Administrator,
}

/// A held save in a list.
#[derive(Debug, Clone)]
pub struct HeldRow {
    pub held: Held,
    pub account_name: String,
    pub device_name: String,
    /// Its content is for this reader.
    pub readable: bool,
}

/// A held save, and what its release would make of the record.
#[derive(Debug, Clone)]
pub struct HeldView {
    pub row: HeldRow,
    /// As the town has it; none where it is gone or never was.
    pub before: Option<Record>,
    pub after: Record,
    /// The record was purged: what is released becomes a new one.
    pub purged: bool,
}

/// A supervisor's decision on a held save.
#[derive(Debug, Clone)]
pub struct Release {
    pub hold: HoldId,
    /// Who releases, with a supervisor's rights.
    pub by: Actor,
    /// Values to set instead of, or beside, those of the save; none removes one from it.
    pub mended: BTreeMap<FieldPath, Option<Value>>,
    /// The id of the new record, where the old one was purged.
    pub fresh_id: RecordId,
    pub note: String,
    pub now: i64,
}

/// A record that a phone held and the town has lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// SHA-256 of the canonical form.
    pub hash: [u8; 32],
    pub id: RecordId,
    pub kind: Kind,
    pub record: Record,
    /// The phones that brought it.
    pub from: Vec<DeviceId>,
    pub received_at: i64,
}

/// What is kept apart. Each method is one transaction.
#[async_trait]
pub trait Apart: Send + Sync {
    /// Held saves that wait, oldest first.
    async fn held(&self) -> Result<Vec<Held>, TownError>;
    /// Held saves that wait and that this reader hears of, oldest first.
    async fn held_rows(&self, reader: Reader) -> Result<Vec<HeldRow>, TownError>;
    /// One of them with its content, if that is for this reader; reading a household stands in the audit log.
    async fn held_view(
        &self,
        hold: HoldId,
        reader: Reader,
        seen: Attribution,
    ) -> Result<Option<HeldView>, TownError>;
    /// Puts a held save on the record as it is now, under a fresh dot of the town. Nothing changes and
    /// the error says why when the rules of a supervisor do not allow it. Returns the record's id.
    async fn release(&self, release: Release, by: By) -> Result<RecordId, TownError>;
    /// Declines a held save; its phone keeps it with these words.
    async fn refuse_held(
        &self,
        hold: HoldId,
        note: String,
        done: Attribution,
    ) -> Result<(), TownError>;
    /// Of these holds of an account: what became of those that no longer wait.
    async fn hold_news(
        &self,
        account: AccountId,
        holds: Vec<HoldId>,
    ) -> Result<Vec<HoldNews>, TownError>;

    /// What was recovered and waits, oldest first.
    async fn recovered(&self) -> Result<Vec<Recovered>, TownError>;
    /// Takes it by merging, all at once or these; returns how many.
    async fn take_recovered(
        &self,
        hashes: Option<Vec<[u8; 32]>>,
        done: Attribution,
    ) -> Result<u64, TownError>;
}
