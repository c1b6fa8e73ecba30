//! Deletion is a register whose value is the context in view when a person deleted.
//!
//! A record counts as deleted while one such value covers every dot outside `$deleted`. An edit that
//! the deleter had not seen therefore brings the record back into view, as contested.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::dot::Dot;
use crate::path::{self, FieldPath};
use crate::record::{Change, Record};
use crate::value::Value;
use crate::version_vector::VersionVector;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    Live,
    Deleted,
    /// Deleted by one, edited by another: content kept, a person decides.
    Contested,
}

/// How the record stands.
pub fn state(record: &Record) -> Deletion {
    let deletions = record.siblings(path::DELETED);
    if deletions.is_empty() {
        return Deletion::Live;
    }
    let others = || record.fields.iter().filter(|(path, _)| !path.is_deleted());
    let covers_all = |seen: VersionVector| {
        others().flat_map(|(_, siblings)| siblings).all(|s| seen.covers_dot(s.dot))
    };
    if deletions.iter().filter_map(|s| context_of(&s.value)).any(covers_all) {
        Deletion::Deleted
    } else {
        Deletion::Contested
    }
}

/// The change that deletes the record as it is in view.
pub fn delete(in_view: &Record) -> (FieldPath, Change) {
    let value = Some(value_of(&in_view.context));
    (path::deleted(), Change { replaces: in_view.dots(path::DELETED), value })
}

/// The change that takes every deletion in view back.
pub fn undelete(in_view: &Record) -> (FieldPath, Change) {
    (path::deleted(), Change { replaces: in_view.dots(path::DELETED), value: None })
}

/// A context as the value of `$deleted`.
pub fn value_of(context: &VersionVector) -> Value {
    let number = |counter| Value::Int(i64::try_from(counter).unwrap_or(crate::limits::MAX_INTEGER));
    Value::map(context.iter().map(|dot| (dot.replica.to_string(), number(dot.counter))))
}

/// Reads the value of `$deleted`; `None` when it is not one.
pub fn context_of(value: &Value) -> Option<VersionVector> {
    let entry = |(replica, counter): (&String, &Value)| {
        let counter = u64::try_from(counter.as_int()?).ok()?;
        Some(Dot::new(replica.parse().ok()?, counter))
    };
    value.as_map()?.iter().map(entry).collect()
}

/// `$deleted` after the saves that it had covered were written again under fresh dots
/// (`fresh`: old dot → new dot) on a record whose context was `before`.
///
/// Of what it had seen it keeps what the record has: an own dot that was left behind may since stand
/// for the write of a twin. And a version vector names a fresh dot only together with every earlier one
/// of that replica, those put again beside it included: it covers them up to the first that the deleter
/// had not seen.
/// Either way the record is then contested, and no unseen edit is taken for deleted.
pub(crate) fn recomputed(
    value: &Value,
    fresh: &BTreeMap<Dot, Dot>,
    before: &VersionVector,
) -> Value {
    let Some(seen) = context_of(value) else { return value.clone() };
    let still = |dot: Dot| Dot::new(dot.replica, dot.counter.min(before.get(dot.replica)));
    let earlier_seen = |new: &Dot| seen.covers_dot(Dot::new(new.replica, before.get(new.replica)));
    let mut in_order: Vec<(Dot, Dot)> = fresh.iter().map(|(old, new)| (*new, *old)).collect();
    in_order.sort();
    let again = in_order
        .into_iter()
        .take_while(|(new, old)| seen.covers_dot(*old) && earlier_seen(new))
        .map(|(new, _)| new);
    value_of(&seen.iter().map(still).chain(again).collect())
}
