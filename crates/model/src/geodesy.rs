//! Lengths on the earth, the times of a track, its drawn line, and which grid a point is in.
//!
//! Distances are geodesics on the WGS-84 ellipsoid (Karney, *Algorithms for geodesics*, J. Geodesy 87,
//! 2013), never on a sphere. Length is taken over every fix that is handed in, and only the drawing is simplified;
//! which fixes of a recorded patrol are to be believed is for [`doubt`] to say. Not here: reading track files, and
//! the smoothing of positions.

pub mod boundary;
pub mod doubt;
pub mod line;
pub mod summary;
pub mod times;

#[cfg(test)]
mod tests;

use geo::{Distance, Geodesic, Point};

use crate::position::Position;

pub use boundary::{Area, Boundaries};
pub use doubt::{Doubt, believed, doubts};
pub use summary::{Summary, summarise};
pub use times::{Gap, Times};

/// Less than any degree of latitude on the ellipsoid, in metres (the shortest, at the equator, has
/// 110,574).
const SHORTEST_DEGREE_M: f64 = 110_500.0;

/// One fix of a track, as the receiver gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fix {
    pub position: Position,
    /// Milliseconds since 1970-01-01 UTC, as recorded; may be nonsense (see [`times`]).
    pub at_ms: Option<i64>,
    pub accuracy_cm: Option<i64>,
    /// Elevation, as the receiver or the file gave it.
    pub ele_cm: Option<i64>,
}

/// The geodesic distance, in metres. Symmetric.
pub fn distance_m(a: Position, b: Position) -> f64 {
    // A fixed order of the two ends: the series may differ in its last bit with the direction.
    let (a, b) = if (a.lat_e7, a.lon_e7) <= (b.lat_e7, b.lon_e7) { (a, b) } else { (b, a) };
    Geodesic.distance(Point::new(a.lon(), a.lat()), Point::new(b.lon(), b.lat()))
}

/// Whether two positions lie at most `metres` apart. Cheap for positions far apart in latitude, so that
/// "already reported?" may ask it of every open hazard.
pub fn within_m(a: Position, b: Position, metres: f64) -> bool {
    let apart = (a.lat() - b.lat()).abs();
    apart * SHORTEST_DEGREE_M <= metres && distance_m(a, b) <= metres
}

/// The length of a track in centimetres: the sum over consecutive positions within each segment, all of
/// them. Between segments nothing is counted. Rounded once, at the end.
pub fn length_cm(segments: &[Vec<Position>]) -> i64 {
    let steps = segments.iter().flat_map(|s| s.iter().zip(s.iter().skip(1)));
    let metres: f64 = steps.map(|(a, b)| distance_m(*a, *b)).sum();
    (metres * 100.0).round() as i64
}

/// The positions of a track's fixes, as [`length_cm`] wants them.
pub fn positions(segments: &[Vec<Fix>]) -> Vec<Vec<Position>> {
    segments.iter().map(|s| s.iter().map(|fix| fix.position).collect()).collect()
}
