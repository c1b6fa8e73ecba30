//! Notice 通知: words from the town to those on duty.

use crate::role::Role;
use crate::schema::{KindSpec, PathSpec, RECORDED_AT, Shape, Writer, Writer::*, deletion_by};

const TOWN: &[Writer] = &[Author, Supervisor, Admin];
const ROLES: &[&str] = &["volunteer", "chief", "supervisor", "admin"];
const _: () = assert!(ROLES.len() == Role::ALL.len());

/// The kind. Without `grids` it is for the whole town, without `roles` for every role.
pub const SPEC: KindSpec = KindSpec {
    paths: &[
        PathSpec::new("title", Shape::Line, TOWN, "what it is about").required(),
        PathSpec::new("text", Shape::Text, TOWN, "what is to be known").required(),
        PathSpec::new("grids", Shape::List(&Shape::Grid), TOWN, "where it holds"),
        PathSpec::new("roles", Shape::List(&Shape::Word(ROLES)), TOWN, "for whom"),
        PathSpec::new("valid_until", Shape::Time, TOWN, "until when"),
        RECORDED_AT,
        deletion_by(TOWN),
    ],
    basis: "direction of the town's own duty",
    retention: "2 years",
    start: "",
    steps: &[],
};
