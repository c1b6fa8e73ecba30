//! Household 住户: a dwelling that is visited. Nothing about the people but how to reach them.

use crate::schema::{KindSpec, PathSpec, RECORDED_AT, Shape, Writer, Writer::*, deletion_by, must};

/// Bands of the occupant count.
pub const OCCUPANTS: &[&str] = &["empty", "1", "2_3", "4_6", "7_plus"];

const KEEPER: &[Writer] = &[Chief, Supervisor];

/// The kind. The list is closed by privacy.md; see docs/PRIVACY.md before adding to it.
pub const SPEC: KindSpec = KindSpec {
    paths: &[
        PathSpec::new("address", Shape::Line, KEEPER, "door plate or address, to find it")
            .required(),
        PathSpec::new("grid", Shape::Grid, KEEPER, "who visits it").required(),
        PathSpec::new("position", Shape::Position, KEEPER, "to find it"),
        PathSpec::new("contact_name", Shape::Name, KEEPER, "whom to ask for"),
        PathSpec::new("contact_phone", Shape::Name, KEEPER, "to call before a visit or in danger"),
        PathSpec::new(
            "occupants",
            Shape::Word(OCCUPANTS),
            KEEPER,
            "how many to look for in an emergency; a band",
        ),
        PathSpec::new(
            "need_help",
            Shape::Object(&[
                must("count", Shape::Int { min: 0, max: 20 }),
                must("consent_version", Shape::Name),
                must("consent_at", Shape::Time),
            ]),
            KEEPER,
            "how many need help to leave in a fire; only with consent",
        ),
        RECORDED_AT,
        deletion_by(KEEPER),
    ],
    basis: "Fire Protection Law of the PRC, art. 32 (residents' committees); consent for need_help",
    retention: "while visited; 2 years after the last check",
    start: "",
    steps: &[],
};
