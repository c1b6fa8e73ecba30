//! A dot names one save: the replica and the value of its one commit counter.

use std::cmp::Ordering;

use crate::ids::ReplicaId;

/// One save of one replica. Two different saves never share a dot; a dot used twice is silent loss.
///
/// Ordered by counter, then replica bytes: the order of siblings in the canonical form, and the
/// rule for which sibling is shown first. It is a display order, not a statement about time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Dot {
    pub replica: ReplicaId,
    /// From 1. At most [`crate::limits::MAX_INTEGER`].
    pub counter: u64,
}

impl Dot {
    pub fn new(replica: ReplicaId, counter: u64) -> Self {
        Self { replica, counter }
    }
}
impl Ord for Dot {
    fn cmp(&self, other: &Self) -> Ordering {
        self.counter.cmp(&other.counter).then_with(|| self.replica.cmp(&other.replica))
    }
}
impl PartialOrd for Dot {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
