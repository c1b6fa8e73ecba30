//! Everything a patrol record says about its track, computed at once from every fix.

use super::line::{self, BadLine};
use super::times::Times;
use super::{Fix, length_cm, positions};
use crate::patrol::LINE_TOLERANCE_M;

/// The registers of a patrol that come from its track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// `distance_cm`.
    pub distance_cm: i64,
    /// First and last time, `duration_s`, `gap_s`, the gaps, and what was left out of them.
    pub times: Times,
    /// `line`.
    pub line: Vec<String>,
    /// How many fixes there are.
    pub fixes: usize,
}

/// Summarises a track; an error only for positions that are not on the earth.
pub fn summarise(segments: &[Vec<Fix>]) -> Result<Summary, BadLine> {
    Ok(Summary {
        distance_cm: length_cm(&positions(segments)),
        times: Times::of(segments),
        line: line::encode_parts(segments, LINE_TOLERANCE_M)?,
        fixes: segments.iter().map(Vec::len).sum(),
    })
}
