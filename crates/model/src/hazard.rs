//! Hazard 隐患: something dangerous at a place, and what was done about it.

use crate::schema::{
    KindSpec, PHOTO, PathSpec, RECORDED_AT, Shape, Writer, Writer::*, deletion_by, may, must,
};
use crate::status::{Step, TIMELINE, step, step_with_note};

pub const CATEGORIES: &[&str] = &[
    "fire",
    "electrical",
    "gas",
    "structure",
    "slope",
    "flood",
    "road",
    "water",
    "forest_fire",
    "food_drug",
    "workplace",
    "sanitation",
    "public_health",
    "public_order",
    "other",
];
pub const SEVERITIES: &[&str] = &["general", "serious", "major"];
/// Least finished first.
pub const STATUS: &[&str] = &[
    "reported",
    "returned",
    "verified",
    "assigned",
    "rectifying",
    "rectified",
    "transferred",
    "merged",
    "unfounded",
    "closed",
];
/// What a report starts as.
pub const START: &str = "reported";
/// "Already reported?" looks this far around, in metres.
pub const NEARBY_M: f64 = 50.0;

const REPORTER: &[Writer] = &[Author, Chief, Supervisor];
const REVIEW: &[Writer] = &[Supervisor];
const REPAIR: &[Writer] = &[Assignee, Supervisor, Author];

/// Steps (records.md, *hazard*). A supervisor may take any of them, also on behalf of another.
pub const STEPS: &[Step] = &[
    step("reported", "rectified", &[Author, Supervisor]),
    step("returned", "reported", &[Author, Supervisor]),
    step("reported", "verified", REVIEW),
    step_with_note("reported", "returned", REVIEW),
    step_with_note("reported", "unfounded", REVIEW),
    step("reported", "merged", REVIEW),
    step("reported", "transferred", REVIEW),
    step("verified", "assigned", REVIEW),
    step_with_note("verified", "returned", REVIEW),
    step_with_note("verified", "unfounded", REVIEW),
    step("verified", "merged", REVIEW),
    step("verified", "transferred", REVIEW),
    step("verified", "closed", REVIEW),
    step("assigned", "verified", REVIEW),
    step("assigned", "transferred", REVIEW),
    step("assigned", "rectifying", &[Assignee, Supervisor]),
    step("assigned", "rectified", &[Assignee, Supervisor]),
    step("rectifying", "rectified", &[Assignee, Supervisor]),
    step("rectifying", "assigned", REVIEW),
    step("rectifying", "transferred", REVIEW),
    step_with_note("rectified", "assigned", REVIEW),
    step_with_note("rectified", "returned", REVIEW),
    step("rectified", "closed", REVIEW),
    step("transferred", "verified", REVIEW),
    step("transferred", "closed", REVIEW),
    step_with_note("merged", "reported", REVIEW),
    step_with_note("unfounded", "reported", REVIEW),
    step_with_note("closed", "reported", REVIEW),
];

/// The kind.
pub const SPEC: KindSpec = KindSpec {
    paths: &[
        PathSpec::new("category", Shape::Word(CATEGORIES), REPORTER, "what sort of danger")
            .required(),
        PathSpec::new("severity", Shape::Word(SEVERITIES), REPORTER, "how urgent").required(),
        PathSpec::new("title", Shape::Line, REPORTER, "one line to recognise it by"),
        PathSpec::new("description", Shape::Text, REPORTER, "what was seen"),
        PathSpec::new("position", Shape::Position, REPORTER, "where it is"),
        PathSpec::new("address", Shape::Line, REPORTER, "where it is, in words"),
        PathSpec::new("grid", Shape::Grid, REPORTER, "who is responsible").required(),
        PathSpec::new("seen_at", Shape::Time, REPORTER, "when it was seen").required(),
        PathSpec::new("photos.*", PHOTO, &[Reader], "what it looks like; the object, not people")
            .removed_by(REPORTER),
        PathSpec::new("patrol", Shape::Record, REPORTER, "the patrol on which it was seen"),
        PathSpec::new(
            "household",
            Shape::Record,
            &[Author, Chief, Supervisor],
            "the household it belongs to; restricts readers",
        ),
        PathSpec::new(
            "status",
            Shape::Word(STATUS),
            &[Author, Assignee, Supervisor],
            "how far the case is",
        )
        .required(),
        PathSpec::new("assignee", Shape::Account, REVIEW, "who is to put it right"),
        PathSpec::new("claimed_by", Shape::Account, REVIEW, "which supervisor is on it"),
        PathSpec::new("due_on", Shape::Date, REVIEW, "until when"),
        PathSpec::new(
            "rectification",
            Shape::Object(&[
                must("measures", Shape::Text),
                may("done_at", Shape::Time),
                may("photos", Shape::List(&Shape::Hash)),
            ]),
            REPAIR,
            "what was done about it",
        ),
        PathSpec::new(
            "recheck",
            Shape::Object(&[
                must("by", Shape::Account),
                must("at", Shape::Time),
                must("passed", Shape::Bool),
            ]),
            REVIEW,
            "whether it was really put right",
        ),
        PathSpec::new(
            "transfer",
            Shape::Object(&[
                must("unit", Shape::Line),
                must("at", Shape::Time),
                may("answer", Shape::Text),
            ]),
            REVIEW,
            "the unit outside that took it over, and its answer",
        ),
        PathSpec::new("duplicate_of", Shape::Record, REVIEW, "the report that it was merged into"),
        PathSpec::new("timeline.*", TIMELINE, &[Reader], "who did what and when").immutable(),
        PathSpec::new("source", Shape::Line, &[Author], "the table it was imported from")
            .immutable(),
        PathSpec::new("source_key", Shape::Line, &[Author], "its key in that table").immutable(),
        RECORDED_AT,
        deletion_by(REPORTER),
    ],
    basis: "Work Safety Law of the PRC, art. 73 (reports of accident hazards); Emergency Response Law, art. 22",
    retention: "2 years after closing",
    start: START,
    steps: STEPS,
};
