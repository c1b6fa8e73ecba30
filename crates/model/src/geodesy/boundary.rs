//! Boundaries of grids, and the grid a position is in.
//!
//! The register `boundary` of a `grid` record is a list of texts. A text is a ring, polyline-encoded at
//! 1e-7 degrees, closed or not. What stands before it says what it is: nothing, an outer ring; `-`, a
//! hole in the outer ring before it; `+`, the rest of the ring before it (a text has at most
//! [`MAX_TEXT_CHARS`] characters, a surveyed boundary may have more). Neither sign can begin a polyline.

#[cfg(test)]
mod tests;

use geo::{
    BoundingRect, Coord, Intersects, LineString, MultiPolygon, Point, Polygon, Rect, Validation,
};

use super::line::{self, BadLine, RING_PRECISION};
use crate::deletion::{self, Deletion};
use crate::ids::GridCode;
use crate::limits::MAX_TEXT_CHARS;
use crate::position::Position;
use crate::record::Record;
use crate::value::Value;

/// One connected area. Rings need not be closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Area {
    pub outer: Vec<Position>,
    pub holes: Vec<Vec<Position>>,
}

/// A boundary that no grid can have.
#[derive(Debug, thiserror::Error)]
pub enum BadBoundary {
    #[error("ring {ring}: {source}")]
    Line { ring: usize, source: BadLine },
    #[error("ring {0} has fewer than three corners")]
    TooFewCorners(usize),
    #[error("a hole or the rest of a ring stands before any ring")]
    NothingBefore,
    #[error("the boundary is not a list of texts, or has no ring")]
    NotRings,
}

/// The register `boundary` of these areas.
pub fn to_value(areas: &[Area]) -> Result<Value, BadBoundary> {
    let mut texts = Vec::new();
    let mut ring = 0;
    for area in areas {
        let holes = area.holes.iter().map(|hole| ("-", hole));
        for (sign, points) in std::iter::once(("", &area.outer)).chain(holes) {
            ring += 1;
            if corners(points) < 3 {
                return Err(BadBoundary::TooFewCorners(ring));
            }
            let mut pieces = Vec::new();
            // One character is kept for the sign.
            line::encode_within(points, RING_PRECISION, MAX_TEXT_CHARS - 1, &mut pieces)
                .map_err(|source| BadBoundary::Line { ring, source })?;
            let signs = std::iter::once(sign).chain(std::iter::repeat("+"));
            texts.extend(signs.zip(pieces).map(|(sign, piece)| format!("{sign}{piece}")));
        }
    }
    if texts.is_empty() {
        return Err(BadBoundary::NotRings);
    }
    Ok(Value::List(texts.into_iter().map(Value::Text).collect()))
}

/// Reads the register `boundary`.
pub fn of_value(value: &Value) -> Result<Vec<Area>, BadBoundary> {
    let mut areas: Vec<Area> = Vec::new();
    for (at, text) in value.as_list().ok_or(BadBoundary::NotRings)?.iter().enumerate() {
        let text = text.as_text().ok_or(BadBoundary::NotRings)?;
        let decode = |text| {
            line::decode(text, RING_PRECISION)
                .map_err(|source| BadBoundary::Line { ring: at + 1, source })
        };
        if let Some(rest) = text.strip_prefix('+') {
            let area = areas.last_mut().ok_or(BadBoundary::NothingBefore)?;
            // The rest begins with the point that the ring so far ends with.
            area.holes
                .last_mut()
                .unwrap_or(&mut area.outer)
                .extend(decode(rest)?.drain(..).skip(1));
        } else if let Some(hole) = text.strip_prefix('-') {
            areas.last_mut().ok_or(BadBoundary::NothingBefore)?.holes.push(decode(hole)?);
        } else {
            areas.push(Area { outer: decode(text)?, holes: Vec::new() });
        }
    }
    let rings = areas.iter().flat_map(|area| std::iter::once(&area.outer).chain(&area.holes));
    for (at, ring) in rings.enumerate() {
        if corners(ring) < 3 {
            return Err(BadBoundary::TooFewCorners(at + 1));
        }
    }
    if areas.is_empty() { Err(BadBoundary::NotRings) } else { Ok(areas) }
}

/// What keeps areas from being a boundary by OGC Simple Features (rings that cross themselves or each other, holes
/// outside, areas over each other), in English; none: they are sound.
pub fn trouble(areas: &[Area]) -> Option<String> {
    let polygons: MultiPolygon<f64> = areas.iter().map(polygon).collect();
    polygons.check_validation().err().map(|error| error.to_string())
}

/// The boundaries of a town's grids. A position on a border belongs to the grid with the lower code, so
/// that every phone says the same.
#[derive(Debug, Clone, Default)]
pub struct Boundaries {
    /// In the order of grid codes.
    grids: Vec<(GridCode, Rect<f64>, MultiPolygon<f64>)>,
}

impl Boundaries {
    pub fn new() -> Self {
        Self::default()
    }

    /// Boundaries of `grid` records as shown; deleted ones and those without a boundary are left out.
    /// Returned beside them: the grids whose boundary cannot be read, to be told to a person.
    pub fn of_records<'a>(
        records: impl IntoIterator<Item = &'a Record>,
    ) -> (Self, Vec<(GridCode, BadBoundary)>) {
        let (mut boundaries, mut bad) = (Self::new(), Vec::new());
        for record in records {
            let code = record.shown_text("code").and_then(|code| code.parse::<GridCode>().ok());
            let (Some(code), Some(value)) = (code, record.shown("boundary")) else { continue };
            if deletion::state(record) == Deletion::Deleted {
                continue;
            }
            match of_value(value) {
                Ok(areas) => boundaries.insert(code, &areas),
                Err(error) => bad.push((code, error)),
            }
        }
        (boundaries, bad)
    }

    /// Sets the areas of a grid, in place of those it had.
    pub fn insert(&mut self, code: GridCode, areas: &[Area]) {
        self.grids.retain(|(other, ..)| *other != code);
        let polygons: MultiPolygon<f64> = areas.iter().map(polygon).collect();
        if let Some(frame) = polygons.bounding_rect() {
            let at = self.grids.partition_point(|(other, ..)| *other < code);
            self.grids.insert(at, (code, frame, polygons));
        }
    }

    /// The grid that a position is in, its border included.
    pub fn find(&self, position: Position) -> Option<&GridCode> {
        let point = Point::new(position.lon(), position.lat());
        let holds = |frame: &Rect<f64>, polygons: &MultiPolygon<f64>| {
            frame.intersects(&point) && polygons.intersects(&point)
        };
        self.grids.iter().find(|(_, frame, polygons)| holds(frame, polygons)).map(|(c, ..)| c)
    }

    pub fn len(&self) -> usize {
        self.grids.len()
    }

    pub fn is_empty(&self) -> bool {
        self.grids.is_empty()
    }
}

fn polygon(area: &Area) -> Polygon<f64> {
    let ring = |points: &[Position]| {
        points.iter().map(|p| Coord { x: p.lon(), y: p.lat() }).collect::<LineString<f64>>()
    };
    // `Polygon::new` closes what is open.
    Polygon::new(ring(&area.outer), area.holes.iter().map(|hole| ring(hole)).collect())
}

/// Corners of a ring, without the repeated last one of a closed ring.
fn corners(ring: &[Position]) -> usize {
    let closed = ring.len() > 1 && ring.first() == ring.last();
    ring.len() - usize::from(closed)
}
