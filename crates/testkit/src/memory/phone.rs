//! A phone's store in memory. A transaction works on a copy, which takes the place of the original when
//! it succeeds.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use yaoguan_model::authorise::Actor;
use yaoguan_model::{Alarm, GridCode, RecordId, ReplicaId, Role, canonical};
use yaoguan_sync::{Local, PhoneStore, Quarantined, SyncState, Tx};
use yaoguan_wire::HoldId;
use yaoguan_wire::reconcile::RecordHash;

/// Everything that a phone keeps.
#[derive(Debug, Clone)]
pub struct MemoryStore {
    state: SyncState,
    records: BTreeMap<RecordId, Local>,
    /// Order of the first unsent save of each record.
    since: BTreeMap<RecordId, u64>,
    next: u64,
    pub quarantined: Vec<Quarantined>,
    former: BTreeSet<ReplicaId>,
    offers: BTreeSet<RecordId>,
    stubs: BTreeMap<RecordId, RecordHash>,
    /// The town's time when a record was last confirmed.
    confirmed: BTreeMap<RecordId, i64>,
    pub person: Option<Actor>,
    pub alarms: Vec<(RecordId, Alarm)>,
}

impl MemoryStore {
    pub fn new(replica: ReplicaId) -> Self {
        Self {
            state: SyncState::new(replica),
            records: BTreeMap::new(),
            since: BTreeMap::new(),
            next: 0,
            quarantined: Vec::new(),
            former: BTreeSet::new(),
            offers: BTreeSet::new(),
            stubs: BTreeMap::new(),
            confirmed: BTreeMap::new(),
            person: None,
            alarms: Vec::new(),
        }
    }
}

impl PhoneStore for MemoryStore {
    type Error = Infallible;
    type Tx<'a> = MemoryStore;

    fn transact<R, E: From<Infallible>>(
        &mut self,
        work: impl FnOnce(&mut MemoryStore) -> Result<R, E>,
    ) -> Result<R, E> {
        let mut copy = self.clone();
        let result = work(&mut copy)?;
        *self = copy;
        Ok(result)
    }
}

impl Tx for MemoryStore {
    type Error = Infallible;

