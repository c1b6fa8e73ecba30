//! Household check 入户检查: answers about a dwelling at one visit. It has no grid of its own and moves
//! with its household.

use crate::schema::{
    KindSpec, PHOTO, PathSpec, RECORDED_AT, Shape, Writer, Writer::*, deletion_by, may, must,
};

pub const OUTCOMES: &[&str] = &["done", "nobody_home", "declined"];
pub const ANSWERS: &[&str] = &["fine", "problem", "not_applicable"];

const CHECKER: &[Writer] = &[Author, Chief, Supervisor];

/// The kind.
pub const SPEC: KindSpec = KindSpec {
    paths: &[
        PathSpec::new("household", Shape::Record, &[Author], "which dwelling")
            .required()
            .immutable(),
        PathSpec::new("template", Shape::Name, &[Author], "which list of questions")
            .required()
            .immutable(),
        PathSpec::new(
            "template_version",
            Shape::Int { min: 1, max: 1_000_000 },
            &[Author],
            "in which wording",
        )
        .required()
        .immutable(),
        PathSpec::new(
            "outcome",
            Shape::Word(OUTCOMES),
            CHECKER,
            "whether the visit took place; declining is no mark against anyone",
        )
        .required(),
        PathSpec::new("checked_at", Shape::Time, CHECKER, "when").required(),
        PathSpec::new(
            "answers.*",
            Shape::Object(&[
                must("answer", Shape::Word(ANSWERS)),
                may("note", Shape::Text),
                may("photos", Shape::List(&Shape::Hash)),
            ]),
            CHECKER,
            "the state of the dwelling, item by item",
        ),
        PathSpec::new("advice", Shape::Text, CHECKER, "the written advice given"),
        PathSpec::new("due_on", Shape::Date, CHECKER, "when to look again"),
        PathSpec::new(
            "recheck",
            Shape::Object(&[
                must("by", Shape::Account),
                must("at", Shape::Time),
                must("passed", Shape::Bool),
            ]),
            CHECKER,
            "whether the problems are gone",
        ),
        PathSpec::new(
            "consent",
            Shape::Object(&[must("notice_version", Shape::Name), must("at", Shape::Time)]),
            CHECKER,
            "that the household was told what is recorded",
        ),
        PathSpec::new("photos.*", PHOTO, CHECKER, "the object, not people"),
        PathSpec::new("note", Shape::Text, CHECKER, "what else there was about the dwelling"),
        RECORDED_AT,
        deletion_by(CHECKER),
    ],
    basis: "Fire Protection Law of the PRC, art. 32; consent of the household",
    retention: "2 years",
    start: "",
    steps: &[],
};
