//! Saves that the town did not take: shown with their reason, mended, sent again, or thrown away.

use yaoguan_model::authorise::{Difference, Ground, authorise};
use yaoguan_model::{Changes, Dot, Record, ReplicaId, canonical, schema};
use yaoguan_store::QuarantineEntry;
use yaoguan_sync::{Kept, Tx as _, put_again};
use yaoguan_wire::ErrorCode as Reason;

use crate::edit::{Changed, Edit};
use crate::error::FieldError;
use crate::phone::Phone;

impl Phone {
    /// Everything in quarantine, oldest first.
    pub fn quarantined(&self) -> Result<Vec<QuarantineEntry>, FieldError> {
        Ok(self.store.quarantined()?)
    }

    /// One entry of it.
    pub fn quarantine_entry(&self, number: i64) -> Result<QuarantineEntry, FieldError> {
        let found = self.quarantined()?.into_iter().find(|entry| entry.number == number);
        found.ok_or_else(|| FieldError::NotFound(number.to_string()))
    }

    /// Puts a save on the record as it is now, with these values in place of its own; an empty edit
    /// sends it again as it was. It stays in quarantine when the rules still do not allow it.
    pub fn mend(&mut self, number: i64, edit: &Edit) -> Result<Changed, FieldError> {
        let entry = self.quarantine_entry(number)?;
        if entry.save.hold.is_some() {
            return Err(FieldError::HeldByTown);
        }
        let mut about = entry.save.kept.about;
        let gone =
            self.store.get(about.id)?.is_none() && !creates(&about, &entry.save.kept.changes);
        if gone || entry.save.code == Reason::Purged {
            // The record is purged, or out of reach: what was written on it becomes a new one.
            about = Record::new(self.env.new_record_id(), about.kind, self.identity()?.account);
        }
        let changes = entry.save.kept.changes.mended(edit);
        self.check_mended(&about, &changes)?;
        let changed = Changed { kind: about.kind.clone(), ids: vec![about.id] };
        let kept = Kept { about, changes, beyond_sent: false };
        self.transact(|tx| {
            tx.take_quarantined(number)?;
            let mut state = tx.state()?;
            put_again(tx, &mut state, &kept)?;
            Ok::<_, FieldError>(tx.set_state(&state)?)
        })?;
        Ok(changed)
    }

    /// Throws a save away. Of a held one only this copy: the town keeps its own.
    pub fn discard(&mut self, number: i64) -> Result<Changed, FieldError> {
        let about = self.quarantine_entry(number)?.save.kept.about;
        self.transact(|tx| Ok::<_, FieldError>(tx.take_quarantined(number)?))?;
        Ok(Changed { kind: about.kind, ids: vec![about.id] })
    }

    /// What the town would check.
    fn check_mended(&self, about: &Record, changes: &Changes) -> Result<(), FieldError> {
        let before = self.store.get(about.id)?.map(|stored| stored.record);
        if before.is_none() && about.created_by != self.identity()?.account {
            return Err(FieldError::NotFound(about.id.to_string()));
        }
        let mut trial = before.clone().unwrap_or_else(|| about.clone());
        let mut counter = 0;
        changes.put_on(&mut trial, || {
            counter += 1;
            Dot::new(ReplicaId([u8::MAX; 16]), counter)
        });
        let around_before =
            before.as_ref().map(|b| self.around(b)).transpose()?.unwrap_or_default();
        let (around_after, town_grids) = (self.around(&trial)?, self.town_grids()?);
        let ground =
            Ground { town_grids: &town_grids, before: &around_before, after: &around_after };
        let difference = Difference { before: before.as_ref(), incoming: &trial, after: &trial };
        authorise(difference, &self.actor()?, ground)?;
        Ok(schema::check_limits(&trial, canonical::encode(&trial).len())?)
    }
}

/// Whether a save is the first of its record: it writes all that a record must have.
fn creates(about: &Record, changes: &Changes) -> bool {
    let Some(spec) = about.kind.spec() else { return true };
    let written = |path: &str| changes.paths.get(path).is_some_and(|c| !c.added.is_empty());
    spec.paths.iter().filter(|line| line.required).all(|line| written(line.path))
}
