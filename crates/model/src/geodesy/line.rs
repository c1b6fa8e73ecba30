//! The drawn line of a track: split, simplified, polyline-encoded.
//!
//! A part ends where a segment ends and where a gap begins. Each part is simplified by itself (Douglas
//! and Peucker 1973) and keeps its first and last fix; a fix that stands alone is a part of one point.
//! The line is for drawing; no length is ever taken from it.

use geo::Coord;
use polyline::errors::PolylineError;

use super::times::{is_gap, plausible_ms};
use super::{Fix, Position};
use crate::limits::MAX_TEXT_CHARS;
use crate::position::PER_DEGREE;

/// Decimals of a track's line: 1e-5 degrees, about a metre.
pub const LINE_PRECISION: u32 = 5;
/// Decimals of a grid's ring: 1e-7 degrees, exact.
pub const RING_PRECISION: u32 = 7;

/// Characters that one number of a polyline can have: the largest difference, 360 degrees in 1e-7, has
/// 33 bits, 5 in a character.
const MAX_NUMBER_CHARS: usize = 7;

/// A position is out of range, or a text is not a polyline.
#[derive(Debug, thiserror::Error)]
#[error("not a line on the earth: {reason}")]
pub struct BadLine {
    reason: String,
}

impl From<PolylineError> for BadLine {
    fn from(error: PolylineError) -> Self {
        Self { reason: error.to_string() }
    }
}

/// The register `line` of a patrol: for each part an encoded polyline at 1e-5 degrees, within
/// `tolerance_m` of every fix of the part (and the rounding of the encoding, at most 0.8 m). A part
/// longer than a text may be goes on in the next element, which begins where the former ends.
pub fn encode_parts(segments: &[Vec<Fix>], tolerance_m: f64) -> Result<Vec<String>, BadLine> {
    let mut parts = Vec::new();
    for part in split_at_gaps(segments) {
        encode_within(&simplify(&part, tolerance_m), LINE_PRECISION, MAX_TEXT_CHARS, &mut parts)?;
    }
    Ok(parts)
}

