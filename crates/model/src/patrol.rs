//! Patrol 巡逻: people on duty, from start to stop, and the way they went.

use crate::limits::MAX_INTEGER;
use crate::schema::{
    KindSpec, PHOTO, PathSpec, RECORDED_AT, Shape, Writer, Writer::*, deletion_by,
};

/// Qingping patrol 清平巡逻队, anti-risk volunteers 防风险志愿队, chiefs, others.
pub const TEAMS: &[&str] = &["qingping", "anti_risk", "chief", "other"];
/// Time without a fix over this many seconds is a gap.
pub const GAP_S: i64 = 60;
/// A fix less certain than this is not measured by, in centimetres.
pub const POOR_ACCURACY_CM: i64 = 50 * 100;
/// Nobody patrols faster than this, in metres a second.
pub const MAX_SPEED_M_S: f64 = 50.0;
/// Tolerance of the simplified line, in metres.
pub const LINE_TOLERANCE_M: f64 = 5.0;

const OWN: &[Writer] = &[Author, Supervisor];
const AMOUNT: Shape = Shape::Int { min: 0, max: MAX_INTEGER };

/// The kind.
pub const SPEC: KindSpec = KindSpec {
    paths: &[
        PathSpec::new("team", Shape::Word(TEAMS), OWN, "which team was out").required(),
        PathSpec::new("grid", Shape::Grid, OWN, "where it went").required(),
        PathSpec::new("started_at", Shape::Time, OWN, "start of duty; nothing is recorded before")
            .required(),
        PathSpec::new("ended_at", Shape::Time, OWN, "end of duty; nothing is recorded after"),
        PathSpec::new(
            "members",
            Shape::Int { min: 1, max: 500 },
            OWN,
            "how many were out; a count, no names",
        ),
        PathSpec::new("weather", Shape::Line, OWN, "conditions on the way"),
        PathSpec::new("note", Shape::Text, OWN, "what there was to say"),
        PathSpec::new(
            "distance_cm",
            AMOUNT,
            OWN,
            "geodesic length within the segments, in centimetres",
        ),
        PathSpec::new("duration_s", AMOUNT, OWN, "first to last fix, in seconds"),
        PathSpec::new("gap_s", AMOUNT, OWN, "time without a fix, in seconds"),
        PathSpec::new(
            "line",
            Shape::List(&Shape::Text),
            OWN,
            "simplified line, polyline-encoded (1e-5), a part for each stretch",
        ),
        PathSpec::new("track", Shape::Hash, &[Author], "the blob with every fix"),
        PathSpec::new("photos.*", PHOTO, &[Reader], "what was seen; the object, not people")
            .removed_by(&[Author, Chief, Supervisor]),
        PathSpec::new("source", Shape::Line, &[Author], "the file it was imported from")
            .immutable(),
        PathSpec::new("source_key", Shape::Line, &[Author], "hash of that file's track")
            .immutable(),
        RECORDED_AT,
        deletion_by(OWN),
    ],
    basis: "duty records of the town's mass-prevention teams (Emergency Response Law, art. 26)",
    retention: "2 years",
    start: "",
    steps: &[],
};
