//! A phone: its database, the marker outside it, and what it does with an answer. The records in it
//! live in the real `Local`; beside each stands its shadow.

use std::collections::BTreeMap;

use yaoguan_model::{Changes, Dot, Record, ReplicaId};
use yaoguan_sync::{Kept, Local};

use crate::events::Events;
use crate::history::{History, PATHS, State};
use crate::shadow::{Shadow, ShadowKept, ShadowUnsent};
use crate::wire::{Parcel, Reply, Request};

#[derive(Debug, Clone)]
pub struct Copy {
    pub local: Local,
    pub shadow: Shadow,
}

/// A save in quarantine; with a key while the town holds it too.
#[derive(Debug, Clone)]
pub struct Quarantined {
    pub index: usize,
    pub kept: Kept,
    pub shadow: ShadowKept,
    pub hold: Option<u64>,
}

/// The push chain's end at the phone.
#[derive(Debug, Clone, Default)]
pub struct Chain {
    pub acked: Option<u64>,
    pub attempts: Vec<u64>,
    pub wrote: bool,
}

/// What one transaction changes as a whole, and a backup copies.
#[derive(Debug, Clone)]
pub struct Database {
    /// This installation, as the marker outside knows it.
    pub install: u64,
    pub replica: ReplicaId,
    pub line: u32,
    pub counter: u64,
    pub copies: BTreeMap<usize, Copy>,
    pub quarantine: Vec<Quarantined>,
    pub chain: Chain,
    pub epoch: u32,
    pub cursor: u64,
    /// Something has left this phone since its cursor was 0.
    pub evicted: bool,
    pub forms: Vec<Form>,
    /// Finished records that were given up: the hash that is left of each.
    pub stubs: BTreeMap<usize, [u8; 32]>,
    /// Records to compare with the town before all is well again.
    pub unreconciled: Vec<usize>,
    /// Brought back from a backup with unsent saves; nothing is sent until that is settled.
    pub returned: Option<Returned>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returned {
    Asking { former: ReplicaId, last_push: u64 },
    Known,
}

/// What lies outside the data folder and every backup.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    pub install: u64,
    /// The highest counter ever sent.
    pub counter: u64,
    /// The token of the last attempt to push.
    pub last_push: u64,
}

/// A form that a person has open; its draft is kept in the database.
#[derive(Debug, Clone)]
pub struct Form {
    pub index: usize,
    pub view: Record,
    /// The same for the oracle: all that was known, and the siblings of each path.
    pub known: State,
    pub shown: [Events; PATHS],
    /// Something was pulled or answered since.
    pub stale: bool,
}

/// A round trip under way.
#[derive(Debug, Clone)]
pub struct Trip {
    pub request: Request,
    pub reply: Option<Reply>,
}

#[derive(Debug, Clone)]
pub struct Phone {
    pub account: u8,
    pub db: Database,
    pub marker: Option<Mark>,
    pub backups: Vec<Database>,
    pub trip: Option<Trip>,
    /// An older client knows fewer paths and writes only those.
    pub paths: usize,
}

impl Database {
    pub fn new(replica: ReplicaId, line: u32, install: u64) -> Self {
        Self {
            install,
            replica,
            line,
            counter: 0,
            copies: BTreeMap::new(),
            quarantine: Vec::new(),
            chain: Chain::default(),
            epoch: 0,
            cursor: 0,
            evicted: false,
            forms: Vec::new(),
            stubs: BTreeMap::new(),
            unreconciled: Vec::new(),
            returned: None,
        }
    }

    /// The one commit counter.
    pub fn dot(&mut self) -> Dot {
        self.counter += 1;
        self.chain.wrote = true;
        Dot::new(self.replica, self.counter)
    }

    /// A new line of writes; its push chain starts anew.
    pub fn renew(&mut self, (replica, line): (ReplicaId, u32)) {
        (self.replica, self.line) = (replica, line);
        self.chain = Chain { wrote: true, ..Chain::default() };
    }

    /// All unsent changes again on their base, under the present replica id.
    pub fn rebase(&mut self, history: &mut History, drafts_too: bool) {
        if drafts_too {
            self.narrow_drafts();
        }
        let line = self.line;
        let (replica, mut counter) = (self.replica, self.counter);
        for copy in self.copies.values_mut() {
            copy.local = copy.local.rebased(|| {
                counter += 1;
                Dot::new(replica, counter)
            });
            copy.shadow = copy.shadow.rebased(history, line);
        }
        self.counter = counter;
        self.compare_anew();
        self.returned = None;
    }

