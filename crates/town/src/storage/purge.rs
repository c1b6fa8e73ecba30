//! Purging at the end of retention, and erasure of a household (privacy.md, *Retention*, *Rights*).

use std::collections::BTreeMap;

use async_trait::async_trait;
use yaoguan_model::RecordId;
use yaoguan_model::retention::TOWN_KEEPS_S;

use crate::audit::Attribution;
use crate::days::DAY_S;
use crate::error::TownError;
use crate::storage::Storage;

/// Where a run of purging goes on: town's time of the last change, then the id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct After(pub i64, pub RecordId);

/// What one step of a run did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purged {
    /// Kind → how many went.
    pub counts: BTreeMap<String, u64>,
    /// More may be due after this.
    pub next: Option<After>,
}

/// What became of an erasure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Erasure {
    /// Kind → how many went.
    Done(BTreeMap<String, u64>),
    /// There is no such household.
    NotFound,
    /// These cases are open: they are closed first, or erased with it on purpose.
    Open(Vec<RecordId>),
    /// Held or recovered saves of these wait for a decision.
    Undecided(Vec<RecordId>),
}

/// What is finished is kept this many days at most (privacy.md: records 2 years), which holds unless an
/// administrator sets fewer.
pub const MAX_KEEPS_DAYS: i64 = TOWN_KEEPS_S / DAY_S;
/// And at least this many: a year's figures stand on it.
pub const MIN_KEEPS_DAYS: i64 = 365;

/// Each method is one transaction.
#[async_trait]
pub trait Purging: Send + Sync {
    /// Days that finished records are kept.
    async fn keeps_days(&self) -> Result<i64, TownError>;
    /// Sets them, within [`MIN_KEEPS_DAYS`] and [`MAX_KEEPS_DAYS`].
    async fn set_keeps_days(&self, days: i64, done: Attribution) -> Result<(), TownError>;
    /// What [`Self::purge_due`] would do if finished records were kept so many days; nothing goes.
    async fn due(&self, days: i64, after: Option<After>, now: i64) -> Result<Purged, TownError>;
    /// Purges what is due among the next candidates; `now` is the town's time in seconds.
    async fn purge_due(&self, after: Option<After>, now: i64) -> Result<Purged, TownError>;
    /// Erases a household, its checks, and the cases that name it.
    async fn erase(
        &self,
        household: RecordId,
        with_open: bool,
        done: Attribution,
    ) -> Result<Erasure, TownError>;
    /// Kind → how many were purged, ever.
    async fn purged_counts(&self) -> Result<BTreeMap<String, u64>, TownError>;
}

/// Kind → how many the next purge would take, if finished records were kept so many days.
pub async fn due_all(
    storage: &dyn Storage,
    days: i64,
    now: i64,
) -> Result<BTreeMap<String, u64>, TownError> {
    let mut counts = BTreeMap::new();
    let mut after = None;
    loop {
        let step = storage.due(days, after, now).await?;
        for (kind, count) in step.counts {
            *counts.entry(kind).or_default() += count;
        }
        if step.next.is_none() {
            return Ok(counts);
        }
        after = step.next;
    }
}

/// Purges everything that is due, step by step, so that phones can sync in between.
pub async fn purge_all(
    storage: &dyn Purging,
    now: i64,
) -> Result<BTreeMap<String, u64>, TownError> {
    let mut counts = BTreeMap::new();
    let mut after = None;
    loop {
        let step = storage.purge_due(after, now).await?;
        for (kind, count) in step.counts {
            *counts.entry(kind).or_default() += count;
        }
        if step.next.is_none() {
            return Ok(counts);
        }
        after = step.next;
    }
}
