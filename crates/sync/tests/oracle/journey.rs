//! A round trip in three steps: send, judge, apply; each may be lost, late, doubled, or cut by a crash.

use yaoguan_model::canonical;

use crate::count::Struck;
use crate::history::Standing;
use crate::phone::{Mark, Returned, Trip};
use crate::prng::Prng;
use crate::wire::{Fault, Judgement, Parcel, Reply, Request, Verdict};
use crate::world::World;

impl World {
    /// A whole round trip, or as far as it gets.
    pub fn sync(&mut self, phone: usize, dice: &mut Prng) -> Result<(), String> {
        self.send(phone, dice);
        while self.phones[phone].trip.is_some() && !dice.one_in(self.setting.loss * 2) {
            self.step(phone, dice)?;
        }
        Ok(())
    }

    /// The next step of the round trip under way.
    pub fn step(&mut self, phone: usize, dice: &mut Prng) -> Result<(), String> {
        let Some(trip) = self.phones[phone].trip.take() else { return Ok(()) };
        let lost = dice.one_in(self.setting.loss);
        let Some(reply) = trip.reply else {
            if lost {
                self.lose(trip.request, dice);
                return Ok(());
            }
            let mut reply = self.judge(&trip.request, dice)?;
            if dice.one_in(12) {
                self.counts.add(Struck::Duplicated);
                let second = self.judge(&trip.request, dice)?;
                reply = if dice.one_in(2) { reply } else { second };
            }
            self.phones[phone].trip = Some(Trip { reply: Some(reply), ..trip });
            return Ok(());
        };
        if lost {
            self.counts.add(Struck::AnswerLost);
            if self.setting.fault == Fault::CursorWithoutPage
                && let Reply::Page { cursor, .. } = reply
            {
                self.phones[phone].db.cursor = cursor;
            }
            return Ok(());
        }
        self.apply(phone, reply)
    }

    fn lose(&mut self, request: Request, dice: &mut Prng) {
        if dice.one_in(2) {
            self.counts.add(Struck::Delayed);
            self.delayed.push(request);
        } else {
            self.counts.add(Struck::RequestLost);
        }
    }

    pub fn deliver_late(&mut self, dice: &mut Prng) -> Result<(), String> {
        if self.delayed.is_empty() {
            return Ok(());
        }
        let request = self.delayed.remove(dice.below(self.delayed.len()));
        self.counts.add(Struck::DeliveredLate);
        self.judge(&request, dice).map(|_| ())
    }

    fn judge(&mut self, request: &Request, dice: &mut Prng) -> Result<Reply, String> {
        let fault = self.setting.fault;
        self.town.handle(&self.history, request, fault, &mut self.keys, dice)
    }

    /// One transaction, before anything goes out: what is sent, the token, the marker.
    pub fn send(&mut self, at: usize, dice: &mut Prng) {
        self.give_up(at, dice);
        let token = self.number();
        let phone = &mut self.phones[at];
        let db = &mut phone.db;
        let agrees = |index: &usize| {
            let row = self.town.rows.get(index);
            db.copies
                .get(index)
                .is_none_or(|copy| row.is_some_and(|row| row.record == copy.local.record))
        };
        // The model of the set reconciliation: it finds exactly what differs.
        if db.epoch == self.town.epoch {
            db.unreconciled.retain(|index| !agrees(index));
        }
        let part = dice.one_in(4);
        let mut records = Vec::new();
        for (index, copy) in &mut db.copies {
            let due = copy.local.unsent.is_some() || db.unreconciled.contains(index);
            if !due || db.returned.is_some() || (part && dice.one_in(2)) {
                continue;
            }
            copy.shadow.send();
            let (record, state) = (copy.local.send().clone(), copy.shadow.record);
            records.push(Parcel { index: *index, record, state });
        }
        if part {
            self.counts.add(Struck::PartOfThePush);
        }
        let mut tokens: Vec<u64> = db.chain.acked.into_iter().collect();
        tokens.extend(&db.chain.attempts);
        let next = match db.chain.attempts.last() {
            Some(last) if !db.chain.wrote => *last,
            _ => token,
        };
        if !records.is_empty() {
            if db.chain.attempts.last() != Some(&next) {
                db.counter += 1;
            }
            db.chain.attempts.push(next);
            db.chain.wrote = false;
            phone.marker = Some(Mark { install: db.install, counter: db.counter, last_push: next });
            self.counts.add(Struck::Pushed);
        }
        for parcel in &mut records {
            if dice.one_in(16) {
                self.counts.add(Struck::Packed);
                let bytes = canonical::encode(&parcel.record);
                parcel.record = canonical::decode(&bytes).expect("its own bytes");
            }
        }
        let mut replica = db.replica;
        if let Some(Returned::Asking { former, last_push }) = db.returned {
            (replica, tokens) = (former, vec![last_push]);
        }
        let request = Request {
            account: phone.account,
            epoch: db.epoch,
            replica,
            tokens,
            next,
            cursor: db.cursor,
            records,
        };
        phone.trip = Some(Trip { request, reply: None });
    }