    /// Every record is to be compared with the town's, from the beginning of the feed.
    pub fn compare_anew(&mut self) {
        self.unreconciled = self.copies.keys().copied().collect();
        self.cursor = 0;
    }

    /// Drafts let go of what they had in view of own unconfirmed saves.
    fn narrow_drafts(&mut self) {
        self.forms.retain(|form| self.copies.contains_key(&form.index));
        for form in &mut self.forms {
            let copy = &self.copies[&form.index];
            form.view = copy.local.confirmed_view(&form.view);
            if let Some(unsent) = copy.shadow.unsent {
                let base = unsent.base.unwrap_or_default().known;
                form.known.known = form.known.known.and(&base);
                form.shown.iter_mut().for_each(|path| *path = path.and(&base));
            }
        }
    }

    /// `blind`: the fault that a stub hides whatever comes.
    pub fn pull(&mut self, parcel: &Parcel, blind: bool) -> Result<(), String> {
        let Some(copy) = self.copies.get_mut(&parcel.index) else {
            let stub = self.stubs.get(&parcel.index);
            if stub.is_some_and(|stub| blind || *stub == hash_of(&parcel.record)) {
                return Ok(());
            }
            self.stubs.remove(&parcel.index);
            let local = Local::confirmed(parcel.record.clone());
            let copy = Copy { local, shadow: Shadow::confirmed(parcel.state) };
            self.copies.insert(parcel.index, copy);
            return Ok(());
        };
        let alarm = copy.local.pulled(&parcel.record).map_err(|error| error.to_string())?;
        copy.shadow.pulled(&parcel.state);
        match alarm {
            Some(alarm) => Err(format!("alarm while pulling: {alarm:?}")),
            None => Ok(()),
        }
    }

    /// Undoes a push of one record; what comes of it goes into quarantine.
    pub fn put_back(
        &mut self,
        history: &mut History,
        parcel: (usize, &yaoguan_model::VersionVector, &State),
        hold: Option<u64>,
    ) -> Result<(), String> {
        let (index, context, state) = parcel;
        let Some(copy) = self.copies.remove(&index) else { return Ok(()) };
        let (local, kept) = copy.local.put_back(context, || self.dot());
        let (shadow, shadow_kept) = copy.shadow.put_back(history, state, self.line);
        match (local, shadow) {
            (Some(local), Some(shadow)) => {
                self.copies.insert(index, Copy { local, shadow });
            }
            (None, None) => {}
            (local, _) => return Err(format!("put back leaves a record: {}", local.is_some())),
        }
        let (Some(kept), Some(shadow)) = (&kept, &shadow_kept) else {
            return match kept.is_some() == shadow_kept.is_some() {
                true => Ok(()),
                false => Err("one side has quarantined, the other not".to_owned()),
            };
        };
        crate::check::changes(history, &kept.changes, &shadow.diff)?;
        // A hold covers what was sent. What was written meanwhile stays here in any case.
        let hold = hold.filter(|_| !shadow.entangled);
        if !kept.changes.is_empty() {
            self.quarantine.push(Quarantined { index, kept: kept.clone(), shadow: *shadow, hold });
        }
        Ok(())
    }

    /// A quarantined save is put again.
    pub fn mend(&mut self, history: &mut History, at: usize) {
        let Quarantined { index, kept, shadow, .. } = self.quarantine[at].clone();
        let changes: &Changes = &kept.changes;
        let line = self.line;
        if let Some(mut copy) = self.copies.remove(&index) {
            copy.local.put_again(changes, || self.dot());
            copy.shadow.put_again(history, &shadow.diff, &shadow.accounted, line);
            self.copies.insert(index, copy);
        } else {
            let mut record = kept.about.clone();
            changes.put_on(&mut record, || self.dot());
            let mut state = State::default();
            history.put_again(&mut state, &shadow.diff, &shadow.accounted, line);
            let local = Local { record, unsent: Some(yaoguan_sync::Unsent::default()) };
            let shadow = Shadow { record: state, unsent: Some(ShadowUnsent::default()) };
            self.copies.insert(index, Copy { local, shadow });
        }
        self.quarantine.remove(at);
    }
}

pub fn hash_of(record: &Record) -> [u8; 32] {
    yaoguan_model::canonical::hash(&yaoguan_model::canonical::encode(record))
}
