//! What is shown of records and of the phone itself.

use std::collections::BTreeMap;

use serde::Serialize;
use yaoguan_model::deletion::{self, Deletion};
use yaoguan_model::{AccountId, FieldPath, Kind, Record, RecordId, ReplicaId, Value, canonical};
use yaoguan_store::salvage::Salvaged;
use yaoguan_store::verify::Finding;
use yaoguan_store::{Filter, Page, Stored};

use crate::error::FieldError;
use crate::phone::Phone;

/// A record as programs read it.
#[derive(Debug, Clone, Serialize)]
pub struct Shown {
    pub id: RecordId,
    pub kind: Kind,
    pub created_by: AccountId,
    /// `sent` or `unsent`.
    pub state: &'static str,
    /// `live`, `deleted`, `contested`.
    pub deletion: &'static str,
    pub context: BTreeMap<ReplicaId, u64>,
    /// The same wherever the same record is.
    pub hash: String,
    /// The value shown of each path.
    pub fields: BTreeMap<FieldPath, Value>,
    /// Paths with several different values, and all of them.
    pub siblings: BTreeMap<FieldPath, Vec<SiblingShown>>,
}

/// One of several values.
#[derive(Debug, Clone, Serialize)]
pub struct SiblingShown {
    pub value: Value,
    pub replica: ReplicaId,
    pub counter: u64,
}

impl Shown {
    pub fn of(stored: &Stored) -> Self {
        let record = &stored.record;
        let shown = |path: &FieldPath| Some((path.clone(), record.shown(path.as_str())?.clone()));
        let siblings = |path: &FieldPath| {
            let list = record.siblings(path.as_str()).iter().map(|s| SiblingShown {
                value: s.value.clone(),
                replica: s.dot.replica,
                counter: s.dot.counter,
            });
            (path.clone(), list.collect())
        };
        Self {
            id: record.id,
            kind: record.kind.clone(),
            created_by: record.created_by,
            state: if stored.unsent { "unsent" } else { "sent" },
            deletion: deletion_word(record),
            context: record.context.iter().map(|dot| (dot.replica, dot.counter)).collect(),
            hash: canonical::fingerprint(record),
            fields: record.fields.keys().filter_map(shown).collect(),
            siblings: record.conflicts().map(siblings).collect(),
        }
    }
}

fn deletion_word(record: &Record) -> &'static str {
    match deletion::state(record) {
        Deletion::Live => "live",
        Deletion::Deleted => "deleted",
        Deletion::Contested => "contested",
    }
}

/// How the phone stands.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    pub replica: ReplicaId,
    pub town: String,
    pub name: String,
    pub role: &'static str,
    pub grids: Vec<yaoguan_model::GridCode>,
    /// Records with unsent saves.
    pub pending: u64,
    pub quarantined: u64,
    /// Records that a person has to settle.
    pub siblings: u64,
    /// Broken invariants that were seen; 0 on every sound phone.
    pub alarms: u64,
    pub drafts: u64,
    /// Photos and tracks that go with the next sync.
    pub files: u64,
    /// Finished records that were given up and still count when phone and town compare.
    pub stubs: u64,
    /// Broken stores that this one was saved from, oldest first.
    pub salvaged: Vec<Salvaged>,
    pub records: BTreeMap<String, u64>,
    /// By the town's clock, in seconds; none before the first sync.
    pub last_contact: Option<i64>,
    /// The phone's clock minus the town's, in seconds.
    pub clock_off_s: i64,
}

impl Phone {
    pub fn show(&self, id: RecordId) -> Result<Shown, FieldError> {
        let stored = self.store.get(id)?;
        stored.as_ref().map(Shown::of).ok_or_else(|| FieldError::NotFound(id.to_string()))
    }

    pub fn list(&self, kind: &Kind, filter: &Filter, page: Page) -> Result<Vec<Shown>, FieldError> {
        Ok(self.store.list(kind, filter, page)?.iter().map(Shown::of).collect())
    }

    /// Records whose text holds every word.
    pub fn search(
        &self,
        words: &str,
        kind: Option<&Kind>,
        limit: u32,
    ) -> Result<Vec<Shown>, FieldError> {
        Ok(self.store.search(words, kind, limit)?.iter().map(Shown::of).collect())
    }

    pub fn status(&self) -> Result<Status, FieldError> {
        let identity = self.identity()?;
        let (state, counts) = (self.store.state()?, self.store.counts()?);
        Ok(Status {
            replica: state.replica,
            town: identity.town,
            name: identity.name,
            role: identity.role.as_str(),
            grids: identity.grids,
            pending: counts.pending,
            quarantined: counts.quarantined,
            siblings: counts.siblings,
            alarms: counts.alarms,
            drafts: self.store.drafts()?.len() as u64,
            files: self.files_waiting()?.0,
            stubs: self.store.stubs()?,
            salvaged: self.store.salvages()?,
            records: counts.records,
            last_contact: state.last_contact_s,
            clock_off_s: self.clock_off_s()?,
        })
    }

    /// Everything that does not hold of the store; empty when all does.
    pub fn verify(&self) -> Result<Vec<Finding>, FieldError> {
        Ok(self.store.verify()?)
    }
}
