//! The town's storage: one trait, and one contract suite that every implementation passes.
//!
//! Order inside a transaction, on every engine: insert missing record rows, lock all rows sorted by id,
//! draw the dot if the town writes, merge, write, feed rows last with positions from the one counter row.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use yaoguan_model::cells::Cell;
use yaoguan_model::{
    AccountId, Change, DeviceId, Env, FieldPath, GridCode, Kind, Record, RecordId, ReplicaId,
};
use yaoguan_wire::{Epoch, Judgement, PushToken};

use crate::audit::Attribution;
use crate::error::TownError;
use crate::people::{Account, Device, Enrolment, NewDevice, NewInvite, NewPerson, Seen};
use crate::pull;
use crate::push::Pusher;

pub mod audit;
pub mod blobs;
mod database;
pub mod desk;
pub mod exports;
pub mod features;
pub mod figures;
pub mod held;
pub mod notices;
pub mod people;
pub mod postgres;
pub mod purge;
pub mod saved_views;
pub mod scope;
pub mod sessions;
pub mod sign_in;
#[doc(hidden)]
pub mod sql;
pub mod sqlite;
pub mod standing;
pub mod tiles;
pub mod tokens;

pub use audit::{AuditAsk, AuditLog};
pub use database::Database;
pub use desk::Desk;
pub use exports::Exports;
pub use features::Features;
pub use figures::Facts;
pub use held::{Apart, Held, HeldRow, HeldView, Reader, Recovered, Release};
pub use notices::Notices;
pub use people::People;
pub use purge::{Erasure, Purging, purge_all};
pub use saved_views::SavedViews;
pub use scope::Scopes;
pub use sessions::Sessions;
pub use sign_in::SignIns;
pub use standing::{Standing, Stands};
pub use tiles::Maps;
pub use tokens::Tokens;

/// What a town is.
#[derive(Debug, Clone)]
pub struct TownInfo {
    pub name: String,
    pub epoch: Epoch,
    pub replica: ReplicaId,
    /// The feed's last position.
    pub head: u64,
    pub cursor_secret: Vec<u8>,
    pub demo: bool,
    /// Where phones reach the town; empty before it first served.
    pub address: String,
    /// Phones meet the town's own certificate; false behind a proxy.
    pub own_tls: bool,
}

/// A push of one replica.
#[derive(Debug, Clone)]
pub struct Batch {
    pub pusher: Pusher,
    pub device: DeviceId,
    /// The push chain: tokens that the phone knows, and the one of this push.
    pub tokens: Vec<PushToken>,
    pub next: Option<PushToken>,
    pub records: Vec<Record>,
    /// The town's clock, in seconds.
    pub now: i64,
}

/// What became of a push.
#[derive(Debug, Clone)]
pub enum Pushed {
    /// One verdict for each record, in the order of the batch.
    Done(Vec<Outcome>),
    /// The chain does not fit: another phone writes under this replica id. Nothing was merged.
    Forked,
}

/// The verdict on one record.
#[derive(Debug, Clone)]
pub struct Outcome {
    pub judgement: Judgement,
    /// The town's state is exactly what was pushed.
    pub as_pushed: bool,
}

/// A write of the town itself.
#[derive(Debug, Clone)]
pub struct OwnWrite {
    pub id: RecordId,
    pub kind: Kind,
    pub author: AccountId,
    pub changes: BTreeMap<FieldPath, Change>,
}

/// One thing that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// `integrity`, `hash`, `record`, `coverage`, `dot`, `feed`, `head`, `grid`, `check`, `purged`,
    /// `blob`.
    pub sort: &'static str,
    pub record: Option<RecordId>,
    pub detail: String,
}

/// What `verify` read.
#[derive(Debug, Clone, Default)]
pub struct Verified {
    pub records: u64,
    pub findings: Vec<Finding>,
}

/// How the town stands, for `/readyz`.
#[derive(Debug, Clone)]
pub struct Health {
    /// A write was committed just now.
    pub writable: bool,
    /// The counter row and the feed agree.
    pub feed_moves: bool,
}

/// The town's storage. Every method is one transaction.
#[async_trait]
pub trait Storage:
    Apart
    + AuditLog
    + blobs::Blobs
    + Desk
    + Exports
    + Features
    + Facts
    + Maps
    + Notices
    + People
    + Purging
    + SavedViews
    + Scopes
    + Sessions
    + SignIns
    + Stands
    + Tokens
    + Send
    + Sync
{
    async fn info(&self) -> Result<TownInfo, TownError>;
    /// The line of history changed underneath: a new epoch, replica id and cursor secret.
    async fn renew(&self, env: &dyn Env) -> Result<(), TownError>;
    /// Notes where phones reach the town, and whose certificate they meet there.
    async fn set_address(&self, address: String, own_tls: bool) -> Result<(), TownError>;
    async fn secret(&self, name: &'static str) -> Result<Option<String>, TownError>;
    async fn set_secret(&self, name: &'static str, value: String) -> Result<(), TownError>;

    /// Accounts that the town adds by itself.
    async fn add_accounts(&self, accounts: Vec<Account>, now: i64) -> Result<(), TownError> {
        let new = accounts.into_iter().map(|account| NewPerson { account, login: None }).collect();
        self.write_people(new, Vec::new(), Attribution::town(now)).await?;
        Ok(())
    }
    /// An invite that the town makes by itself.
    async fn add_invite(&self, invite: NewInvite, now: i64) -> Result<(), TownError> {
        self.add_invites(vec![invite], Attribution::town(now)).await
    }
    async fn accounts(&self) -> Result<Vec<Account>, TownError>;
    /// Uses an invite up and enrols the device, as one.
    async fn enrol(
        &self,
        code_hash: [u8; 32],
        device: NewDevice,
        now: i64,
    ) -> Result<Enrolment, TownError>;
    async fn device(&self, id: DeviceId) -> Result<Option<Device>, TownError>;
    /// Notes that a device was here.
    async fn saw_device(&self, id: DeviceId, seen: Seen) -> Result<(), TownError>;

    async fn grids(&self) -> Result<BTreeSet<GridCode>, TownError>;
    /// Checks the push chain, judges and merges every record, advances chain and feed.
    async fn push(&self, batch: Batch) -> Result<Pushed, TownError>;
    /// The same for several pushes in their order, as one.
    async fn push_all(&self, batches: Vec<Batch>) -> Result<Vec<Pushed>, TownError>;
    async fn pull(&self, ask: pull::Ask) -> Result<pull::Page, TownError>;
    /// Records of a kind within a reader's cells, in the order of their ids, after one of them.
    async fn readable(
        &self,
        cells: Vec<Cell>,
        kind: Kind,
        after: Option<RecordId>,
        limit: u32,
    ) -> Result<Vec<Record>, TownError>;
    /// Writes as the town's own replica.
    async fn write_own(&self, writes: Vec<OwnWrite>, done: Attribution) -> Result<(), TownError>;
    /// Records of a kind, in the order of their ids.
    async fn records(&self, kind: Kind) -> Result<Vec<Record>, TownError>;
    async fn counts(&self) -> Result<BTreeMap<String, u64>, TownError>;

    async fn health(&self, now: i64) -> Result<Health, TownError>;
    async fn verify(&self) -> Result<Verified, TownError>;
}
