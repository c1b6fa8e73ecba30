//! Does the real state agree with the oracle, sibling by sibling?

use yaoguan_model::deletion::{self, Deletion};
use yaoguan_model::{Changes, FieldPath, Record, Value};

use crate::events::Events;
use crate::history::{DELETED, Diff, FIELDS, History, PATHS, Standing, State};

/// The names of a run's paths.
pub const NAMES: [&str; PATHS] = ["title", "severity", "photos.0a", "later.unknown_0", "$deleted"];

pub fn name(path: usize) -> FieldPath {
    NAMES[path].parse().expect("a path")
}

fn expected(history: &History, events: &Events, path: usize) -> Vec<i64> {
    let mut values: Vec<i64> = events.iter().map(|event| history.value(event, path)).collect();
    values.sort_unstable();
    values
}

fn number(value: &Value) -> i64 {
    value.as_int().unwrap_or(-1)
}

/// A record against what the oracle expects of it.
pub fn record(history: &History, record: &Record, state: &State) -> Result<(), String> {
    let view = history.view(&state.known);
    let mut paths = 0;
    for (path, events) in view.iter().enumerate() {
        let siblings = record.siblings(NAMES[path]);
        paths += usize::from(!siblings.is_empty());
        let mut got: Vec<i64> = siblings.iter().map(|s| number(&s.value)).collect();
        got.sort_unstable();
        let want = expected(history, events, path);
        let same = if path == DELETED { got.len() == want.len() } else { got == want };
        if !same {
            return Err(format!("{}: shows {got:?}, the oracle says {want:?}", NAMES[path]));
        }
    }
    if paths != record.fields.len() {
        return Err("a path that nobody wrote, or one without siblings".to_owned());
    }
    if !record.is_covered() {
        return Err("a sibling's dot is not covered".to_owned());
    }
    let (got, want) = (deletion::state(record), history.standing(&view));
    let cautious = || view[DELETED].iter().any(|deletion| history.events[deletion].cautious);
    let careful = matches!((got, want), (Deletion::Contested, Standing::Deleted)) && cautious();
    let same = careful
        || matches!(
            (got, want),
            (Deletion::Live, Standing::Live)
                | (Deletion::Deleted, Standing::Deleted)
                | (Deletion::Contested, Standing::Contested)
        );
    if same { Ok(()) } else { Err(format!("stands as {got:?}, the oracle says {want:?}")) }
}

/// Quarantined changes against the oracle's.
pub fn changes(history: &History, changes: &Changes, diff: &Diff) -> Result<(), String> {
    for (path, name) in NAMES.iter().enumerate() {
        let (added, removed) = (&diff.added[path], &diff.removed[path]);
        let real = changes.paths.get(*name);
        let mut got: Vec<i64> =
            real.iter().flat_map(|c| &c.added).map(|s| number(&s.value)).collect();
        got.sort_unstable();
        let want = expected(history, added, path);
        let same = if path < FIELDS { got == want } else { got.len() == want.len() };
        if !same || real.map_or(0, |c| c.removed.len()) != removed.iter().count() {
            return Err(format!("quarantine of {name}: {got:?}, not {want:?}"));
        }
    }
    Ok(())
}
