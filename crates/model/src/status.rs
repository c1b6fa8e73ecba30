//! Status steps: who may take a case from one state to the next.
//!
//! Each step writes, in the same save, an immutable entry `timeline.<uuid>`
//! `{step: {from, to}, by, at, note}`. The phone checks with [`legal_steps`] before saving, the town
//! again when the save arrives. Concurrent legal results are siblings of `status`; a person settles.

use std::collections::BTreeSet;

use crate::kind::Kind;
use crate::path::FieldPath;
use crate::record::Record;
use crate::schema::{Shape, Writer, may, must};
use crate::value::Value;

/// One allowed step.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    pub from: &'static str,
    pub to: &'static str,
    pub by: &'static [Writer],
    /// The reviewer must say why (return, decline).
    pub needs_note: bool,
}

/// A step that anyone of `by` may take.
pub const fn step(from: &'static str, to: &'static str, by: &'static [Writer]) -> Step {
    Step { from, to, by, needs_note: false }
}
/// The same with a reason.
pub const fn step_with_note(from: &'static str, to: &'static str, by: &'static [Writer]) -> Step {
    Step { from, to, by, needs_note: true }
}

/// The shape of `timeline.*`: a step, or a note without one.
pub const TIMELINE: Shape = Shape::Object(&[
    may("step", Shape::Object(&[must("from", Shape::Name), must("to", Shape::Name)])),
    must("by", Shape::Account),
    must("at", Shape::Time),
    may("note", Shape::Text),
]);

/// Why a status may not become what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    #[error("a record of this kind starts as `{0}`")]
    WrongStart(&'static str),
    #[error("no step leads from `{from}` to `{to}`")]
    NoSuchStep { from: String, to: String },
    #[error("the step from `{from}` to `{to}` is not yours to take")]
    NotAllowed { from: String, to: String },
    #[error("the step from `{from}` to `{to}` needs a reason")]
    NoteMissing { from: String, to: String },
    #[error("the status says `{0}` without a step that leads there")]
    NotExplained(String),
}

/// One step as it stands in the timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken<'a> {
    pub from: &'a str,
    pub to: &'a str,
    pub note: Option<&'a str>,
}

/// How far a status is, for showing the least finished of several. Unknown words count as unfinished.
pub fn finishedness(kind: &Kind, status: &Value) -> usize {
    let order: &[&str] = match kind {
        Kind::Hazard => crate::hazard::STATUS,
        Kind::Task => crate::task::STATUS,
        Kind::Patrol | Kind::Household | Kind::HouseholdCheck | Kind::Notice => &[],
        Kind::Grid | Kind::Template | Kind::Unknown(_) => &[],
    };
    status.as_text().and_then(|word| order.iter().position(|w| *w == word)).unwrap_or(0)
}

/// Reads a timeline entry's step.
pub fn taken(entry: &Value) -> Option<Taken<'_>> {
    let step = entry.get("step")?;
    let note = entry.get("note").and_then(Value::as_text).filter(|note| !note.trim().is_empty());
    Some(Taken { from: step.get("from")?.as_text()?, to: step.get("to")?.as_text()?, note })
}

/// Checks one step for an actor who stands to the record in `relations`.
pub fn check_step(
    steps: &[Step],
    taken: &Taken<'_>,
    relations: &[Writer],
) -> Result<(), StepError> {
    let words = || (taken.from.to_owned(), taken.to.to_owned());
    let fits = |s: &&Step| s.from == taken.from && s.to == taken.to;
    let Some(step) = steps.iter().find(fits) else {
        let (from, to) = words();
        return Err(StepError::NoSuchStep { from, to });
    };
    if !step.by.iter().any(|writer| relations.contains(writer)) {
        let (from, to) = words();
        return Err(StepError::NotAllowed { from, to });
    }
    if step.needs_note && taken.note.is_none() {
        let (from, to) = words();
        return Err(StepError::NoteMissing { from, to });
    }
    Ok(())
}

/// Judges what a writer did to `status`: every new value must be reached by a chain of new timeline
/// steps from a state that the writer had read. Several offline steps make a path.
///
/// `before` is the receiver's state (none: the record is new), `incoming` the writer's.
pub fn legal_steps(
    before: Option<&Record>,
    incoming: &Record,
    relations: &[Writer],
) -> Result<(), StepError> {
    let Some(spec) = incoming.kind.spec().filter(|spec| !spec.steps.is_empty()) else {
        return Ok(());
    };
    let start = spec.start;
    let is_new = |path: &FieldPath| before.is_none_or(|b| b.siblings(path.as_str()).is_empty());
    let entries: Vec<(&FieldPath, Taken<'_>)> = incoming
        .fields
        .iter()
        .filter(|(path, _)| path.head() == "timeline")
        .flat_map(|(path, list)| list.iter().filter_map(move |s| Some((path, taken(&s.value)?))))
        .collect();
    let (new, old): (Vec<_>, Vec<_>) = entries.into_iter().partition(|(path, _)| is_new(path));
    for (_, taken) in &new {
        check_step(spec.steps, taken, relations)?;
    }
    let mut reached = read_states(before, incoming, old.iter().map(|(_, taken)| taken.to), start);
    loop {
        let more: BTreeSet<&str> = new
            .iter()
            .filter(|(_, t)| reached.contains(t.from) && !reached.contains(t.to))
            .map(|(_, t)| t.to)
            .collect();
        if more.is_empty() {
            break;
        }
        reached.extend(more);
    }
    let led: BTreeSet<&str> =
        new.iter().filter(|(_, t)| reached.contains(t.from)).map(|(_, t)| t.to).collect();
    for sibling in incoming.siblings("status") {
        let known = before.is_some_and(|b| b.siblings("status").contains(sibling));
        let word = sibling.value.as_text().unwrap_or_default();
        // A state that several wrote at once is settled by choosing one of those read.
        let settled =
            before.is_some_and(|b| b.distinct("status").len() > 1) && reached.contains(word);
        if !(known || settled || led.contains(word) || before.is_none() && word == start) {
            return Err(if before.is_none() && new.is_empty() {
                StepError::WrongStart(start)
            } else {
                StepError::NotExplained(word.to_owned())
            });
        }
    }
    Ok(())
}

/// The states from which a writer may have started: those it replaced, or, if it had not seen the
/// receiver's present ones, any earlier one that its timeline tells of.
fn read_states<'a>(
    before: Option<&'a Record>,
    incoming: &'a Record,
    told: impl Iterator<Item = &'a str>,
    start: &'static str,
) -> BTreeSet<&'a str> {
    let Some(before) = before else { return BTreeSet::from([start]) };
    let present = before.siblings("status");
    let had_read: BTreeSet<&str> = present
        .iter()
        .filter(|s| incoming.context.covers_dot(s.dot))
        .filter_map(|s| s.value.as_text())
        .collect();
    if had_read.len() == present.len() && !present.is_empty() {
        return had_read;
    }
    had_read.into_iter().chain(told).chain([start]).collect()
}
