//! Status steps: who may take a case from one state to the next.
//!
//! Each step writes, in the same save, an immutable entry `timeline.<uuid>`
//! `{step: {from, to}, by, at, note}`. The phone checks with [`legal_steps`] before saving, the town
//! again when the save arrives. Concurrent legal results are siblings of `status`; a supervisor settles.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::dot::Dot;
use crate::kind::Kind;
use crate::record::{Record, Sibling};
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
/// steps from a state that the writer had read, and every value taken away must be one that a step
/// leaves. Several offline steps make a path. Where several states stand at once a supervisor (for a
/// task also who gave it) may settle by choosing one of them; nobody else takes a state away.
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
    let writing = Writing::of(before, incoming);
    for (_, taken) in &writing.steps {
        check_step(spec.steps, taken, relations)?;
    }
    let settles = may_settle(&incoming.kind, relations);
    let history: BTreeSet<&str> = writing
        .history
        .iter()
        .copied()
        .chain(writing.replaced.clone())
        .chain([spec.start])
        .collect();
    // One save is judged exactly: what it replaced is what its writer had read. Of several saves the
    // later ones may have settled with what came in between; that is for those who may settle.
    let exact = writing.replaced_all && (writing.saves().len() <= 1 || !settles);
    let read = if exact { writing.replaced.iter().copied().collect() } else { history.clone() };
    let (reached, told) = (writing.reached_from(read), writing.reached_from(history));
    if let Some((_, stray)) = writing.steps.iter().find(|(_, taken)| !told.contains(taken.from)) {
        return Err(StepError::NotExplained(stray.from.to_owned()));
    }
    let leads = |(_, taken): &&(Dot, Taken<'_>)| reached.contains(taken.from);
    let led: BTreeSet<&str> = writing.steps.iter().filter(leads).map(|(_, t)| t.to).collect();
    let contested = before.is_some_and(|b| b.distinct("status").len() > 1);
    let stays = |state: &str| {
        incoming.distinct("status").iter().any(|value| value.as_text() == Some(state))
    };
    let takes_away = writing.replaced.iter().any(|state| !stays(state));
    for (_, word) in &writing.states {
        let settled = settles && (contested || writing.saves().len() > 1) && reached.contains(word);
        let started = before.is_none() && *word == spec.start;
        // A state that stands there, written again beside the others (a phone that took a new replica id),
        // is no step.
        let there = |b: &Record| b.distinct("status").iter().any(|v| v.as_text() == Some(word));
        let stands = !takes_away && before.is_some_and(there);
        if !(led.contains(word) || settled || started || stands) {
            return Err(if before.is_none() && writing.steps.is_empty() {
                StepError::WrongStart(spec.start)
            } else {
                StepError::NotExplained((*word).to_owned())
            });
        }
    }
    if settles {
        return Ok(());
    }
    let left = |state: &str| {
        stays(state) || writing.steps.iter().filter(leads).any(|(_, taken)| taken.from == state)
    };
    match writing.replaced.iter().find(|state| !left(state)) {
        None => Ok(()),
        Some(state) => Err(StepError::NotAllowed {
            from: (*state).to_owned(),
            to: incoming.shown_text("status").unwrap_or_default().to_owned(),
        }),
    }
}

/// Who may choose between concurrent states (records.md: a supervisor settles it).
fn may_settle(kind: &Kind, relations: &[Writer]) -> bool {
    let giver = *kind == Kind::Task && relations.contains(&Writer::Author);
    giver || relations.contains(&Writer::Supervisor)
}

/// What a writer did to the status of a record, as the receiver sees it.
struct Writing<'a> {
    /// New timeline steps, with the save that wrote them.
    steps: Vec<(Dot, Taken<'a>)>,
    /// New states.
    states: Vec<(Dot, &'a str)>,
    /// The receiver's present states that the writer had seen and took away.
    replaced: Vec<&'a str>,
    /// Those are all its present states: nothing here is concurrent to them. False for a new record.
    replaced_all: bool,
    /// States that the writer has seen, or that the older part of its timeline tells of.
    history: Vec<&'a str>,
}

impl<'a> Writing<'a> {
    fn of(before: Option<&'a Record>, incoming: &'a Record) -> Self {
        let timeline = incoming.fields.iter().filter(|(path, _)| path.head() == "timeline");
        let entries =
            timeline.flat_map(|(path, list)| list.iter().map(move |s| (path.as_str(), s)));
        let (new, old): (Vec<_>, Vec<_>) =
            entries.partition(|(path, sibling)| is_added(before, path, sibling));
        let present = before.map_or(&[] as &[Sibling], |b| b.siblings("status"));
        let status = incoming.siblings("status");
        let seen = || present.iter().filter(|s| incoming.context.covers_dot(s.dot));
        let gone: Vec<&Sibling> = seen().filter(|s| !status.contains(s)).collect();
        let word = |s: &'a Sibling| s.value.as_text().unwrap_or_default();
        let told = old.iter().filter_map(|(_, s)| Some(taken(&s.value)?.to));
        Self {
            steps: new.iter().filter_map(|(_, s)| Some((s.dot, taken(&s.value)?))).collect(),
            states: status
                .iter()
                .filter(|s| is_added(before, "status", s))
                .map(|s| (s.dot, word(s)))
                .collect(),
            replaced_all: !present.is_empty() && gone.len() == present.len(),
            history: seen().map(word).chain(told).collect(),
            replaced: gone.into_iter().map(word).collect(),
        }
    }

    /// The saves that wrote a step or a state.
    fn saves(&self) -> BTreeSet<Dot> {
        let steps = self.steps.iter().map(|(dot, _)| *dot);
        steps.chain(self.states.iter().map(|(dot, _)| *dot)).collect()
    }

    /// The states that the new steps lead to from these, and these.
    fn reached_from(&self, mut states: BTreeSet<&'a str>) -> BTreeSet<&'a str> {
        loop {
            let leads = |t: &Taken<'_>| states.contains(t.from) && !states.contains(t.to);
            let steps = self.steps.iter().filter(|(_, taken)| leads(taken));
            let more: Vec<&str> = steps.map(|(_, taken)| taken.to).collect();
            if more.is_empty() {
                return states;
            }
            states.extend(more);
        }
    }
}

/// Whether a merge would add this sibling: a dot that the receiver's context covers and that is gone
/// there was replaced, not written now.
fn is_added(before: Option<&Record>, path: &str, sibling: &Sibling) -> bool {
    let Some(before) = before else { return true };
    let there = before.siblings(path);
    let has_dot = there.iter().any(|s| s.dot == sibling.dot);
    !there.contains(sibling) && (has_dot || !before.context.covers_dot(sibling.dot))
}
