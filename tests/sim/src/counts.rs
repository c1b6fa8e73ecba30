//! How often each kind of fault struck. A kind that never did proves nothing, and fails a sweep.

use std::collections::BTreeMap;

/// Every kind that a sweep of some seeds must have seen.
pub const KINDS: [&str; 32] = [
    "answer cut in half",
    "answer lost",
    "clock at 1970",
    "clock at 2099",
    "cloned",
    "enrolled again",
    "forged push",
    "forked",
    "held",
    "offline",
    "phone crashed",
    "phone crashed in mid-sync",
    "phone disk failed",
    "phone lost power",
    "phone restored",
    "put back from quarantine",
    "quarantined",
    "reconciled",
    "recovered",
    "released",
    "request delayed",
    "request doubled",
    "request lost",
    "rescoped",
    "revoked",
    "saved during a sync",
    "settled",
    "sync under way while others sync",
    "town crashed",
    "town lost power",
    "town restored",
    "town restored without its journal",
];

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<&'static str, u64>);

impl Counts {
    pub fn add(&mut self, kind: &'static str) {
        debug_assert!(KINDS.contains(&kind), "{kind} has a line in KINDS");
        *self.0.entry(kind).or_default() += 1;
    }

    pub fn join(&mut self, other: &Self) {
        for (kind, count) in &other.0 {
            *self.0.entry(kind).or_default() += count;
        }
    }

    pub fn of(&self, kind: &str) -> u64 {
        self.0.get(kind).copied().unwrap_or_default()
    }

    pub fn never(&self) -> Vec<&'static str> {
        KINDS.into_iter().filter(|kind| self.of(kind) == 0).collect()
    }
}
