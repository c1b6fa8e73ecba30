//! Phones, one town and what lies between them; every step is one operation of a trace.

use yaoguan_model::{AccountId, Kind, Record, RecordId, ReplicaId};

use crate::check;
use crate::count::Counts;
use crate::events::Events;
use crate::history::History;
use crate::phone::{Database, Form, Mark, Phone};
use crate::prng::Prng;
use crate::town::Town;
use crate::wire::{Fault, Request};

/// What a step does. Its details are drawn from its own dice, so that a trace may lose other steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    Create,
    Open,
    Save,
    Delete,
    Undelete,
    Settle,
    Sync,
    Step,
    Late,
    Crash,
    Evict,
    GiveUp,
    Salvage,
    Refetch,
    Backup,
    Restore,
    Clone,
    Mend,
    TownOpen,
    TownSave,
    TownRelease,
    TownRecover,
    TownBackup,
    TownRestore,
}

#[derive(Debug, Clone, Copy)]
pub struct Operation {
    pub kind: Deed,
    pub phone: usize,
    pub dice: u64,
}

/// What is drawn once for a run.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    pub phones: usize,
    pub records: usize,
    pub strictness: usize,
    pub loss: usize,
    pub fault: Fault,
}

pub struct World {
    pub setting: Setting,
    pub history: History,
    pub phones: Vec<Phone>,
    pub town: Town,
    pub town_backup: Option<Town>,
    pub town_forms: Vec<Form>,
    pub delayed: Vec<Request>,
    pub counts: Counts,
    /// Events that must be accounted for somewhere; what only a lost database had is let go.
    pub must: Events,
    pub created: usize,
    pub numbers: u64,
    pub lines: u32,
    pub epochs: u32,
    pub keys: u64,
}

/// Where a step failed; the last step may be the healing.
#[derive(Debug, Clone)]
pub struct Violation {
    pub at: Option<Operation>,
    pub what: String,
}

impl World {
    pub fn new(setting: Setting) -> Self {
        let blank = Town::new((ReplicaId([0; 16]), 0));
        let mut world = Self {
            setting,
            history: History::default(),
            phones: Vec::new(),
            town: blank,
            town_backup: None,
            town_forms: Vec::new(),
            delayed: Vec::new(),
            counts: Counts::default(),
            must: Events::default(),
            created: 0,
            numbers: 0,
            lines: 0,
            epochs: 0,
            keys: 0,
        };
        world.town = Town::new(world.new_line(0));
        world.town.strictness = setting.strictness;
        for index in 0..setting.phones {
            let account = 1 + index as u8;
            let (replica, line) = world.new_line(account);
            // Every third phone is an older client: it keeps a path that it does not know.
            let paths = if index % 3 == 2 { 3 } else { 4 };
            let install = world.number();
            world.phones.push(Phone {
                account,
                db: Database::new(replica, line, install),
                marker: Some(Mark { install, counter: 0, last_push: 0 }),
                backups: Vec::new(),
                trip: None,
                paths,
            });
        }
        world
    }

    /// A replica id as if random; the model keeps the account in its last byte.
    pub fn new_line(&mut self, account: u8) -> (ReplicaId, u32) {
        self.lines += 1;
        let mut id = [0; 16];
        let random = Prng::new(u64::from(self.lines) << 8 ^ u64::from(account)).next();
        id[..8].copy_from_slice(&random.to_be_bytes());
        id[8..12].copy_from_slice(&self.lines.to_be_bytes());
        id[15] = account;
        (ReplicaId(id), self.lines)
    }

    pub fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// The record of this index, before its first save.
    pub fn blank(index: usize) -> Record {
        let id = RecordId::from_bytes([index as u8 + 1; 16]);
        Record::new(id, Kind::Hazard, AccountId::from_bytes([1; 16]))
    }

