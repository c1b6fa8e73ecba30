//! Places and ways within the grids of a town.

use yaoguan_model::geodesy::boundary::of_value;
use yaoguan_model::geodesy::{Boundaries, Fix};
use yaoguan_model::{GridCode, Position, Record};

use super::dice::Dice;

/// Metres of a degree of latitude, nearly.
const DEGREE_M: f64 = 110_800.0;
/// Throws for a point within a grid before its middle is taken.
const TRIES: usize = 24;
/// Somebody who looks around walks so far between two fixes.
const STRIDE_M: f64 = 17.0;
const FIX_EVERY_MS: i64 = 15_000;

/// A grid as a place to be.
pub(super) struct Place {
    pub(super) code: GridCode,
    pub(super) village: String,
    middle: (f64, f64),
    /// Half of its height and width, in degrees.
    half: (f64, f64),
    boundaries: Boundaries,
}

impl Place {
    /// None for a grid without a boundary.
    pub(super) fn of(record: &Record) -> Option<Self> {
        let code: GridCode = record.shown_text("code")?.parse().ok()?;
        let areas = of_value(record.shown("boundary")?).ok()?;
        let corners: Vec<Position> = areas.iter().flat_map(|area| area.outer.clone()).collect();
        let span = |of: fn(&Position) -> f64| {
            let values = || corners.iter().map(of);
            (values().fold(f64::MAX, f64::min), values().fold(f64::MIN, f64::max))
        };
        let ((south, north), (west, east)) = (span(|p| p.lat()), span(|p| p.lon()));
        let mut boundaries = Boundaries::new();
        boundaries.insert(code.clone(), &areas);
        Some(Self {
            village: record.shown_text("village_name").unwrap_or_default().to_owned(),
            middle: ((south + north) / 2.0, (west + east) / 2.0),
            half: ((north - south) / 2.0, (east - west) / 2.0),
            boundaries,
            code,
        })
    }

    /// Somewhere in it.
    pub(super) fn point(&self, dice: &Dice) -> Option<Position> {
        let at = |spread: f64| {
            let shift = |half: f64| (dice.share() * 2.0 - 1.0) * half * spread;
            Position::from_degrees(
                self.middle.0 + shift(self.half.0),
                self.middle.1 + shift(self.half.1),
            )
        };
        let inside = |point: &Position| self.boundaries.find(*point).is_some();
        (0..TRIES).find_map(|_| at(1.0).filter(inside)).or_else(|| at(0.0))
    }

    /// A way through it: a heading that turns a little with each fix, and back to the middle at the edge.
    pub(super) fn walk(&self, dice: &Dice, begun_s: i64, fixes: i64) -> Vec<Fix> {
        let Some(from) = self.point(dice) else { return Vec::new() };
        let (mut lat, mut lon) = (from.lat(), from.lon());
        let mut heading = dice.share() * std::f64::consts::TAU;
        let mut at_ms = begun_s * 1000;
        let mut walked = Vec::new();
        for _ in 0..fixes {
            let Some(position) = Position::from_degrees(lat, lon) else { continue };
            walked.push(Fix {
                position,
                at_ms: Some(at_ms),
                accuracy_cm: Some(dice.between(300, 1500)),
                ele_cm: None,
            });
            if self.boundaries.find(position).is_none() {
                heading = (self.middle.1 - lon).atan2(self.middle.0 - lat);
            }
            heading += (dice.share() - 0.5) * if dice.chance(8) { 2.4 } else { 0.35 };
            // Now and then there is no fix for a while.
            let strides = if dice.chance(1) { 9 } else { 1 };
            let degrees = STRIDE_M * strides as f64 * (0.7 + 0.6 * dice.share()) / DEGREE_M;
            lat += heading.cos() * degrees;
            lon += heading.sin() * degrees / lat.to_radians().cos();
            at_ms += FIX_EVERY_MS * strides;
        }
        walked
    }
}
