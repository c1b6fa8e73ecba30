//! A town's storage in memory: the same judgements, the feed as a map.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use yaoguan_model::authorise::Actor;
use yaoguan_model::cells::{self, Around, Cell};
use yaoguan_model::deletion::{self, Deletion};
use yaoguan_model::{AccountId, DeviceId, Dot, Env, GridCode, Kind, Record, RecordId, ReplicaId};
use yaoguan_town::TownError;
use yaoguan_town::people::{Account, Device, Enrolment, NewDevice, NewInvite};
use yaoguan_town::pull::{Ask, Page, Row};
use yaoguan_town::push::{Replicas, Surroundings, decide};
use yaoguan_town::storage::{
    Batch, Health, Outcome, OwnWrite, Pushed, Recovered, Storage, TownInfo, Verified,
};
use yaoguan_wire::body::PageBudget;
use yaoguan_wire::{Epoch, PushToken};

use super::apart::Kept;

/// A town without a disk.
pub struct MemoryTown(Mutex<State>);

pub(super) struct State {
    pub(super) restored: bool,
    info: TownInfo,
    pub(super) counter: u64,
    head: u64,
    secrets: BTreeMap<&'static str, String>,
    accounts: BTreeMap<AccountId, Account>,
    devices: BTreeMap<DeviceId, (AccountId, String)>,
    invites: BTreeMap<[u8; 32], (AccountId, i64, bool)>,
    replicas: BTreeMap<ReplicaId, (AccountId, u64, Option<PushToken>)>,
    pub(super) records: BTreeMap<RecordId, Record>,
    pub(super) held: Vec<Kept>,
    pub(super) recovered: Vec<(Recovered, bool)>,
    pub(super) scopes: BTreeMap<(AccountId, u64), Actor>,
    feed: BTreeMap<(Cell, RecordId), Place>,
}

#[derive(Clone, Copy)]
struct Place {
    position: u64,
    left: bool,
    origin: Option<ReplicaId>,
}

