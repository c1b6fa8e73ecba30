//! The town, as small as it can be: merged records, a feed, push chains, holds, what was recovered.

use std::collections::BTreeMap;

use yaoguan_model::{Changes, Dot, Record, ReplicaId, merge};

use crate::events::Events;
use crate::history::{Diff, History, State};
use crate::prng::Prng;
use crate::wire::{Fault, Judgement, Parcel, Reply, Request, Verdict};

#[derive(Debug, Clone)]
pub struct Row {
    pub record: Record,
    pub state: State,
    pub position: u64,
}

/// A held save: the difference that the merge would have made.
#[derive(Debug, Clone)]
pub struct Hold {
    pub key: u64,
    pub index: usize,
    pub about: Record,
    pub changes: Changes,
    pub diff: Diff,
    pub accounted: Events,
    /// Only for the fault that releases by merging.
    pub whole: Record,
}

#[derive(Debug, Clone)]
pub struct Town {
    pub replica: ReplicaId,
    pub line: u32,
    pub counter: u64,
    pub epoch: u32,
    pub rows: BTreeMap<usize, Row>,
    pub head: u64,
    pub chains: BTreeMap<ReplicaId, u64>,
    pub holds: Vec<Hold>,
    pub recovered: Vec<Parcel>,
    /// The chance of a refusal or a hold: once in so many; 0 for never.
    pub strictness: usize,
}

/// The account is the last byte of a replica id in this model.
pub fn account_of(replica: ReplicaId) -> u8 {
    replica.0[15]
}

fn merged(a: &Record, b: &Record) -> Result<Record, String> {
    let merged = merge(a, b).map_err(|error| error.to_string())?;
    match merged.alarm {
        Some(alarm) => Err(format!("alarm at the town: {alarm:?}")),
        None => Ok(merged.record),
    }
}

impl Town {
    pub fn new((replica, line): (ReplicaId, u32)) -> Self {
        Self {
            replica,
            line,
            counter: 0,
            epoch: 0,
            rows: BTreeMap::new(),
            head: 0,
            chains: BTreeMap::new(),
            holds: Vec::new(),
            recovered: Vec::new(),
            strictness: 0,
        }
    }

    pub fn dot(&mut self) -> Dot {
        self.counter += 1;
        Dot::new(self.replica, self.counter)
    }

    pub fn store(&mut self, index: usize, record: Record, state: State) {
        self.head += 1;
        self.rows.insert(index, Row { record, state, position: self.head });
    }

    /// Merges; the row moves in the feed only if something changed.
    pub fn take(&mut self, parcel: &Parcel, fault: Fault) -> Result<(), String> {
        let Some(row) = self.rows.get_mut(&parcel.index) else {
            self.store(parcel.index, parcel.record.clone(), parcel.state);
            return Ok(());
        };
        let mut record = merged(&row.record, &parcel.record)?;
        if fault == Fault::PrunedContext && record.context.len() > 2 {
            let covered =
                |dot: &Dot| record.fields.values().flatten().any(|s| s.dot.replica == dot.replica);
            record.context = record.context.iter().filter(covered).collect();
        }
        let state = row.state.or(&parcel.state);
        row.state = state;
        if record != row.record {
            self.store(parcel.index, record, state);
        }
        Ok(())
    }

    /// True when the parcel holds dots of other accounts that this town does not know.
    fn has_lost(&self, parcel: &Parcel, account: u8) -> bool {
        let known = |dot: Dot| {
            self.rows.get(&parcel.index).is_some_and(|row| row.record.context.covers_dot(dot))
        };
        parcel.record.context.iter().any(|dot| account_of(dot.replica) != account && !known(dot))
    }

    fn hold(&mut self, h: &History, parcel: &Parcel, key: u64) -> Result<Judgement, String> {
        let row = self.rows.get(&parcel.index);
        let whole = match row {
            Some(row) => merged(&row.record, &parcel.record)?,
            None => parcel.record.clone(),
        };
        let state = row.map_or(parcel.state, |row| row.state.or(&parcel.state));
        let changes = Changes::between(row.map(|row| &row.record), &whole);
        let diff = h.diff(row.map(|row| &row.state), &state);
        crate::check::changes(h, &changes, &diff)?;
        let r = &parcel.record;
        let about = Record::new(r.id, r.kind.clone(), r.created_by);
        self.forget_holds(parcel);
        let (index, whole) = (parcel.index, parcel.record.clone());
        let accounted = parcel.state.accounted;
        self.holds.push(Hold { key, index, about, changes, diff, accounted, whole });
        Ok(Judgement::Held(key))
    }

