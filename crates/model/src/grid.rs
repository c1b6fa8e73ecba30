//! Grid 网格: a part of a village with its boundary. Written by the town, read by everyone enrolled.

use crate::schema::{KindSpec, PathSpec, Shape, Writer, Writer::*, deletion_by};

const TOWN: &[Writer] = &[Admin];

/// The kind.
pub const SPEC: KindSpec = KindSpec {
    paths: &[
        PathSpec::new("code", Shape::Grid, TOWN, "village code and 3 digits")
            .required()
            .immutable(),
        PathSpec::new("name", Shape::Name, TOWN, "its name").required(),
        PathSpec::new(
            "village",
            Shape::Name,
            TOWN,
            "code of the village (National Bureau of Statistics)",
        )
        .required(),
        PathSpec::new("village_name", Shape::Name, TOWN, "name of the village").required(),
        PathSpec::new(
            "boundary",
            Shape::List(&Shape::Text),
            TOWN,
            "rings of its polygons, polyline-encoded (1e-7)",
        ),
        PathSpec::new("invented", Shape::Bool, TOWN, "the boundary is made up for a demonstration"),
        deletion_by(TOWN),
    ],
    basis: "public division of the town",
    retention: "while in force",
    start: "",
    steps: &[],
};
