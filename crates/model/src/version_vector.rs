//! Version vectors (Parker et al. 1983): what a state has seen, per replica.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::dot::Dot;
use crate::ids::ReplicaId;

/// How two contexts stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Equal,
    /// The left one is covered by the right one.
    Before,
    /// The left one covers the right one.
    After,
    Concurrent,
}

/// The causal context of one record: per replica the highest counter seen. Entries are never pruned
/// and never zero.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VersionVector(BTreeMap<ReplicaId, u64>);

impl VersionVector {
    pub fn new() -> Self {
        Self::default()
    }

    /// The counter seen of this replica; 0 for none.
    pub fn get(&self, replica: ReplicaId) -> u64 {
        self.0.get(&replica).copied().unwrap_or(0)
    }

    pub fn covers_dot(&self, dot: Dot) -> bool {
        dot.counter <= self.get(dot.replica)
    }

    /// True when every entry of `other` is seen here.
    pub fn covers(&self, other: &Self) -> bool {
        other.0.iter().all(|(replica, counter)| *counter <= self.get(*replica))
    }

    pub fn join_dot(&mut self, dot: Dot) {
        let entry = self.0.entry(dot.replica).or_insert(0);
        *entry = (*entry).max(dot.counter);
    }

    /// Pointwise maximum.
    pub fn join(&mut self, other: &Self) {
        for (replica, counter) in &other.0 {
            self.join_dot(Dot::new(*replica, *counter));
        }
    }

    pub fn compare(&self, other: &Self) -> Order {
        match (self.covers(other), other.covers(self)) {
            (true, true) => Order::Equal,
            (true, false) => Order::After,
            (false, true) => Order::Before,
            (false, false) => Order::Concurrent,
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = Dot> + '_ {
        self.0.iter().map(|(replica, counter)| Dot::new(*replica, *counter))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Dot> for VersionVector {
    fn from_iter<I: IntoIterator<Item = Dot>>(dots: I) -> Self {
        let mut vector = Self::new();
        for dot in dots.into_iter().filter(|dot| dot.counter > 0) {
            vector.join_dot(dot);
        }
        vector
    }
}
