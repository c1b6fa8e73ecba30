//! A record: a map of multi-value registers that share one causal context.
//!
//! This is the delta-state CRDT of Almeida, Shoker and Baquero (arXiv:1603.01529): a `DotMap` of
//! `DotFun`s whose context is the record's version vector.
//!
//! Invariants: every sibling's dot is covered by the context; siblings of a path stand in dot order;
//! no path is without siblings. Whole records travel, never a part.

use std::collections::BTreeMap;

use crate::dot::Dot;
use crate::ids::{AccountId, RecordId};
use crate::kind::Kind;
use crate::path::FieldPath;
use crate::value::Value;
use crate::version_vector::VersionVector;

/// One of the concurrent values of a register.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sibling {
    pub dot: Dot,
    pub value: Value,
}

/// What a person altered in one register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The siblings that the person had in view when the form was opened; exactly these are dropped.
    pub replaces: Vec<Dot>,
    /// The new value; `None` leaves the path without one (removal).
    pub value: Option<Value>,
}

/// A record at one replica. `id`, `kind` and `created_by` never change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub id: RecordId,
    pub kind: Kind,
    pub created_by: AccountId,
    pub context: VersionVector,
    pub fields: BTreeMap<FieldPath, Vec<Sibling>>,
}

impl Record {
    /// A record without writes. It becomes something by its first [`Record::put`].
    pub fn new(id: RecordId, kind: Kind, created_by: AccountId) -> Self {
        Self { id, kind, created_by, context: VersionVector::new(), fields: BTreeMap::new() }
    }

    /// One save: drops exactly the dots named, adds the values under the one new `dot`, joins the dot
    /// to the context. The dot must be fresh (never used before by its replica).
    pub fn put(&mut self, changes: &BTreeMap<FieldPath, Change>, dot: Dot) {
        for (path, change) in changes {
            let mut siblings = self.fields.remove(path.as_str()).unwrap_or_default();
            siblings.retain(|sibling| !change.replaces.contains(&sibling.dot));
            if let Some(value) = &change.value {
                siblings.push(Sibling { dot, value: value.clone() });
                siblings.sort();
            }
            if !siblings.is_empty() {
                self.fields.insert(path.clone(), siblings);
            }
        }
        self.context.join_dot(dot);
    }

    /// The siblings of a path, in dot order; empty when there are none.
    pub fn siblings(&self, path: &str) -> &[Sibling] {
        self.fields.get(path).map_or(&[], Vec::as_slice)
    }

    /// The dots of a path: what `replaces` names for a form that shows it.
    pub fn dots(&self, path: &str) -> Vec<Dot> {
        self.siblings(path).iter().map(|sibling| sibling.dot).collect()
    }

    /// The one value shown of a path: the highest dot; for `status` the least finished step.
    pub fn shown(&self, path: &str) -> Option<&Value> {
        let siblings = self.siblings(path);
        if path == "status" {
            let least = siblings.iter().min_by_key(|s| {
                (crate::status::finishedness(&self.kind, &s.value), std::cmp::Reverse(s.dot))
            });
            return least.map(|s| &s.value);
        }
        siblings.last().map(|sibling| &sibling.value)
    }

    /// The text shown of a path.
    pub fn shown_text(&self, path: &str) -> Option<&str> {
        self.shown(path).and_then(Value::as_text)
    }

    /// The different values of a path; equal values count as one.
    pub fn distinct(&self, path: &str) -> Vec<&Value> {
        let mut values: Vec<&Value> = Vec::new();
        for sibling in self.siblings(path) {
            if !values.contains(&&sibling.value) {
                values.push(&sibling.value);
            }
        }
        values
    }

    /// True when a path holds the same values in both, whoever wrote them.
    pub fn shows_the_same(&self, other: &Self, path: &str) -> bool {
        let (ours, theirs) = (self.distinct(path), other.distinct(path));
        ours.len() == theirs.len() && ours.iter().all(|value| theirs.contains(value))
    }

    /// Paths with more than one different value: what a person has to settle.
    pub fn conflicts(&self) -> impl Iterator<Item = &FieldPath> {
        let several = |(_, siblings): &(&FieldPath, &Vec<Sibling>)| {
            siblings.first().is_some_and(|first| siblings.iter().any(|s| s.value != first.value))
        };
        self.fields.iter().filter(|(path, _)| !path.is_deleted()).filter(several).map(|(p, _)| p)
    }

    /// Elements of a flattened set (`photos`, `timeline`, `answers`): key and shown value.
    pub fn elements<'a>(&'a self, set: &'a str) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.fields
            .iter()
            .filter(move |(path, _)| path.head() == set)
            .filter_map(|(path, list)| Some((path.key()?, &list.last()?.value)))
    }

    /// Every sibling's dot is covered by the context (an invariant; checked on what comes from outside).
    pub fn is_covered(&self) -> bool {
        self.fields.values().flatten().all(|sibling| self.context.covers_dot(sibling.dot))
    }
}
