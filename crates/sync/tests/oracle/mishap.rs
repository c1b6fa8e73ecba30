//! What befalls phones and the town, and how all of it heals.

use yaoguan_model::canonical;

use crate::count::Struck;
use crate::phone::{Mark, Phone, Returned, hash_of};
use crate::prng::Prng;
use crate::wire::{Fault, Judgement, Reply};
use crate::world::World;

impl World {
    /// What a program does first: is this database the one that wrote last?
    fn start(&mut self, at: usize) {
        let phone = &self.phones[at];
        let here = phone.marker.filter(|mark| mark.install == phone.db.install);
        let same = here.is_some_and(|mark| mark.counter <= phone.db.counter);
        if same || self.setting.fault == Fault::CloneKeepsReplicaId {
            return;
        }
        self.counts.add(Struck::NewIdAtStart);
        let former = phone.db.replica;
        let unsent = phone.db.copies.values().any(|copy| copy.local.unsent.is_some());
        let settled = phone.db.returned.is_none();
        let install = self.number();
        self.phones[at].marker = Some(Mark { install, counter: 0, last_push: 0 });
        self.phones[at].db.install = install;
        self.renew(at);
        // An older state of this very folder: what it holds unsent may have been sent since.
        if let Some(Mark { last_push, .. }) = here.filter(|_| unsent && settled) {
            self.counts.add(Struck::BroughtBack);
            let trusts = self.setting.fault == Fault::MarkerAloneIsTrusted;
            let asking = Returned::Asking { former, last_push };
            let db = &mut self.phones[at].db;
            db.compare_anew();
            db.returned = Some(if trusts { Returned::Known } else { asking });
        } else if self.setting.fault != Fault::UnsentKeepDotsAtStart {
            self.rebase(at);
        }
    }

    pub fn crash(&mut self, at: usize, dice: &mut Prng) {
        self.counts.add(Struck::Crashed);
        self.give_up(at, dice);
        self.start(at);
    }

    pub fn evict(&mut self, at: usize, dice: &mut Prng) {
        let copies = &self.phones[at].db.copies;
        let index = copies.keys().nth(dice.below(copies.len().max(1))).copied();
        // While a round trip is under way its answer may still speak of the record.
        let Some(index) = index.filter(|_| self.phones[at].trip.is_none()) else { return };
        if self.evictable(at, index) {
            self.counts.add(Struck::Evicted);
            self.phones[at].db.evicted = true;
            self.phones[at].db.copies.remove(&index);
        }
    }

    /// A finished record goes, its hash stays.
    pub fn give_up_finished(&mut self, at: usize, dice: &mut Prng) {
        let copies = &self.phones[at].db.copies;
        let index = copies.keys().nth(dice.below(copies.len().max(1))).copied();
        let Some(index) = index.filter(|_| self.phones[at].trip.is_none()) else { return };
        let drafted = self.phones[at].db.forms.iter().any(|form| form.index == index);
        if self.evictable(at, index) && !drafted {
            self.counts.add(Struck::GivenUp);
            let db = &mut self.phones[at].db;
            let copy = db.copies.remove(&index).expect("it is there");
            db.stubs.insert(index, hash_of(&copy.local.record));
        }
    }

    /// The file is broken: what can be read goes into a new one, as a new installation.
    pub fn salvage(&mut self, at: usize, dice: &mut Prng) {
        self.counts.add(Struck::Salvaged);
        self.give_up(at, dice);
        let unreadable: Vec<usize> = (0..self.created)
            .filter(|index| self.evictable(at, *index) && dice.one_in(3))
            .collect();
        let db = &mut self.phones[at].db;
        for index in unreadable {
            db.copies.remove(&index);
        }
        db.install = 0;
        self.start(at);
    }

    /// The next pages bring everything again.
    pub fn refetch(&mut self, at: usize) {
        self.counts.add(Struck::Refetched);
        self.phones[at].db.cursor = 0;
    }

    pub fn back_up(&mut self, at: usize) {
        let db = self.phones[at].db.clone();
        self.phones[at].backups.push(db);
    }

    /// An older backup; sometimes on a new device, where there is no marker.
    pub fn restore(&mut self, at: usize, dice: &mut Prng) {
        let backups = self.phones[at].backups.len();
        if backups == 0 {
            return;
        }
        self.counts.add(Struck::Restored);
        self.give_up(at, dice);
        let phone = &mut self.phones[at];
        phone.db = phone.backups[dice.below(backups)].clone();
        if dice.one_in(4) {
            phone.marker = None;
        }
        self.start(at);
    }

    pub fn clone_phone(&mut self, at: usize, dice: &mut Prng) {
        if self.phones.len() >= 6 {
            return;
        }
        let with_marker = !dice.one_in(4);
        let phone = &self.phones[at];
        let twin = Phone {
            account: phone.account,
            db: phone.db.clone(),
            marker: phone.marker.filter(|_| with_marker),
            backups: phone.backups.clone(),
            trip: None,
            paths: phone.paths,
        };
        let kind = if with_marker { Struck::ClonedWithMarker } else { Struck::ClonedWithout };
        self.counts.add(kind);
        self.phones.push(twin);
        self.start(self.phones.len() - 1);
    }

