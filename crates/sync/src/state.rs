//! What a phone knows about itself and the town, beside its records.

use serde::{Deserialize, Serialize};
use yaoguan_model::{Dot, Env, ReplicaId};
use yaoguan_wire::{Epoch, PushToken};

/// One row of the phone's store; changes in the same transaction as what it describes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncState {
    /// The replica id that this phone writes under.
    pub replica: ReplicaId,
    /// The one commit counter, for the whole database. It goes on when the replica id changes.
    pub counter: u64,
    pub epoch: Option<Epoch>,
    pub cursor: Option<String>,
    pub scope_version: u64,
    /// Token of the last acknowledged push.
    pub acked: Option<PushToken>,
    /// Tokens of all attempts since, oldest first.
    pub attempts: Vec<PushToken>,
    /// The counter at the last attempt: something was written since when it is another.
    pub attempt_counter: u64,
    /// The town's clock minus the phone's, in seconds, as last learnt.
    pub clock_offset_s: i64,
    /// When the town last answered, by its own clock; none before the first time.
    pub last_contact_s: Option<i64>,
    /// Phone and town may not have the same: nothing is evicted until a reconciliation.
    pub reconcile: bool,
    /// Records may lie outside the scope and are to be taken off the phone.
    pub evict_owed: bool,
    /// This store was brought back from a backup while saves of it were unsent: nothing is sent until
    /// this is settled.
    pub returned: Option<Returned>,
}

/// A store that was brought back where it had been: the marker tells that its own line has pushed since.
/// Unsent saves may be at the town already, and replaced there; see [`brought_back`](crate::brought_back).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Returned {
    /// To be asked: does the town's chain of the former replica id end with the line's last push?
    Asking { former: ReplicaId, last_push: PushToken },
    /// It does: every save under that id is of this line. What the town has is merged with the unsent
    /// saves as they are; what it has not is then written again.
    Known,
}

impl SyncState {
    pub fn new(replica: ReplicaId) -> Self {
        Self {
            replica,
            counter: 0,
            epoch: None,
            cursor: None,
            scope_version: 0,
            acked: None,
            attempts: Vec::new(),
            attempt_counter: 0,
            clock_offset_s: 0,
            last_contact_s: None,
            reconcile: false,
            evict_owed: false,
            returned: None,
        }
    }

    /// The dot of the next save.
    pub fn next_dot(&mut self) -> Dot {
        self.counter += 1;
        Dot::new(self.replica, self.counter)
    }

    /// Writes on under a new replica id, with a push chain of its own. Returns the former one, which the
    /// store notes.
    #[must_use]
    pub fn new_replica(&mut self, env: &dyn Env) -> ReplicaId {
        self.acked = None;
        self.attempts.clear();
        std::mem::replace(&mut self.replica, env.new_replica_id())
    }

    /// The town's time as this phone believes it, in seconds.
    pub fn town_now_s(&self, env: &dyn Env) -> i64 {
        env.now_s().saturating_add(self.clock_offset_s)
    }
}
