//! Merge of two states of one record: commutative, associative, idempotent.
//!
//! The context becomes the pointwise maximum; on each path a sibling is kept that both have, or that
//! one has and the other's context does not cover. Empty paths vanish.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::dot::Dot;
use crate::path::FieldPath;
use crate::record::{Record, Sibling};
use crate::version_vector::{Order, VersionVector};

/// Something that cannot happen while every replica keeps the rules. Nothing is dropped because of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alarm {
    /// Equal contexts, different fields: the union was kept.
    EqualContextsDiffer,
    /// One dot stands for two values: both were kept.
    DotReused,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    pub record: Record,
    pub alarm: Option<Alarm>,
}

/// The two states do not belong to one record: id, kind or author differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("states of different records cannot be merged")]
pub struct NotTheSame;

/// Merges two states of one record. Never refused for size or count.
pub fn merge(a: &Record, b: &Record) -> Result<Merged, NotTheSame> {
    if a.id != b.id || a.kind != b.kind || a.created_by != b.created_by {
        return Err(NotTheSame);
    }
    // Equal states are the commonest case: what was pushed comes back, a page arrives twice.
    if a.context.compare(&b.context) == Order::Equal {
        return Ok(merge_equal_contexts(a, b));
    }
    let mut context = a.context.clone();
    context.join(&b.context);
    let mut reused = false;
    let fields = both(&a.fields, &b.fields).filter_map(|(path, ours, theirs)| {
        let merged = merge_path((ours, &a.context), (theirs, &b.context), &mut reused);
        (!merged.is_empty()).then(|| (path.clone(), merged))
    });
    let fields = fields.collect();
    let record =
        Record { id: a.id, kind: a.kind.clone(), created_by: a.created_by, context, fields };
    Ok(Merged { record, alarm: reused.then_some(Alarm::DotReused) })
}

fn merge_equal_contexts(a: &Record, b: &Record) -> Merged {
    if a.fields == b.fields {
        return Merged { record: a.clone(), alarm: None };
    }
    let mut record = a.clone();
    for (path, theirs) in &b.fields {
        let ours = record.fields.entry(path.clone()).or_default();
        ours.extend(theirs.iter().cloned());
        ours.sort();
        ours.dedup();
    }
    Merged { record, alarm: Some(Alarm::EqualContextsDiffer) }
}

fn merge_path(
    (ours, our_context): (&[Sibling], &VersionVector),
    (theirs, their_context): (&[Sibling], &VersionVector),
    reused: &mut bool,
) -> Vec<Sibling> {
    let has = |list: &[Sibling], dot: Dot| list.iter().any(|s| s.dot == dot);
    let mut kept: Vec<Sibling> = Vec::with_capacity(ours.len().max(theirs.len()));
    for sibling in ours {
        if has(theirs, sibling.dot) || !their_context.covers_dot(sibling.dot) {
            kept.push(sibling.clone());
        }
    }
    for sibling in theirs {
        if ours.contains(sibling) {
            continue;
        }
        if has(ours, sibling.dot) {
            *reused = true;
            kept.push(sibling.clone());
        } else if !our_context.covers_dot(sibling.dot) {
            kept.push(sibling.clone());
        }
    }
    kept.sort();
    kept
}

type Fields = BTreeMap<FieldPath, Vec<Sibling>>;

/// Walks two sorted maps side by side; a path that one lacks comes with an empty list.
fn both<'a>(
    a: &'a Fields,
    b: &'a Fields,
) -> impl Iterator<Item = (&'a FieldPath, &'a [Sibling], &'a [Sibling])> {
    let (mut left, mut right) = (a.iter().peekable(), b.iter().peekable());
    std::iter::from_fn(move || {
        let order = match (left.peek(), right.peek()) {
            (Some((p, _)), Some((q, _))) => p.cmp(q),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (None, None) => return None,
        };
        let ours = if order.is_le() { left.next() } else { None };
        let theirs = if order.is_ge() { right.next() } else { None };
        let path = ours.or(theirs).map(|(path, _)| path)?;
        let list = |side: Option<(&'a FieldPath, &'a Vec<Sibling>)>| -> &'a [Sibling] {
            side.map_or(&[], |(_, siblings)| siblings.as_slice())
        };
        Some((path, list(ours), list(theirs)))
    })
}