impl MemoryTown {
    pub fn new(env: &dyn Env) -> Self {
        let info = TownInfo {
            name: "memory".to_owned(),
            epoch: Epoch::new(env.random_16()),
            replica: env.new_replica_id(),
            cursor_secret: env.random_16().to_vec(),
            demo: false,
            address: String::new(),
            own_tls: true,
        };
        Self(Mutex::new(State {
            restored: false,
            info,
            counter: 0,
            head: 0,
            secrets: BTreeMap::new(),
            accounts: BTreeMap::new(),
            devices: BTreeMap::new(),
            invites: BTreeMap::new(),
            replicas: BTreeMap::new(),
            records: BTreeMap::new(),
            held: Vec::new(),
            recovered: Vec::new(),
            scopes: BTreeMap::new(),
            feed: BTreeMap::new(),
        }))
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    pub(super) fn next_dot(&mut self) -> Dot {
        self.counter += 1;
        Dot::new(self.info.replica, self.counter)
    }

    fn note_scope(&mut self, id: AccountId) {
        if let Some(account) = self.account(id) {
            let key = (id, account.scope_version);
            self.scopes.entry(key).or_insert_with(|| account.actor());
        }
    }

    pub(super) fn readable(&self, cells: &[Cell]) -> BTreeSet<RecordId> {
        let placed = self.feed.iter().filter(|((cell, _), p)| !p.left && cells.contains(cell));
        placed.map(|((_, id), _)| *id).collect()
    }

    pub(super) fn head(&self) -> u64 {
        self.head
    }

    pub(super) fn grids(&self) -> BTreeSet<GridCode> {
        let live = |r: &&Record| r.kind == Kind::Grid && deletion::state(r) != Deletion::Deleted;
        let codes = self.records.values().filter(live);
        codes.filter_map(|r| r.shown_text("code")?.parse().ok()).collect()
    }

    fn account(&self, id: AccountId) -> Option<Account> {
        let mut account = self.accounts.get(&id)?.clone();
        if account.whole_town {
            account.grids = self.grids();
        }
        Some(account)
    }

    pub(super) fn around(&self, record: &Record) -> Around {
        let mut around = Around::default();
        if record.kind == Kind::HouseholdCheck {
            let texts = record.siblings("household").iter().filter_map(|s| s.value.as_text());
            let ids = texts.filter_map(|text| text.parse::<RecordId>().ok());
            for household in ids.filter_map(|id| self.records.get(&id)) {
                around.household_grids.extend(cells::grids_of(household));
            }
        }
        around
    }

    /// Writes the feed rows of a record, and of the checks that move with a household.
    pub(super) fn place(&mut self, record: &Record, origin: Option<ReplicaId>) {
        self.head += 1;
        let (position, around) = (self.head, self.around(record));
        let now = cells::of_record(record, &around);
        for ((cell, id), place) in &mut self.feed {
            if *id == record.id && !place.left && !now.contains(cell) {
                *place = Place { position, left: true, origin: None };
            }
        }
        for cell in now {
            self.feed.insert((cell, record.id), Place { position, left: false, origin });
        }
        if record.kind == Kind::Household {
            let id = record.id.to_string();
            let hangs = |r: &&Record| {
                let values = r.siblings("household").iter().filter_map(|s| s.value.as_text());
                r.kind == Kind::HouseholdCheck && values.into_iter().any(|text| text == id)
            };
            let checks: Vec<Record> = self.records.values().filter(hangs).cloned().collect();
            for check in checks {
                self.place(&check, None);
            }
        }
    }

    fn push(&mut self, batch: &Batch) -> Pushed {
        let known = self.replicas.get(&batch.pusher.replica).copied();
        if let Some((account, _, token)) = known
            && (account != batch.pusher.actor.account
                || token.is_some_and(|token| !batch.tokens.contains(&token)))
        {
            return Pushed::Forked;
        }
        let grids = self.grids();
        let mut order: Vec<usize> = (0..batch.records.len()).collect();
        order.sort_by_key(|at| (batch.records[*at].kind != Kind::Household, batch.records[*at].id));
        let mut outcomes = BTreeMap::new();
        for at in order {
            let incoming = &batch.records[at];
            let before = self.records.get(&incoming.id).cloned();
            let around = before.as_ref().map(|b| self.around(b)).unwrap_or_default();
            let mut after = self.around(incoming);
            after.household_grids.extend(around.household_grids.iter().cloned());
            let own = (self.info.replica, (AccountId::from_bytes([0; 16]), self.counter));
            let known = self.replicas.iter().map(|(id, (account, n, _))| (*id, (*account, *n)));
            let replicas = Replicas { known: known.chain([own]).collect() };
            let town = Surroundings {
                grids: &grids,
                before: &around,
                after: &after,
                replicas: &replicas,
                purged: None,
                restored: self.restored,
            };
            let decision = decide(before.as_ref(), incoming, &batch.pusher, town);
            for dot in &decision.registers {
                self.register(batch, *dot);
            }
            self.keep(batch, incoming, &decision);
            if let Some(after) = decision.write {
                self.records.insert(after.id, after.clone());
                self.place(&after, decision.as_pushed.then_some(batch.pusher.replica));
            }
            let (judgement, as_pushed) = (decision.judgement, decision.as_pushed);
            outcomes.insert(at, Outcome { judgement, as_pushed });
        }
        if let Some(next) = batch.next {
            let dot = Dot::new(batch.pusher.replica, batch.pusher.counter);
            self.register(batch, dot);
            self.replicas.get_mut(&dot.replica).expect("registered").2 = Some(next);
        }
        Pushed::Done(outcomes.into_values().collect())
    }

    fn register(&mut self, batch: &Batch, dot: Dot) {
        let fresh = (batch.pusher.actor.account, 0, None);
        let entry = self.replicas.entry(dot.replica).or_insert(fresh);
        entry.1 = entry.1.max(dot.counter);
    }

    fn pull(&self, ask: &Ask) -> Page {
        let mut found: BTreeMap<RecordId, Place> = BTreeMap::new();
        for ((cell, id), place) in &self.feed {
            let beyond = ask.upto.is_some_and(|upto| place.position > upto);
            if !ask.cells.contains(cell) || place.position <= ask.after || beyond {
                continue;
            }
            let entry = found.entry(*id).or_insert(*place);
            if !place.left || (entry.left && place.position > entry.position) {
                *entry = *place;
            }
        }
        let mut order: Vec<(RecordId, Place)> = found.into_iter().collect();
        order.sort_by_key(|(_, place)| place.position);
        let mut page = Page { rows: Vec::new(), position: ask.after, more: false, head: self.head };
        let mut budget = PageBudget::default();
        for (id, place) in order {
            let held = || {
                let mut rows = self.feed.iter();
                rows.any(|((cell, other), p)| *other == id && !p.left && ask.cells.contains(cell))
            };
            let own = place.origin.is_some() && place.origin == ask.skip_origin;
            let row = match place.left {
                true if held() => None,
                true => Some(Row::Left(id)),
                false if own || ask.skip_records.contains(&id) => None,
                false => Some(Row::Record(Box::new(self.records[&id].clone()))),
            };
            if let Some(row) = row {
                let bytes = match &row {
                    Row::Record(record) => yaoguan_model::canonical::encode(record),
                    Row::Left(_) | Row::Purged(_) => id.to_string().into_bytes(),
                };
                if !budget.admit(&bytes) {
                    page.more = true;
                    return page;
                }
                page.rows.push(row);
            }
            page.position = place.position;
        }
        page.position = ask.upto.unwrap_or(self.head).max(ask.after);
        page
    }
}

#[async_trait]
impl Storage for MemoryTown {
    async fn info(&self) -> Result<TownInfo, TownError> {
        Ok(self.state().info.clone())
    }
    async fn set_address(&self, address: String, own_tls: bool) -> Result<(), TownError> {
        let mut state = self.state();
        (state.info.address, state.info.own_tls) = (address, own_tls);
        Ok(())
    }
    async fn secret(&self, name: &'static str) -> Result<Option<String>, TownError> {
        Ok(self.state().secrets.get(name).cloned())
    }
    async fn set_secret(&self, name: &'static str, value: String) -> Result<(), TownError> {
        self.state().secrets.insert(name, value);
        Ok(())
    }
    async fn add_accounts(&self, accounts: Vec<Account>, _now: i64) -> Result<(), TownError> {
        self.state().accounts.extend(accounts.into_iter().map(|account| (account.id, account)));
        Ok(())
    }
    async fn accounts(&self) -> Result<Vec<Account>, TownError> {
        let state = self.state();
        Ok(state.accounts.keys().filter_map(|id| state.account(*id)).collect())
    }
    async fn add_invite(&self, invite: NewInvite, _now: i64) -> Result<(), TownError> {
        let row = (invite.account, invite.expires_at, false);
        self.state().invites.insert(invite.code_hash, row);
        Ok(())
    }
    async fn enrol(
        &self,
        code_hash: [u8; 32],
        device: NewDevice,
        now: i64,
    ) -> Result<Enrolment, TownError> {
        let mut state = self.state();
        let Some(invite) = state.invites.get_mut(&code_hash) else { return Ok(Enrolment::Unknown) };
        if invite.2 || now > invite.1 {
            return Ok(Enrolment::Gone);
        }
        invite.2 = true;
        let id = invite.0;
        state.note_scope(id);
        state.devices.insert(device.id, (id, device.public_key));
        Ok(state.account(id).map_or(Enrolment::Gone, Enrolment::Done))
    }
    async fn device(&self, id: DeviceId) -> Result<Option<Device>, TownError> {
        let state = self.state();
        let Some((account, public_key)) = state.devices.get(&id) else { return Ok(None) };
        let public_key = public_key.clone();
        Ok(state.account(*account).map(|account| Device { id, public_key, barred: None, account }))
    }
    async fn saw_device(&self, _: DeviceId, _now: i64, _off: i64) -> Result<(), TownError> {
        Ok(())
    }
    async fn grids(&self) -> Result<BTreeSet<GridCode>, TownError> {
        Ok(self.state().grids())
    }
    async fn push(&self, batch: Batch) -> Result<Pushed, TownError> {
        Ok(self.state().push(&batch))
    }
    async fn pull(&self, ask: Ask) -> Result<Page, TownError> {
        Ok(self.state().pull(&ask))
    }
    async fn readable(
        &self,
        cells: Vec<Cell>,
        kind: Kind,
        after: Option<RecordId>,
        limit: u32,
    ) -> Result<Vec<Record>, TownError> {
        let state = self.state();
        let ids = state.readable(&cells);
        let wanted = ids.into_iter().filter(|id| after.is_none_or(|after| *id > after));
        let records = wanted.map(|id| state.records[&id].clone()).filter(|r| r.kind == kind);
        Ok(records.take(limit as usize).collect())
    }
    async fn write_own(&self, writes: Vec<OwnWrite>, _now: i64) -> Result<(), TownError> {
        let mut state = self.state();
        for own in writes {
            let dot = state.next_dot();
            let blank = Record::new(own.id, own.kind, own.author);
            let mut record = state.records.get(&own.id).cloned().unwrap_or(blank);
            record.put(&own.changes, dot);
            state.records.insert(record.id, record.clone());
            state.place(&record, None);
        }
        Ok(())
    }
    async fn records(&self, kind: Kind) -> Result<Vec<Record>, TownError> {
        Ok(self.state().records.values().filter(|r| r.kind == kind).cloned().collect())
    }
    async fn counts(&self) -> Result<BTreeMap<String, u64>, TownError> {
        let mut counts = BTreeMap::new();
        for record in self.state().records.values() {
            *counts.entry(record.kind.to_string()).or_insert(0) += 1;
        }
        Ok(counts)
    }
    async fn health(&self, _now: i64) -> Result<Health, TownError> {
        Ok(Health { writable: true, feed_moves: true })
    }
    async fn verify(&self) -> Result<Verified, TownError> {
        let records = self.state().records.len() as u64;
        Ok(Verified { records, findings: Vec::new() })
    }
}
