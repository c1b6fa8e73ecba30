//! A replica's own changes to a record: the difference from its base, put again elsewhere.
//!
//! `base` is the last state the town confirmed; pulls merge into base and record alike. What differs is
//! therefore what was written here and is not confirmed yet: per path the dots that base has and the
//! record lacks, and the siblings added. Refused and held saves are kept in this form, never as a whole
//! record: putting them again drops exactly what their writer had replaced.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::deletion;
use crate::dot::Dot;
use crate::ids::ReplicaId;
use crate::path::FieldPath;
use crate::record::{Change, Record, Sibling};
use crate::value::Value;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PathChange {
    /// Siblings of the base that were replaced.
    pub removed: Vec<Dot>,
    /// Siblings that the base has not.
    pub added: Vec<Sibling>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "BTreeMap<FieldPath, Plain>", into = "BTreeMap<FieldPath, Plain>")]
pub struct Changes {
    pub paths: BTreeMap<FieldPath, PathChange>,
}

impl Changes {
    /// What `record` changed on `base`; without a base, all of it.
    pub fn between(base: Option<&Record>, record: &Record) -> Self {
        let before = |path: &str| base.map_or(&[] as &[Sibling], |b| b.siblings(path));
        let mut all: BTreeSet<&FieldPath> = record.fields.keys().collect();
        all.extend(base.iter().flat_map(|b| b.fields.keys()));
        let mut paths = BTreeMap::new();
        for path in all {
            let (old, new) = (before(path.as_str()), record.siblings(path.as_str()));
            let change = PathChange {
                removed: old
                    .iter()
                    .map(|s| s.dot)
                    .filter(|d| !new.iter().any(|s| s.dot == *d))
                    .collect(),
                added: new.iter().filter(|s| !old.contains(s)).cloned().collect(),
            };
            if change != PathChange::default() {
                paths.insert(path.clone(), change);
            }
        }
        Self { paths }
    }

    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// The dots of the saves in here.
    pub fn dots(&self) -> BTreeSet<Dot> {
        self.paths.values().flat_map(|c| &c.added).map(|s| s.dot).collect()
    }

    /// Writes these changes on `record` under fresh dots, one for each save they came from.
    pub fn put_on(&self, record: &mut Record, mut next_dot: impl FnMut() -> Dot) {
        // Removals go with the first save; a removal alone is a save of its own.
        let removal = |c: &PathChange| Change { replaces: c.removed.clone(), value: None };
        let mut save: BTreeMap<FieldPath, Change> =
            self.paths.iter().map(|(path, change)| (path.clone(), removal(change))).collect();
        let saves = self.saves_in_order();
        if saves.is_empty() && !save.is_empty() {
            record.put(&save, next_dot());
            return;
        }
        let before = record.context.clone();
        let fresh: BTreeMap<Dot, Dot> = saves.iter().map(|old| (*old, next_dot())).collect();
        for old in saves {
            let Some(dot) = fresh.get(&old) else { continue };
            for (path, change) in &self.paths {
                let Some(sibling) = change.added.iter().find(|s| s.dot == old) else { continue };
                let value = match path.is_deleted() {
                    true => deletion::recomputed(&sibling.value, &fresh, &before),
                    false => sibling.value.clone(),
                };
                let none = Change { replaces: Vec::new(), value: None };
                save.entry(path.clone()).or_insert(none).value = Some(value);
            }
            record.put(&std::mem::take(&mut save), *dot);
        }
    }

    /// The saves in dot order, those first that the most deletions in here had seen: their fresh counters
    /// then lie below every other, and each recomputed deletion can cover all that its writer had seen
    /// (unless two of them had seen different saves; see [`deletion::recomputed`]).
    fn saves_in_order(&self) -> Vec<Dot> {
        let deletions = self.paths.get(crate::path::DELETED).into_iter().flat_map(|c| &c.added);
        let seen: Vec<_> = deletions.filter_map(|s| deletion::context_of(&s.value)).collect();
        let mut saves: Vec<Dot> = self.dots().into_iter().collect();
        let seen_by = |dot: Dot| seen.iter().filter(|context| context.covers_dot(dot)).count();
        saves.sort_by_key(|dot| (std::cmp::Reverse(seen_by(*dot)), *dot));
        saves
    }

    /// Splits off what is entangled with `others`: changes that replaced one of their dots, and, since
    /// a save is whole, everything that shares a save with such a change. Returns (free, entangled).
    pub fn split(self, others: &Self) -> (Self, Self) {
        let mut tied = others.dots();
        let mut entangled = Self::default();
        let mut free = self;
        loop {
            let touches = |c: &PathChange| {
                c.removed.iter().any(|d| tied.contains(d))
                    || c.added.iter().any(|s| tied.contains(&s.dot))
            };
            let (go, stay): (BTreeMap<_, _>, BTreeMap<_, _>) =
                free.paths.into_iter().partition(|(_, change)| touches(change));
            free = Self { paths: stay };
            if go.is_empty() {
                return (free, entangled);
            }
            tied.extend(go.values().flat_map(|c| &c.added).map(|s| s.dot));
            entangled.paths.extend(go);
        }
    }

    /// The same save with some of its values mended: each path gets this value, or drops out of the save.
    pub fn mended(mut self, with: &BTreeMap<FieldPath, Option<Value>>) -> Self {
        // A value that the save did not have goes with the first of its writes.
        let first = self.dots().first().copied();
        let first = first.unwrap_or_else(|| Dot::new(ReplicaId([0; 16]), 1));
        for (path, value) in with {
            let Some(value) = value else {
                self.paths.remove(path);
                continue;
            };
            let entry = self.paths.entry(path.clone()).or_default();
            let dot = entry.added.first().map_or(first, |sibling| sibling.dot);
            entry.added = vec![Sibling { dot, value: value.clone() }];
        }
        self
    }

    /// These changes followed by `later` ones of the same writer.
    pub fn then(mut self, later: Self) -> Self {
        for (path, change) in later.paths {
            let entry = self.paths.entry(path).or_default();
            entry.added.retain(|s| !change.removed.contains(&s.dot));
            entry.removed.extend(change.removed);
            entry.removed.sort();
            entry.removed.dedup();
            entry.added.extend(change.added);
            entry.added.sort();
            entry.added.dedup();
        }
        self
    }
}

/// The stored form: `{path: {"removed": [[replica, counter]…], "added": [[replica, counter, value]…]}}`.
#[derive(Serialize, Deserialize)]
struct Plain {
    removed: Vec<(ReplicaId, u64)>,
    added: Vec<(ReplicaId, u64, Value)>,
}

impl From<BTreeMap<FieldPath, Plain>> for Changes {
    fn from(plain: BTreeMap<FieldPath, Plain>) -> Self {
        let paths = plain.into_iter().map(|(path, plain)| {
            let removed = plain.removed.into_iter().map(|(r, c)| Dot::new(r, c)).collect();
            let sibling = |(r, c, value)| Sibling { dot: Dot::new(r, c), value };
            (path, PathChange { removed, added: plain.added.into_iter().map(sibling).collect() })
        });
        Self { paths: paths.collect() }
    }
}
impl From<Changes> for BTreeMap<FieldPath, Plain> {
    fn from(changes: Changes) -> Self {
        let plain = |change: PathChange| Plain {
            removed: change.removed.into_iter().map(|d| (d.replica, d.counter)).collect(),
            added: change
                .added
                .into_iter()
                .map(|s| (s.dot.replica, s.dot.counter, s.value))
                .collect(),
        };
        changes.paths.into_iter().map(|(path, change)| (path, plain(change))).collect()
    }
}
