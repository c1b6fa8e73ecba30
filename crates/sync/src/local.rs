//! One record as a phone keeps it, and every way in which it may change. Pure.
//!
//! `record` is what the person sees. While it holds saves that the town has not confirmed, `unsent`
//! keeps the last confirmed state (`base`) and, while a push is under way, the state as sent. Pulls merge
//! into both, so that the difference between base and record is always exactly the own changes.

use std::collections::BTreeMap;

use yaoguan_model::faults::{Fault, is_broken};
use yaoguan_model::merge::NotTheSame;
use yaoguan_model::{Alarm, Change, Changes, Dot, FieldPath, Record, VersionVector, merge};

/// A record of the phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Local {
    pub record: Record,
    pub unsent: Option<Unsent>,
}

/// What is known of the town's state while own saves wait.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unsent {
    /// The last confirmed state; none for a record that the town never confirmed.
    pub base: Option<Record>,
    /// The state as sent, while its push is unanswered.
    pub sent: Option<Record>,
    /// The town keeps exactly this state as recovered: it goes out again when something changes, and once a day.
    pub parked: bool,
}

impl Unsent {
    /// What is known once a save begins on a confirmed record.
    pub fn on(base: Record) -> Self {
        Self { base: Some(base), sent: None, parked: false }
    }
}

/// A refused or held save: its changes, never a whole record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Id, kind and author of the record; without fields.
    pub about: Record,
    pub changes: Changes,
    /// It also holds saves that were made after what was sent, and had replaced it.
    pub beyond_sent: bool,
}

impl Local {
    /// A confirmed record.
    pub fn confirmed(record: Record) -> Self {
        Self { record, unsent: None }
    }

    /// A new record by its first save.
    pub fn created(mut blank: Record, changes: &BTreeMap<FieldPath, Change>, dot: Dot) -> Self {
        blank.put(changes, dot);
        Self { record: blank, unsent: Some(Unsent::default()) }
    }

    /// A save on a record that is there. `changes` name the dots that the person had in view.
    pub fn save(&mut self, changes: &BTreeMap<FieldPath, Change>, dot: Dot) {
        if self.unsent.is_none() {
            self.unsent = Some(Unsent::on(self.record.clone()));
        }
        self.unpark();
        self.record.put(changes, dot);
    }

    /// The record goes out in a push.
    pub fn send(&mut self) -> &Record {
        let record = &self.record;
        if let Some(unsent) = &mut self.unsent {
            unsent.sent = Some(record.clone());
        }
        record
    }

    /// The town took the state as sent: it becomes the base. A verdict on another state is ignored.
    pub fn taken(&mut self, context: &VersionVector) {
        let Some(unsent) = &mut self.unsent else { return };
        if is_broken(Fault::SentById) {
            self.unsent = None;
            return;
        }
        if unsent.sent.as_ref().is_some_and(|sent| sent.context == *context) {
            unsent.base = unsent.sent.take();
            self.settle();
        }
    }

    /// The town refused or held the state as sent: its changes are kept apart and the record goes back
    /// to the base. Saves made since are put again on it under fresh dots, or stay with the kept ones if
    /// they replaced their dots. `None` is left when there is no base to go back to.
    ///
    /// From here on this phone writes under a new replica id: `next_dot` draws from it, and so does every
    /// later save, also when nothing is put again. The base does not cover the dots set aside, but a
    /// further dot of their own replica would; it would remove them wherever they are: at a town that
    /// took them from an unanswered push, in a clone or a restored backup that still holds them unsent.
    /// The other unsent records are then [`Local::rebased`]: no unsent save outlives its replica id.
    pub fn put_back(
        self,
        context: &VersionVector,
        next_dot: impl FnMut() -> Dot,
    ) -> (Option<Self>, Option<Kept>) {
        let about = Record::new(self.record.id, self.record.kind.clone(), self.record.created_by);
        let Some(Unsent { base, sent: Some(sent), .. }) = self.unsent.clone() else {
            return (Some(self), None);
        };
        if sent.context != *context {
            return (Some(self), None);
        }
        let first = Changes::between(base.as_ref(), &sent);
        let later = Changes::between(Some(&sent), &self.record);
        let Some(base) = base else {
            let beyond_sent = !later.is_empty();
            return (None, Some(Kept { about, changes: first.then(later), beyond_sent }));
        };
        let (free, entangled) = later.split(&first);
        let mut local = Self::confirmed(base);
        local.put_again(&free, next_dot);
        let beyond_sent = !entangled.is_empty();
        (Some(local), Some(Kept { about, changes: first.then(entangled), beyond_sent }))
    }