    fn state(&mut self) -> Result<SyncState, Infallible> {
        Ok(self.state.clone())
    }
    fn set_state(&mut self, state: &SyncState) -> Result<(), Infallible> {
        self.state = state.clone();
        Ok(())
    }
    fn load(&mut self, id: RecordId) -> Result<Option<Local>, Infallible> {
        Ok(self.records.get(&id).cloned())
    }
    fn put(&mut self, local: &Local) -> Result<(), Infallible> {
        let id = local.record.id;
        if local.unsent.is_none() {
            self.since.remove(&id);
        } else if !self.since.contains_key(&id) {
            self.next += 1;
            self.since.insert(id, self.next);
        }
        self.records.insert(id, local.clone());
        self.stubs.remove(&id);
        self.confirmed.insert(id, self.state.last_contact_s.unwrap_or(0));
        Ok(())
    }
    fn remove(&mut self, id: RecordId) -> Result<(), Infallible> {
        self.offers.remove(&id);
        self.records.remove(&id);
        self.since.remove(&id);
        Ok(())
    }
    fn unsent(&mut self) -> Result<Vec<RecordId>, Infallible> {
        let mut ids: Vec<_> = self.since.iter().map(|(id, since)| (*since, *id)).collect();
        ids.sort_unstable();
        Ok(ids.into_iter().map(|(_, id)| id).collect())
    }
    fn outbox(&mut self) -> Result<Vec<RecordId>, Infallible> {
        let mut ids = self.unsent()?;
        ids.retain(|id| self.records[id].unsent.as_ref().is_some_and(|unsent| !unsent.parked));
        Ok(ids)
    }
    fn unsent_count(&mut self) -> Result<u64, Infallible> {
        Ok(self.since.len() as u64)
    }
    fn quarantine(&mut self, save: &Quarantined) -> Result<(), Infallible> {
        self.quarantined.push(save.clone());
        Ok(())
    }
    fn holds(&mut self, limit: usize) -> Result<Vec<HoldId>, Infallible> {
        Ok(self.quarantined.iter().filter_map(|save| save.hold).take(limit).collect())
    }
    fn take_hold(&mut self, hold: HoldId) -> Result<Vec<Quarantined>, Infallible> {
        let all = std::mem::take(&mut self.quarantined);
        let (taken, left) = all.into_iter().partition(|save| save.hold == Some(hold));
        self.quarantined = left;
        Ok(taken)
    }
    fn note_former(&mut self, replica: ReplicaId) -> Result<(), Infallible> {
        self.former.insert(replica);
        Ok(())
    }
    fn is_former(&mut self, replica: ReplicaId) -> Result<bool, Infallible> {
        Ok(self.former.contains(&replica))
    }
    fn person(&mut self) -> Result<Option<Actor>, Infallible> {
        Ok(self.person.clone())
    }
    fn set_scope(&mut self, role: Role, grids: &[GridCode]) -> Result<(), Infallible> {
        if let Some(person) = &mut self.person {
            (person.role, person.grids) = (role, grids.iter().cloned().collect());
        }
        Ok(())
    }
    fn ids(&mut self) -> Result<Vec<RecordId>, Infallible> {
        Ok(self.records.keys().copied().collect())
    }
    fn hashes(&mut self) -> Result<Vec<(RecordHash, RecordId)>, Infallible> {
        let confirmed = |local: &Local| match &local.unsent {
            None => Some(local.record.clone()),
            Some(unsent) => unsent.base.clone(),
        };
        let hash = |(id, local): (&RecordId, &Local)| {
            Some((canonical::hash(&canonical::encode(&confirmed(local)?)), *id))
        };
        let stubs = self.stubs.iter().map(|(id, hash)| (*hash, *id));
        Ok(self.records.iter().filter_map(hash).chain(stubs).collect())
    }
    fn settled(&mut self, confirmed_by: i64) -> Result<Vec<RecordId>, Infallible> {
        let waits = |id: &RecordId| {
            let quarantined = self.quarantined.iter().any(|save| save.kept.about.id == *id);
            quarantined || self.since.contains_key(id) || self.offers.contains(id)
        };
        let known = self.confirmed.iter().filter(|(id, at)| {
            (1..=confirmed_by).contains(*at) && self.records.contains_key(*id) && !waits(id)
        });
        let mut ids: Vec<_> = known.map(|(id, at)| (*at, *id)).collect();
        ids.sort_unstable();
        Ok(ids.into_iter().map(|(_, id)| id).collect())
    }
    fn give_up(&mut self, id: RecordId) -> Result<(), Infallible> {
        if let Some(local) = self.records.get(&id) {
            self.stubs.insert(id, canonical::hash(&canonical::encode(&local.record)));
        }
        self.remove(id)
    }
    fn stub(&mut self, id: RecordId) -> Result<Option<RecordHash>, Infallible> {
        Ok(self.stubs.get(&id).copied())
    }
    fn drop_stub(&mut self, id: RecordId) -> Result<(), Infallible> {
        self.stubs.remove(&id);
        Ok(())
    }
    fn offers(&mut self) -> Result<Vec<RecordId>, Infallible> {
        Ok(self.offers.iter().copied().collect())
    }
    fn offer(&mut self, id: RecordId) -> Result<(), Infallible> {
        self.offers.insert(id);
        Ok(())
    }
    fn withdraw_offer(&mut self, id: RecordId) -> Result<(), Infallible> {
        self.offers.remove(&id);
        Ok(())
    }
    fn alarm(&mut self, id: RecordId, alarm: Alarm) -> Result<(), Infallible> {
        self.alarms.push((id, alarm));
        Ok(())
    }
}
