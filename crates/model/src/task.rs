//! Task 待办: something a person or a grid is asked to do.

use crate::schema::{KindSpec, PathSpec, RECORDED_AT, Shape, Writer, Writer::*, deletion_by};
use crate::status::{Step, TIMELINE, step, step_with_note};

pub const WHAT: &[&str] = &["recheck", "patrol", "other"];
/// Least finished first.
pub const STATUS: &[&str] = &["open", "acknowledged", "declined", "done", "cancelled"];
/// What a task starts as.
pub const START: &str = "open";

const GIVER: &[Writer] = &[Author, Supervisor];
const DOER: &[Writer] = &[Assignee, Supervisor];

pub const STEPS: &[Step] = &[
    step("open", "acknowledged", DOER),
    step("open", "done", DOER),
    step("acknowledged", "done", DOER),
    step_with_note("open", "declined", DOER),
    step_with_note("acknowledged", "declined", DOER),
    step("open", "cancelled", GIVER),
    step("acknowledged", "cancelled", GIVER),
    step("declined", "cancelled", GIVER),
    step("declined", "open", GIVER),
    step_with_note("done", "open", GIVER),
];

/// The kind.
pub const SPEC: KindSpec = KindSpec {
    paths: &[
        PathSpec::new("what", Shape::Word(WHAT), GIVER, "what sort of work").required(),
        PathSpec::new("about", Shape::Record, GIVER, "the record it is about"),
        PathSpec::new("assignee", Shape::Account, GIVER, "who is to do it"),
        PathSpec::new("grid", Shape::Grid, GIVER, "whose chiefs are to do it"),
        PathSpec::new("due_on", Shape::Date, GIVER, "until when"),
        PathSpec::new("words", Shape::Text, GIVER, "what is to be done").required(),
        PathSpec::new(
            "status",
            Shape::Word(STATUS),
            &[Author, Assignee, Supervisor],
            "how far it is",
        )
        .required(),
        PathSpec::new("timeline.*", TIMELINE, &[Reader], "who did what and when").immutable(),
        RECORDED_AT,
        deletion_by(GIVER),
    ],
    basis: "direction of the town's own duty",
    retention: "2 years",
    start: START,
    steps: STEPS,
};