    /// The town keeps the state as sent until an administrator takes it.
    pub fn recovered(&mut self, context: &VersionVector) {
        let Some(unsent) = &mut self.unsent else { return };
        if unsent.sent.as_ref().is_some_and(|sent| sent.context == *context) {
            unsent.parked = self.record.context == *context;
            unsent.sent = None;
        }
    }

    pub(crate) fn unpark(&mut self) {
        if let Some(unsent) = &mut self.unsent {
            unsent.parked = false;
        }
    }

    /// What the town or another phone wrote arrives.
    pub fn pulled(&mut self, incoming: &Record) -> Result<Option<Alarm>, NotTheSame> {
        let merged = merge(&self.record, incoming)?;
        self.record = merged.record;
        self.unpark();
        if let Some(unsent) = &mut self.unsent {
            unsent.base = Some(match &unsent.base {
                Some(base) => merge(base, incoming)?.record,
                None => incoming.clone(),
            });
        }
        self.settle();
        Ok(merged.alarm)
    }

    /// This replica may have a twin (the town said so, or the marker at start, or a new epoch has voided
    /// the push chains): the own changes are written again on the base under a new replica id.
    pub fn rebased(&self, next_dot: impl FnMut() -> Dot) -> Self {
        let Some(unsent) = &self.unsent else { return self.clone() };
        let changes = Changes::between(unsent.base.as_ref(), &self.record);
        match &unsent.base {
            Some(base) => {
                let mut local = Self::confirmed(base.clone());
                local.put_again(&changes, next_dot);
                local
            }
            None => {
                let old = &self.record;
                let mut record = Record::new(old.id, old.kind.clone(), old.created_by);
                changes.put_on(&mut record, next_dot);
                Self { record, unsent: Some(Unsent::default()) }
            }
        }
    }

    /// What the town has confirmed of this record.
    pub fn confirmed_context(&self) -> VersionVector {
        let base = |unsent: &Unsent| unsent.base.as_ref().map(|base| base.context.clone());
        match &self.unsent {
            Some(unsent) => base(unsent).unwrap_or_default(),
            None => self.record.context.clone(),
        }
    }

    /// A form or draft that was open while this record was rebased: its view without the unconfirmed own
    /// saves. To be asked before [`Local::rebased`]. Their old dots may from now on stand for writes of
    /// the twin, and a save that named them in `replaces` would remove what nobody here has seen.
    pub fn confirmed_view(&self, in_view: &Record) -> Record {
        if self.unsent.is_none() {
            return in_view.clone();
        }
        let confirmed = self.confirmed_context();
        let mut view = in_view.clone();
        view.context = in_view
            .context
            .iter()
            .map(|dot| Dot::new(dot.replica, dot.counter.min(confirmed.get(dot.replica))))
            .collect();
        view.fields.retain(|_, siblings| {
            siblings.retain(|sibling| confirmed.covers_dot(sibling.dot));
            !siblings.is_empty()
        });
        view
    }

    /// Writes changes (rebased, mended, resent) on the record under fresh dots.
    pub fn put_again(&mut self, changes: &Changes, next_dot: impl FnMut() -> Dot) {
        if changes.is_empty() {
            return;
        }
        if self.unsent.is_none() {
            self.unsent = Some(Unsent::on(self.record.clone()));
        }
        self.unpark();
        changes.put_on(&mut self.record, next_dot);
    }

    /// Nothing is unsent once the base covers all that was written.
    fn settle(&mut self) {
        let covered = |unsent: &Unsent| {
            unsent.base.as_ref().is_some_and(|base| base.context.covers(&self.record.context))
        };
        if self.unsent.as_ref().is_some_and(covered) {
            self.unsent = None;
        }
    }
}