    pub fn run(&mut self, operation: &Operation) -> Result<(), Violation> {
        let failed = |what| Violation { at: Some(*operation), what };
        let dice = &mut Prng::new(operation.dice);
        let before = self.history.events.len();
        let phone = operation.phone % self.phones.len();
        self.act(operation.kind, phone, dice).map_err(failed)?;
        (before..self.history.events.len()).for_each(|event| self.must.insert(event));
        if matches!(operation.kind, Deed::Restore | Deed::TownRestore) {
            self.must = self.must.and(&self.accounted());
        }
        self.check(Some(phone)).map_err(failed)
    }

    fn act(&mut self, kind: Deed, phone: usize, dice: &mut Prng) -> Result<(), String> {
        match kind {
            Deed::Create => self.create(phone, dice),
            Deed::Open => self.open(phone, dice),
            Deed::Save => self.save(phone, dice),
            Deed::Delete => self.delete(phone, dice, false),
            Deed::Undelete => self.delete(phone, dice, true),
            Deed::Settle => self.settle(phone, dice),
            Deed::Sync => return self.sync(phone, dice),
            Deed::Step => return self.step(phone, dice),
            Deed::Late => return self.deliver_late(dice),
            Deed::Crash => self.crash(phone, dice),
            Deed::Evict => self.evict(phone, dice),
            Deed::GiveUp => self.give_up_finished(phone, dice),
            Deed::Salvage => self.salvage(phone, dice),
            Deed::Refetch => self.refetch(phone),
            Deed::Backup => self.back_up(phone),
            Deed::Restore => self.restore(phone, dice),
            Deed::Clone => self.clone_phone(phone, dice),
            Deed::Mend => self.mend(phone, dice),
            Deed::TownOpen => self.town_open(dice),
            Deed::TownSave => self.town_save(dice),
            Deed::TownRelease => return self.town_release(dice),
            Deed::TownRecover => return self.town_recover(dice),
            Deed::TownBackup => self.town_backup = Some(self.town.clone()),
            Deed::TownRestore => self.town_restore(),
        }
        Ok(())
    }

    /// All events that some database accounts for.
    pub fn accounted(&self) -> Events {
        let mut all = Events::default();
        for phone in &self.phones {
            for copy in phone.db.copies.values() {
                all = all.or(&copy.shadow.record.accounted);
            }
            for kept in &phone.db.quarantine {
                all = all.or(&kept.shadow.accounted);
            }
        }
        for row in self.town.rows.values() {
            all = all.or(&row.state.accounted);
        }
        for hold in &self.town.holds {
            all = all.or(&hold.accounted);
        }
        for parcel in &self.town.recovered {
            all = all.or(&parcel.state.accounted);
        }
        all
    }

    /// Every sibling at the phone and the town is what the oracle says, and no save is nowhere.
    pub fn check(&self, phone: Option<usize>) -> Result<(), String> {
        for (index, row) in &self.town.rows {
            check::record(&self.history, &row.record, &row.state)
                .map_err(|what| format!("town, record {index}: {what}"))?;
        }
        let phones = self.phones.iter().enumerate();
        for (at, phone) in phones.filter(|(at, _)| phone.is_none_or(|phone| phone == *at)) {
            for (index, copy) in &phone.db.copies {
                let place = |what| format!("phone {at}, record {index}: {what}");
                check::record(&self.history, &copy.local.record, &copy.shadow.record)
                    .map_err(place)?;
                if copy.local.unsent.is_some() != copy.shadow.unsent.is_some() {
                    return Err(place("unsent here, not there".to_owned()));
                }
                let base = copy.local.unsent.as_ref().and_then(|unsent| unsent.base.as_ref());
                let shadow = copy.shadow.unsent.and_then(|unsent| unsent.base);
                match (base, shadow) {
                    (Some(base), Some(shadow)) => {
                        check::record(&self.history, base, &shadow).map_err(place)?;
                    }
                    (None, None) => {}
                    _ => return Err(place("a base here, none there".to_owned())),
                }
            }
        }
        let somewhere = self.accounted().or(&self.history.came_to_nothing);
        let lost: Vec<usize> = self.must.minus(&somewhere).iter().collect();
        if lost.is_empty() { Ok(()) } else { Err(format!("saves {lost:?} are nowhere")) }
    }
}