/// The parts of a track: segments, split where the time between two fixes with a time is a gap. Fixes
/// without a plausible time in between stay with the part before.
pub fn split_at_gaps(segments: &[Vec<Fix>]) -> Vec<Vec<Position>> {
    let mut parts = Vec::new();
    for segment in segments {
        let mut part: Vec<Position> = Vec::new();
        let mut last_ms: Option<i64> = None;
        for fix in segment {
            let at_ms = plausible_ms(fix);
            if let (Some(from), Some(to)) = (last_ms, at_ms)
                && is_gap(from, to)
            {
                parts.push(std::mem::take(&mut part));
            }
            part.push(fix.position);
            last_ms = at_ms.or(last_ms);
        }
        parts.push(part);
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// Douglas–Peucker: the fewest points it finds such that no point lies further than `tolerance_m` from
/// the chord that stands for it. End points are kept. No recursion: tracks have a hundred thousand fixes.
pub fn simplify(points: &[Position], tolerance_m: f64) -> Vec<Position> {
    let Some(last) = points.len().checked_sub(1) else { return Vec::new() };
    let mut keep: Vec<usize> = vec![0, last];
    let mut open = vec![(0, last)];
    while let Some((from, to)) = open.pop() {
        let (Some(a), Some(b)) = (points.get(from), points.get(to)) else { continue };
        let chord = Chord::new(*a, *b);
        let inner = points.iter().enumerate().take(to).skip(from + 1);
        let far = inner.map(|(at, point)| (at, chord.distance_m(*point)));
        let furthest = far.max_by(|(_, a), (_, b)| a.total_cmp(b));
        if let Some((at, distance)) = furthest
            && distance > tolerance_m
        {
            keep.push(at);
            open.extend([(from, at), (at, to)]);
        }
    }
    keep.sort_unstable();
    keep.dedup();
    keep.into_iter().filter_map(|at| points.get(at).copied()).collect()
}

/// Two points and the metres around them, on a plane that touches the ellipsoid between them. Good to
/// better than a thousandth within some tens of kilometres, and not meant for more.
#[derive(Debug, Clone, Copy)]
pub struct Chord {
    origin: Position,
    /// Metres to the east and north in 1e-7 degrees.
    scale: (f64, f64),
    end: (f64, f64),
}

impl Chord {
    pub fn new(a: Position, b: Position) -> Self {
        let scale = metres_per_e7((a.lat() + b.lat()) / 2.0);
        let chord = Self { origin: a, scale, end: (0.0, 0.0) };
        Self { end: chord.project(b), ..chord }
    }

    /// From a point to the nearest point of the chord, in metres.
    pub fn distance_m(&self, point: Position) -> f64 {
        let (x, y) = self.project(point);
        let (dx, dy) = self.end;
        let square = dx * dx + dy * dy;
        let along = if square > 0.0 { ((x * dx + y * dy) / square).clamp(0.0, 1.0) } else { 0.0 };
        (x - along * dx).hypot(y - along * dy)
    }

    fn project(&self, point: Position) -> (f64, f64) {
        const HALF_TURN: i64 = 1_800_000_000;
        let east = point.lon_e7 - self.origin.lon_e7;
        // The short way round: a line may cross 180 degrees.
        let east = (east + HALF_TURN).rem_euclid(2 * HALF_TURN) - HALF_TURN;
        let north = point.lat_e7 - self.origin.lat_e7;
        (east as f64 * self.scale.0, north as f64 * self.scale.1)
    }
}

/// Metres to the east and north in 1e-7 degrees at a latitude: the ellipsoid's radii of curvature
/// (Snyder, *Map projections*, USGS 1987, eq. 4-18 to 4-20).
fn metres_per_e7(lat: f64) -> (f64, f64) {
    const A: f64 = 6_378_137.0;
    const E2: f64 = 0.006_694_379_990_14;
    let (sin, cos) = lat.to_radians().sin_cos();
    let w = 1.0 - E2 * sin * sin;
    let e7 = (1.0 / PER_DEGREE).to_radians();
    (e7 * A * cos / w.sqrt(), e7 * A * (1.0 - E2) / (w * w.sqrt()))
}

/// Encodes positions (Google's *Encoded Polyline Algorithm Format*) with so many decimals.
pub fn encode(points: &[Position], precision: u32) -> Result<String, BadLine> {
    let coordinates = points.iter().map(|p| Coord { x: p.lon(), y: p.lat() });
    Ok(polyline::encode_coordinates(coordinates, precision)?)
}

/// Decodes what [`encode`] made; safe on any text.
pub fn decode(text: &str, precision: u32) -> Result<Vec<Position>, BadLine> {
    // Longer numbers overflow in the decoder; the last character of a number is below 95.
    let runs = text.as_bytes().split_inclusive(|b| *b < 95);
    let mut numbers = 0;
    for run in runs {
        numbers += 1;
        if run.len() > MAX_NUMBER_CHARS || run.last().is_none_or(|b| *b >= 95) {
            return Err(BadLine { reason: format!("number {numbers} is too long or cut off") });
        }
    }
    let line = polyline::decode_polyline(text, precision)?;
    let e7 = |degrees: f64| (degrees * PER_DEGREE).round() as i64;
    Ok(line.into_iter().map(|c| Position { lat_e7: e7(c.y), lon_e7: e7(c.x) }).collect())
}

/// Encodes into as many texts of at most `max_chars` as are needed, each beginning where the former ends.
pub(super) fn encode_within(
    points: &[Position],
    precision: u32,
    max_chars: usize,
    out: &mut Vec<String>,
) -> Result<(), BadLine> {
    let text = encode(points, precision)?;
    // Every character of a polyline is ASCII: bytes are characters.
    let middle = points.len() / 2;
    let halves = (points.get(..=middle), points.get(middle..));
    if text.len() > max_chars
        && points.len() > 2
        && let (Some(left), Some(right)) = halves
    {
        encode_within(left, precision, max_chars, out)?;
        return encode_within(right, precision, max_chars, out);
    }
    out.push(text);
    Ok(())
}
