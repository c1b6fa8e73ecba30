//! What a town in memory keeps apart, and its scopes.

use async_trait::async_trait;
use yaoguan_model::authorise::Actor;
use yaoguan_model::cells::Cell;
use yaoguan_model::{AccountId, DeviceId, Dot, Record, RecordId, VersionVector, canonical, merge};
use yaoguan_town::TownError;
use yaoguan_town::people::Account;
use yaoguan_town::push::Decision;
use yaoguan_town::release::{Start, mended, put};
use yaoguan_town::storage::{Apart, Batch, Held, Recovered, Release, Scopes};
use yaoguan_wire::{HoldId, HoldNews, HoldOutcome, Judgement};

use super::town::{MemoryTown, State};

/// A held save and what became of it.
pub(super) struct Kept {
    held: Held,
    context: VersionVector,
    decided: Option<(HoldOutcome, String)>,
}

impl State {
    /// Keeps what a decision says is to be kept apart.
    pub(super) fn keep(&mut self, batch: &Batch, incoming: &Record, decision: &Decision) {
        let pusher = &batch.pusher;
        let mut but = None;
        match (&decision.judgement, &decision.hold) {
            (Judgement::Held { hold: id }, Some(hold)) => {
                but = Some(*id);
                let held = Held {
                    id: *id,
                    about: Record::new(incoming.id, incoming.kind.clone(), incoming.created_by),
                    account: pusher.actor.account,
                    device: batch.device,
                    changes: hold.changes.clone(),
                    code: hold.code.clone(),
                    detail: hold.detail.clone(),
                    received_at: batch.now,
                };
                if self.held.iter().all(|kept| kept.held.id != *id) {
                    let context = incoming.context.clone();
                    self.held.push(Kept { held, context, decided: None });
                }
            }
            (Judgement::Taken | Judgement::TakenEvict, _) => {}
            (Judgement::Recovered, _) => {
                let hash = canonical::hash(&canonical::encode(incoming));
                match self.recovered.iter_mut().find(|(one, _)| one.hash == hash) {
                    Some((one, _)) if one.from.contains(&batch.device) => {}
                    Some((one, _)) => one.from.push(batch.device),
                    None => {
                        let (id, kind) = (incoming.id, incoming.kind.clone());
                        let (record, from) = (incoming.clone(), vec![batch.device]);
                        let received_at = batch.now;
                        let one = Recovered { hash, id, kind, record, from, received_at };
                        self.recovered.push((one, false));
                    }
                }
                return;
            }
            _ => return,
        }
        for kept in &mut self.held {
            let other = kept.held.about.id == incoming.id && Some(kept.held.id) != but;
            if other && kept.decided.is_none() && incoming.context.covers(&kept.context) {
                kept.decided = Some((HoldOutcome::Released, String::new()));
            }
        }
    }

    fn waiting(&mut self, id: HoldId) -> Result<&mut Kept, TownError> {
        let found = self.held.iter_mut().find(|k| k.held.id == id && k.decided.is_none());
        found.ok_or_else(|| TownError::Input(format!("no held save {id} waits")))
    }
}

#[async_trait]
impl Apart for MemoryTown {
    async fn held(&self) -> Result<Vec<Held>, TownError> {
        let state = self.state();
        let waiting = state.held.iter().filter(|kept| kept.decided.is_none());
        Ok(waiting.map(|kept| kept.held.clone()).collect())
    }