    /// A later push whose context covers a hold takes its place: its writer has seen all of it.
    fn forget_holds(&mut self, parcel: &Parcel) {
        let covered = |hold: &Hold| {
            hold.index == parcel.index
                && hold.whole.context.iter().all(|d| parcel.record.context.covers_dot(d))
        };
        self.holds.retain(|hold| !covered(hold));
    }

    pub fn judge(
        &mut self,
        history: &History,
        parcel: &Parcel,
        (account, key, fault): (u8, u64, Fault),
        dice: &mut Prng,
    ) -> Result<Judgement, String> {
        if self.has_lost(parcel, account) {
            self.recovered.push(parcel.clone());
            return Ok(Judgement::Recovered);
        }
        if self.strictness > 0 && dice.one_in(self.strictness) {
            return match dice.one_in(2) {
                true => Ok(Judgement::Refused),
                false => self.hold(history, parcel, key),
            };
        }
        self.take(parcel, fault)?;
        self.forget_holds(parcel);
        Ok(if self.strictness > 0 && dice.one_in(8) {
            Judgement::TakenEvict
        } else {
            Judgement::Taken
        })
    }

    /// One request, one answer. `key` names a hold that may come of it.
    pub fn handle(
        &mut self,
        history: &History,
        request: &Request,
        fault: Fault,
        key: &mut u64,
        dice: &mut Prng,
    ) -> Result<Reply, String> {
        if request.epoch != self.epoch {
            return Ok(Reply::NewEpoch(self.epoch));
        }
        let token = self.chains.get(&request.replica);
        let twin = token.is_some_and(|token| !request.tokens.contains(token));
        if twin && fault != Fault::CloneKeepsReplicaId {
            return Ok(Reply::Forked);
        }
        let pushes = !request.records.is_empty();
        if pushes {
            self.chains.insert(request.replica, request.next);
        }
        let mut verdicts = Vec::new();
        for parcel in &request.records {
            *key += 1;
            let judgement = self.judge(history, parcel, (request.account, *key, fault), dice)?;
            let context = parcel.record.context.clone();
            verdicts.push(Verdict { index: parcel.index, context, state: parcel.state, judgement });
        }
        let mut rows: Vec<(&usize, &Row)> =
            self.rows.iter().filter(|(_, row)| row.position > request.cursor).collect();
        rows.sort_by_key(|(_, row)| row.position);
        rows.truncate(1 + dice.below(3));
        let cursor = rows.last().map_or(request.cursor, |(_, row)| row.position);
        // A record that was taken comes back only if the merge changed it. What was refused or held does
        // come back: the phone returns to its base, and an unanswered push may have been taken before.
        let taken = |v: &Verdict| matches!(v.judgement, Judgement::Taken | Judgement::TakenEvict);
        rows.retain(|(index, row)| {
            let verdict = verdicts.iter().find(|verdict| verdict.index == **index);
            !verdict.is_some_and(|v| taken(v) && v.context == row.record.context)
        });
        let parcel = |(index, row): (&usize, &Row)| {
            let mut record = row.record.clone();
            if fault == Fault::PartialRecord {
                record.fields.pop_last();
            }
            Parcel { index: *index, record, state: row.state }
        };
        let feed = rows.into_iter().map(parcel).collect();
        let holds = self.holds.iter().map(|hold| hold.key).collect();
        Ok(Reply::Page { next: pushes.then_some(request.next), verdicts, feed, cursor, holds })
    }

    /// A supervisor releases a hold: a new save of the town. (The fault merges instead.)
    pub fn release(
        &mut self,
        history: &mut History,
        at: usize,
        fault: Fault,
    ) -> Result<(), String> {
        let hold = self.holds.remove(at);
        let old = self.rows.get(&hold.index).cloned();
        let (mut record, mut state) =
            old.map_or((hold.about.clone(), State::default()), |row| (row.record, row.state));
        if fault == Fault::ReleaseByMerge {
            record = merged(&record, &hold.whole)?;
        } else {
            hold.changes.put_on(&mut record, || self.dot());
        }
        history.put_again(&mut state, &hold.diff, &hold.accounted, self.line);
        self.store(hold.index, record, state);
        Ok(())
    }
}
