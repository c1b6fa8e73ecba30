//! How the syncing of this phone stands, and what the town did not take.

use std::collections::BTreeMap;

use serde::Serialize;
use yaoguan_model::changes::PathChange;
use yaoguan_model::{FieldPath, Kind, RecordId, Value};

use crate::error::FieldError;
use crate::phone::Phone;

/// A save that the town did not take.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, export_to = "field.ts"))]
pub struct Rejection {
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub number: i64,
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub record: RecordId,
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub kind: Kind,
    /// As the town gave it; see docs/SYNC.md, *Errors*.
    pub code: String,
    pub detail: String,
    /// The town keeps it too, until a supervisor decides.
    pub held: bool,
    /// Seconds, by the town's clock.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub at: i64,
    /// What was written and not taken.
    #[cfg_attr(feature = "ts", ts(type = "Record<string, unknown>"))]
    pub values: BTreeMap<FieldPath, Value>,
}

/// The health of syncing.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, export_to = "field.ts"))]
pub struct Health {
    pub town: String,
    pub town_name: String,
    /// Seconds, by the town's clock.
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub last_contact: Option<i64>,
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub waiting: u64,
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub waiting_bytes: u64,
    /// Photos and tracks that go with the next sync, and their bytes.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub files: u64,
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub file_bytes: u64,
    /// When the new record that waits longest was made, in seconds of the phone's clock.
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub oldest_waiting: Option<i64>,
    /// The phone's clock minus the town's, in seconds.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub clock_off_s: i64,
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub conflicts: u64,
    pub rejections: Vec<Rejection>,
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub alarms: u64,
}

impl Phone {
    pub fn health(&self) -> Result<Health, FieldError> {
        let identity = self.identity()?;
        let (state, counts) = (self.store.state()?, self.store.counts()?);
        let (files, file_bytes) = self.files_waiting()?;
        Ok(Health {
            files,
            file_bytes,
            town: identity.town,
            town_name: identity.town_name,
            last_contact: state.last_contact_s,
            waiting: counts.pending,
            waiting_bytes: self.store.waiting_bytes()?,
            oldest_waiting: self.oldest_waiting()?,
            clock_off_s: -state.clock_offset_s,
            conflicts: counts.siblings,
            rejections: self.rejections(None)?,
            alarms: counts.alarms,
        })
    }

    /// When the new record that waits longest was made, in seconds of the phone's clock.
    pub(crate) fn oldest_waiting(&self) -> Result<Option<i64>, FieldError> {
        let oldest = self.store.oldest_new()?;
        let recorded = |record: yaoguan_model::Record| {
            record.shown("recorded_at").and_then(|v| v.get("at")).and_then(Value::as_int)
        };
        Ok(oldest.and_then(recorded))
    }

    /// What the town did not take; of one record or of all.
    pub(crate) fn rejections(&self, of: Option<RecordId>) -> Result<Vec<Rejection>, FieldError> {
        let entries = self.quarantined()?.into_iter();
        let entries = entries.filter(|entry| of.is_none_or(|id| entry.save.kept.about.id == id));
        let rejection = |entry: yaoguan_store::QuarantineEntry| {
            let save = entry.save;
            let values = save.kept.changes.paths;
            Rejection {
                number: entry.number,
                record: save.kept.about.id,
                kind: save.kept.about.kind,
                code: save.code.as_str().to_owned(),
                detail: save.detail,
                held: save.hold.is_some(),
                at: save.at,
                values: values.into_iter().filter_map(written).collect(),
            }
        };
        Ok(entries.map(rejection).collect())
    }
}

/// The value that a save gave to a path; none for a removal.
fn written((path, change): (FieldPath, PathChange)) -> Option<(FieldPath, Value)> {
    Some((path, change.added.into_iter().last()?.value))
}