    /// The round trip under way, if any, is given up; its request may still arrive.
    pub fn give_up(&mut self, phone: usize, dice: &mut Prng) {
        match self.phones[phone].trip.take() {
            Some(Trip { request, reply: None }) => self.lose(request, dice),
            Some(_) => self.counts.add(Struck::AnswerLost),
            None => {}
        }
    }

    /// The answer, in one transaction.
    pub fn apply(&mut self, at: usize, reply: Reply) -> Result<(), String> {
        self.phones[at].db.forms.iter_mut().for_each(|form| form.stale = true);
        match reply {
            Reply::NewEpoch(epoch) => {
                self.new_epoch(at, epoch);
                Ok(())
            }
            Reply::Forked => {
                self.counts.add(Struck::Forked);
                self.renew(at);
                self.rebase(at);
                Ok(())
            }
            Reply::Page { .. }
                if matches!(self.phones[at].db.returned, Some(Returned::Asking { .. })) =>
            {
                self.phones[at].db.returned = Some(Returned::Known);
                Ok(())
            }
            Reply::Page { next, verdicts, feed, cursor, holds } => {
                let earlier = self.phones[at].db.chain.attempts.len() > 1;
                if let Some(next) = next {
                    let chain = &mut self.phones[at].db.chain;
                    chain.acked = Some(next);
                    chain.attempts.clear();
                }
                self.verdicts(at, &verdicts, earlier)?;
                let db = &mut self.phones[at].db;
                let blind = self.setting.fault == Fault::StubHidesChange;
                feed.iter().try_for_each(|parcel| db.pull(parcel, blind))?;
                db.cursor = cursor;
                db.quarantine.retain(|kept| kept.hold.is_none_or(|key| holds.contains(&key)));
                for parcel in &feed {
                    let view = self.history.view(&parcel.state.known);
                    if self.history.standing(&view) == Standing::Contested {
                        self.counts.add(Struck::Contested);
                    }
                }
                let db = &self.phones[at].db;
                if db.returned.is_some() && db.cursor == self.town.head {
                    self.counts.add(Struck::BroughtBackKnown);
                    let (cursor, unreconciled) = (db.cursor, db.unreconciled.clone());
                    self.rebase(at);
                    let db = &mut self.phones[at].db;
                    (db.cursor, db.unreconciled) = (cursor, unreconciled);
                }
                Ok(())
            }
        }
    }

    fn new_epoch(&mut self, at: usize, epoch: u32) {
        self.counts.add(Struck::NewEpochSeen);
        if self.setting.fault != Fault::SameReplicaInNewEpoch {
            self.renew(at);
            self.rebase(at);
        }
        let db = &mut self.phones[at].db;
        db.epoch = epoch;
        db.cursor = 0;
        db.chain = crate::phone::Chain { wrote: true, ..Default::default() };
        db.unreconciled = db.copies.keys().copied().collect();
        // The town may have lost its holds: what it held is the phone's to resend.
        db.quarantine.iter_mut().for_each(|kept| kept.hold = None);
    }

