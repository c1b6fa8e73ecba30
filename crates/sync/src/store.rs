//! What a phone's store must give. Two implementations (SQLite, memory) pass one contract suite.

use yaoguan_model::authorise::Actor;
use yaoguan_model::{Alarm, GridCode, RecordId, ReplicaId, Role, VersionVector};
use yaoguan_wire::reconcile::RecordHash;
use yaoguan_wire::{ErrorCode, HoldId};

use crate::local::{Kept, Local};
use crate::state::SyncState;

/// A save that the town did not take, on this phone, visible, with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    pub kept: Kept,
    pub code: ErrorCode,
    pub detail: String,
    pub retriable: bool,
    /// The town's time of the verdict, in seconds.
    pub at: i64,
    /// The town holds it too, under this id.
    pub hold: Option<HoldId>,
}

/// A store of one person's records on one phone.
pub trait PhoneStore {
    type Error: std::error::Error + Send + Sync + 'static;
    type Tx<'a>: Tx<Error = Self::Error>
    where
        Self: 'a;

    /// Runs `work` in one transaction: all of it is durable when this returns `Ok`, none of it else.
    fn transact<R, E: From<Self::Error>>(
        &mut self,
        work: impl FnOnce(&mut Self::Tx<'_>) -> Result<R, E>,
    ) -> Result<R, E>;
}

/// One transaction.
pub trait Tx {
    type Error: std::error::Error + Send + Sync + 'static;

    fn state(&mut self) -> Result<SyncState, Self::Error>;
    fn set_state(&mut self, state: &SyncState) -> Result<(), Self::Error>;

    fn load(&mut self, id: RecordId) -> Result<Option<Local>, Self::Error>;
    /// Writes record, projection and unsent state as one.
    fn put(&mut self, local: &Local) -> Result<(), Self::Error>;
    /// Writes the unsent state alone, when the record is as it was loaded.
    fn put_unsent(&mut self, local: &Local) -> Result<(), Self::Error> {
        self.put(local)
    }
    /// Takes a record off the phone, content and projection.
    fn remove(&mut self, id: RecordId) -> Result<(), Self::Error>;

    /// The outbox: ids of records with unsent saves, oldest first, without the parked ones.
    fn outbox(&mut self) -> Result<Vec<RecordId>, Self::Error>;
    /// Ids of all records with unsent saves.
    fn unsent(&mut self) -> Result<Vec<RecordId>, Self::Error>;
    fn unsent_count(&mut self) -> Result<u64, Self::Error>;

    /// Open drafts of a record keep in `replaces` only what is confirmed: its other dots are about to be
    /// written again, and may stand for a twin's writes from now on. A store without drafts has none.
    fn narrow_drafts(
        &mut self,
        _record: RecordId,
        _confirmed: &VersionVector,
    ) -> Result<(), Self::Error> {
        Ok(())
    }

    fn quarantine(&mut self, save: &Quarantined) -> Result<(), Self::Error>;
    /// Held saves that this phone keeps a copy of, oldest first.
    fn holds(&mut self, limit: usize) -> Result<Vec<HoldId>, Self::Error>;
    /// Takes the copies of a held save out of quarantine.
    fn take_hold(&mut self, hold: HoldId) -> Result<Vec<Quarantined>, Self::Error>;

    /// Remembers a replica id that this phone wrote under.
    fn note_former(&mut self, replica: ReplicaId) -> Result<(), Self::Error>;
    /// True for a replica id that this phone wrote under before.
    fn is_former(&mut self, replica: ReplicaId) -> Result<bool, Self::Error>;

    /// Who holds the phone; none before enrolment.
    fn person(&mut self) -> Result<Option<Actor>, Self::Error>;
    /// The person's role or grids changed.
    fn set_scope(&mut self, role: Role, grids: &[GridCode]) -> Result<(), Self::Error>;

    /// Ids of every record on the phone.
    fn ids(&mut self) -> Result<Vec<RecordId>, Self::Error>;
    /// Hash of the confirmed state of every record that has one, stubs included (with no record).
    fn hashes(&mut self) -> Result<Vec<(RecordHash, RecordId)>, Self::Error>;
    /// Confirmed records of kinds that a phone gives up, last confirmed by then and with nothing of them
    /// waiting, oldest first: no unsent save, offer, quarantined save or draft.
    fn settled(&mut self, confirmed_by: i64) -> Result<Vec<RecordId>, Self::Error>;
    /// Takes a record off the phone and keeps its stub: id and hash.
    fn give_up(&mut self, id: RecordId) -> Result<(), Self::Error>;
    /// The hash that is left of a record that this phone gave up.
    fn stub(&mut self, id: RecordId) -> Result<Option<RecordHash>, Self::Error>;
    /// Forgets the stub of a record that this phone gave up.
    fn drop_stub(&mut self, id: RecordId) -> Result<(), Self::Error>;

    /// Confirmed records that the town turned out not to have: to be sent with the next pushes.
    fn offers(&mut self) -> Result<Vec<RecordId>, Self::Error>;
    fn offer(&mut self, id: RecordId) -> Result<(), Self::Error>;
    fn withdraw_offer(&mut self, id: RecordId) -> Result<(), Self::Error>;
    /// Notes something that cannot happen while every replica keeps the rules.
    fn alarm(&mut self, id: RecordId, alarm: Alarm) -> Result<(), Self::Error>;
}