    /// A person mends a refused save and sends it again.
    pub fn mend(&mut self, at: usize, dice: &mut Prng) {
        let db = &mut self.phones[at].db;
        let ready: Vec<usize> = (0..db.quarantine.len())
            .filter(|kept| db.quarantine.get(*kept).is_some_and(|kept| kept.hold.is_none()))
            .collect();
        if ready.is_empty() {
            return;
        }
        let kept = ready[dice.below(ready.len())];
        let anew = !db.copies.contains_key(&db.quarantine[kept].index);
        self.counts.add(if anew { Struck::MendedAnew } else { Struck::Mended });
        db.mend(&mut self.history, kept);
    }

    pub fn town_release(&mut self, dice: &mut Prng) -> Result<(), String> {
        if self.town.holds.is_empty() {
            return Ok(());
        }
        self.counts.add(Struck::Released);
        let at = dice.below(self.town.holds.len());
        self.town.release(&mut self.history, at, self.setting.fault)
    }

    /// An administrator takes what was recovered, by merging.
    pub fn town_recover(&mut self, dice: &mut Prng) -> Result<(), String> {
        if self.town.recovered.is_empty() {
            return Ok(());
        }
        self.counts.add(Struck::RecoveredTaken);
        let at = dice.below(self.town.recovered.len());
        let parcel = self.town.recovered.remove(at);
        self.town.take(&parcel, self.setting.fault)
    }

    /// An older backup of the town: a new epoch, a new line of writes, no chains.
    pub fn town_restore(&mut self) {
        let Some(backup) = self.town_backup.clone() else { return };
        self.counts.add(Struck::TownRestored);
        self.epochs += 1;
        let (replica, line) = self.new_line(0);
        self.town = backup;
        self.town.epoch = self.epochs;
        (self.town.replica, self.town.line) = (replica, line);
        self.town.chains.clear();
        self.town_forms.clear();
        // Nobody evicts on the word of a town that has lost what it took.
        for phone in &mut self.phones {
            let Some(Reply::Page { verdicts, .. }) =
                phone.trip.as_mut().and_then(|trip| trip.reply.as_mut())
            else {
                continue;
            };
            for verdict in verdicts.iter_mut() {
                if verdict.judgement == Judgement::TakenEvict {
                    verdict.judgement = Judgement::Taken;
                }
            }
        }
    }

    /// Everyone syncs until nothing moves; all is mended, released and taken. Then all bytes are equal.
    pub fn heal(&mut self) -> Result<(), String> {
        let before = self.history.events.len();
        let dice = &mut Prng::new(1);
        self.town.strictness = 0;
        self.delayed.clear();
        for phone in &mut self.phones {
            phone.trip = None;
            // What was evicted comes back, so that all can be compared.
            if std::mem::take(&mut phone.db.evicted) {
                phone.db.cursor = 0;
            }
        }
        for _ in 0..8 {
            while !self.town.holds.is_empty() {
                self.town_release(dice)?;
            }
            for at in 0..self.phones.len() {
                self.rest(at, dice)?;
            }
            while !self.town.recovered.is_empty() {
                self.town_recover(dice)?;
            }
        }
        (before..self.history.events.len()).for_each(|event| self.must.insert(event));
        self.check(None)?;
        self.equal()
    }

    /// One phone syncs until it has nothing more to send or fetch.
    fn rest(&mut self, at: usize, dice: &mut Prng) -> Result<(), String> {
        for _ in 0..32 {
            self.mend(at, dice);
            self.send(at, dice);
            let trip = self.phones[at].trip.take().expect("a request is under way");
            let settled = self.phones[at].db.returned.is_none();
            let idle = trip.request.records.is_empty() && settled;
            let key = &mut self.keys;
            let fault = self.setting.fault;
            let reply = self.town.handle(&self.history, &trip.request, fault, key, dice)?;
            self.apply(at, reply)?;
            let db = &self.phones[at].db;
            if idle && db.cursor == self.town.head && db.quarantine.is_empty() {
                break;
            }
        }
        Ok(())
    }

    fn equal(&self) -> Result<(), String> {
        let town =
            self.town.rows.values().fold(Default::default(), |all: crate::events::Events, row| {
                all.or(&row.state.accounted)
            });
        let town = town.or(&self.history.came_to_nothing);
        let lost: Vec<usize> = self.must.minus(&town).iter().collect();
        if !lost.is_empty() {
            return Err(format!("healed: saves {lost:?} never reached the town"));
        }
        for (index, row) in &self.town.rows {
            let bytes = canonical::encode(&row.record);
            for (at, phone) in self.phones.iter().enumerate() {
                let stub = phone.db.stubs.get(index);
                let Some(copy) = phone.db.copies.get(index) else {
                    if stub == Some(&hash_of(&row.record)) {
                        continue;
                    }
                    return Err(format!("healed: phone {at} lacks record {index}"));
                };
                if copy.local.unsent.is_some() || !phone.db.quarantine.is_empty() {
                    return Err(format!("healed: phone {at} still waits, record {index}"));
                }
                if canonical::encode(&copy.local.record) != bytes {
                    return Err(format!("healed: phone {at} differs in record {index}"));
                }
            }
        }
        Ok(())
    }
}