    pub fn renew(&mut self, at: usize) {
        let line = self.new_line(self.phones[at].account);
        self.phones[at].db.renew(line);
    }

    pub fn rebase(&mut self, at: usize) {
        let unsent = self.phones[at].db.copies.values().any(|copy| copy.local.unsent.is_some());
        if unsent {
            self.counts.add(Struck::RebasedUnsent);
        }
        let drafts_too = self.setting.fault != Fault::DraftsKeepDotsAcrossFork;
        self.phones[at].db.rebase(&mut self.history, drafts_too);
    }

    fn verdicts(&mut self, at: usize, verdicts: &[Verdict], earlier: bool) -> Result<(), String> {
        let back = |v: &Verdict| matches!(v.judgement, Judgement::Refused | Judgement::Held(_));
        let sets_back = verdicts.iter().any(back);
        let fault = self.setting.fault;
        let keeps_id = fault == Fault::SameReplicaAfterPutBack
            || (fault == Fault::SameReplicaAfterAnsweredPutBack && !earlier);
        if sets_back && earlier {
            self.counts.add(Struck::AnsweredAfterUnanswered);
        }
        if sets_back && !keeps_id {
            self.renew(at);
        }
        for verdict in verdicts {
            self.verdict(at, verdict)?;
        }
        if sets_back && !keeps_id && fault != Fault::UnsentKeepDotsAfterPutBack {
            let db = &mut self.phones[at].db;
            let (cursor, unreconciled) = (db.cursor, db.unreconciled.clone());
            self.rebase(at);
            let db = &mut self.phones[at].db;
            (db.cursor, db.unreconciled) = (cursor, unreconciled);
        }
        Ok(())
    }

    fn verdict(&mut self, at: usize, verdict: &Verdict) -> Result<(), String> {
        let index = verdict.index;
        let db = &mut self.phones[at].db;
        let hold = match verdict.judgement {
            Judgement::Taken | Judgement::TakenEvict => {
                let Some(copy) = db.copies.get_mut(&index) else { return Ok(()) };
                copy.local.taken(&verdict.context);
                copy.shadow.taken(&verdict.state);
                db.unreconciled.retain(|other| *other != index);
                if verdict.judgement == Judgement::TakenEvict && self.evictable(at, index) {
                    self.counts.add(Struck::TakenAndEvicted);
                    self.phones[at].db.evicted = true;
                    self.phones[at].db.copies.remove(&index);
                }
                return Ok(());
            }
            Judgement::Recovered => {
                self.counts.add(Struck::Recovered);
                return Ok(());
            }
            Judgement::Refused => None,
            Judgement::Held(key) => Some(key),
        };
        let before = db.quarantine.len();
        let context = &verdict.context;
        db.put_back(&mut self.history, (index, context, &verdict.state), hold)?;
        if db.quarantine.len() > before {
            let entangled = db.quarantine.last().is_some_and(|kept| kept.shadow.entangled);
            let kind = if hold.is_some() { Struck::Held } else { Struck::Refused };
            self.counts.add(kind);
            if entangled {
                self.counts.add(Struck::Entangled);
            }
            if hold.is_some() && self.setting.fault == Fault::HeldForgottenByPhone {
                db.quarantine.pop();
            }
        }
        Ok(())
    }

    /// A record may leave the phone when all of it is confirmed in this epoch.
    pub fn evictable(&self, at: usize, index: usize) -> bool {
        let db = &self.phones[at].db;
        db.copies.get(&index).is_some_and(|copy| copy.local.unsent.is_none())
            && db.epoch == self.town.epoch
            && !db.unreconciled.contains(&index)
            && !db.quarantine.iter().any(|kept| kept.index == index)
    }
}
