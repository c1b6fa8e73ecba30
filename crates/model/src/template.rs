//! Template of a household check: versioned, published by the town, pulled by phones.

use crate::schema::{KindSpec, PathSpec, Shape, Writer, Writer::*, deletion_by, may, must};

const TOWN: &[Writer] = &[Admin];

const ITEM: Shape = Shape::Object(&[
    must("key", Shape::Name),
    must("zh", Shape::Line),
    must("en", Shape::Line),
    must("weight", Shape::Int { min: 1, max: 5 }),
    must("critical", Shape::Bool),
    must("advice_zh", Shape::Text),
    must("advice_en", Shape::Text),
    may("photo_when_problem", Shape::Bool),
]);

/// The kind.
pub const SPEC: KindSpec = KindSpec {
    paths: &[
        PathSpec::new("code", Shape::Name, TOWN, "which list of questions").required().immutable(),
        PathSpec::new("version", Shape::Int { min: 1, max: 1_000_000 }, TOWN, "in which wording")
            .required()
            .immutable(),
        PathSpec::new("title_zh", Shape::Line, TOWN, "its name").required(),
        PathSpec::new("title_en", Shape::Line, TOWN, "its name").required(),
        PathSpec::new("purpose", Shape::Line, TOWN, "why it is asked").required(),
        PathSpec::new("basis", Shape::Line, TOWN, "the legal basis").required(),
        PathSpec::new("retention", Shape::Line, TOWN, "how long answers are kept").required(),
        PathSpec::new("items", Shape::List(&ITEM), TOWN, "questions about the dwelling").required(),
        deletion_by(TOWN),
    ],
    basis: "direction of the town's own duty",
    retention: "while checks refer to it",
    start: "",
    steps: &[],
};