    async fn release(&self, release: Release) -> Result<RecordId, TownError> {
        let mut state = self.state();
        let held = state.waiting(release.hold)?.held.clone();
        let before = state.records.get(&held.about.id).cloned();
        let changes = mended(held.changes, &release.mended);
        let mut trial = before.clone().unwrap_or_else(|| held.about.clone());
        changes.put_on(&mut trial, || Dot::new(yaoguan_model::ReplicaId([0; 16]), 1));
        let around_before = before.as_ref().map(|b| state.around(b)).unwrap_or_default();
        let mut around_after = state.around(&trial);
        around_after.household_grids.extend(around_before.household_grids.iter().cloned());
        let grids = state.grids();
        let start = Start {
            before: before.as_ref(),
            about: &held.about,
            anew: None,
            grids: &grids,
            around_before: &around_before,
            around_after: &around_after,
        };
        let record = put(start, &changes, &release.by, || state.next_dot())
            .map_err(|refusal| TownError::Input(refusal.to_string()))?;
        state.records.insert(record.id, record.clone());
        state.place(&record, None);
        state.waiting(release.hold)?.decided = Some((HoldOutcome::Released, release.note));
        Ok(record.id)
    }

    async fn refuse_held(&self, hold: HoldId, note: String, _now: i64) -> Result<(), TownError> {
        self.state().waiting(hold)?.decided = Some((HoldOutcome::Refused, note));
        Ok(())
    }

    async fn hold_news(
        &self,
        account: AccountId,
        holds: Vec<HoldId>,
    ) -> Result<Vec<HoldNews>, TownError> {
        let state = self.state();
        let news = |hold: HoldId| {
            let own = |kept: &&Kept| kept.held.id == hold && kept.held.account == account;
            let (outcome, note) = match state.held.iter().find(own) {
                None => (HoldOutcome::Lost, String::new()),
                Some(kept) => kept.decided.clone()?,
            };
            Some(HoldNews { hold, outcome, note })
        };
        Ok(holds.into_iter().filter_map(news).collect())
    }

    async fn recovered(&self) -> Result<Vec<Recovered>, TownError> {
        let state = self.state();
        Ok(state.recovered.iter().filter(|(_, taken)| !taken).map(|(one, _)| one.clone()).collect())
    }

    async fn take_recovered(
        &self,
        hashes: Option<Vec<[u8; 32]>>,
        _now: i64,
    ) -> Result<u64, TownError> {
        let mut state = self.state();
        let mut waiting = Vec::new();
        for (one, taken) in &mut state.recovered {
            if !*taken && hashes.as_ref().is_none_or(|hashes| hashes.contains(&one.hash)) {
                *taken = true;
                waiting.push(one.record.clone());
            }
        }
        for record in &waiting {
            let merged = match state.records.get(&record.id) {
                None => record.clone(),
                Some(before) => merge(before, record).expect("the same record").record,
            };
            state.records.insert(merged.id, merged.clone());
            state.place(&merged, None);
        }
        Ok(waiting.len() as u64)
    }
}

#[async_trait]
impl Scopes for MemoryTown {
    async fn note_scope(&self, account: Account) -> Result<(), TownError> {
        let key = (account.id, account.scope_version);
        self.state().scopes.entry(key).or_insert_with(|| account.actor());
        Ok(())
    }

    async fn scope_at(&self, account: AccountId, version: u64) -> Result<Option<Actor>, TownError> {
        Ok(self.state().scopes.get(&(account, version)).cloned())
    }

    async fn hashes(&self, cells: Vec<Cell>) -> Result<(Vec<[u8; 32]>, u64), TownError> {
        let state = self.state();
        let hash = |id| canonical::hash(&canonical::encode(&state.records[&id]));
        Ok((state.readable(&cells).into_iter().map(hash).collect(), state.head()))
    }

    async fn by_hashes(
        &self,
        cells: Vec<Cell>,
        hashes: Vec<[u8; 32]>,
    ) -> Result<Vec<Record>, TownError> {
        let state = self.state();
        let records: Vec<&Record> =
            state.readable(&cells).iter().map(|id| &state.records[id]).collect();
        let of = |hash: &[u8; 32]| {
            let mut all = records.iter();
            all.find(|r| canonical::hash(&canonical::encode(r)) == *hash).map(|r| (*r).clone())
        };
        Ok(hashes.iter().filter_map(of).collect())
    }

    async fn root_due(&self, _: DeviceId, _now: i64, _every_s: i64) -> Result<bool, TownError> {
        Ok(false)
    }
}
