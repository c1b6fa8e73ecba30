//! A phone's store in memory. A transaction works on a copy, which takes the place of the original when
//! it succeeds.

use std::collections::BTreeMap;
use std::convert::Infallible;

use yaoguan_model::{Alarm, RecordId, ReplicaId};
use yaoguan_sync::{Local, PhoneStore, Quarantined, SyncState, Tx};

/// Everything that a phone keeps.
#[derive(Debug, Clone)]
pub struct MemoryStore {
    state: SyncState,
    records: BTreeMap<RecordId, Local>,
    /// Order of the first unsent save of each record.
    since: BTreeMap<RecordId, u64>,
    next: u64,
    pub quarantined: Vec<Quarantined>,
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
        Ok(())
    }
    fn remove(&mut self, id: RecordId) -> Result<(), Infallible> {
        self.records.remove(&id);
        self.since.remove(&id);
        Ok(())
    }
    fn outbox(&mut self) -> Result<Vec<RecordId>, Infallible> {
        let mut ids: Vec<_> = self.since.iter().map(|(id, since)| (*since, *id)).collect();
        ids.sort_unstable();
        Ok(ids.into_iter().map(|(_, id)| id).collect())
    }
    fn unsent_count(&mut self) -> Result<u64, Infallible> {
        Ok(self.since.len() as u64)
    }
    fn quarantine(&mut self, save: &Quarantined) -> Result<(), Infallible> {
        self.quarantined.push(save.clone());
        Ok(())
    }
    fn alarm(&mut self, id: RecordId, alarm: Alarm) -> Result<(), Infallible> {
        self.alarms.push((id, alarm));
        Ok(())
    }
}
