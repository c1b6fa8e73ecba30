//! Duration and gaps of a track, from the times of its fixes.
//!
//! A fix may have no time, or one that its receiver made up (real tracks hold the year 1901). Both stay
//! in the data as they are; a time outside [`PLAUSIBLE_MS`] counts as no time here, so that one broken
//! fix does not make a patrol last a century. It is counted, and the person is told. Times that jump
//! back are taken in time order: the track lasted from its earliest to its latest time.

use std::ops::Range;

use super::Fix;
use crate::patrol::GAP_S;

/// 2000-01-01 to 2100-01-01 UTC, in milliseconds: before it no receiver gave civilian fixes of use
/// here, and a clock that was never set says 1970 or 1980.
pub const PLAUSIBLE_MS: Range<i64> = 946_684_800_000..4_102_444_800_000;

/// A time without a fix: from the last fix before it to the first after it, in milliseconds UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    pub from_ms: i64,
    pub to_ms: i64,
}

/// What the times of a track say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Times {
    /// The earliest plausible time; none when no fix has one.
    pub first_ms: Option<i64>,
    /// The latest plausible time.
    pub last_ms: Option<i64>,
    /// Times without a fix of more than [`GAP_S`], in time order, over the whole track: also between
    /// segments. Such a time counts whole, from its first second.
    pub gaps: Vec<Gap>,
    /// Fixes without a time.
    pub untimed: usize,
    /// Fixes whose time is outside [`PLAUSIBLE_MS`].
    pub implausible: usize,
}

impl Times {
    pub fn of(segments: &[Vec<Fix>]) -> Self {
        let mut times = Self::default();
        let mut sorted = Vec::new();
        for fix in segments.iter().flatten() {
            match (fix.at_ms, plausible_ms(fix)) {
                (None, _) => times.untimed += 1,
                (Some(_), None) => times.implausible += 1,
                (Some(_), Some(at)) => sorted.push(at),
            }
        }
        sorted.sort_unstable();
        times.first_ms = sorted.first().copied();
        times.last_ms = sorted.last().copied();
        let pairs = sorted.iter().zip(sorted.iter().skip(1));
        let gaps = pairs.map(|(from, to)| Gap { from_ms: *from, to_ms: *to });
        times.gaps = gaps.filter(|gap| is_gap(gap.from_ms, gap.to_ms)).collect();
        times
    }

    /// First to last time in seconds, rounded; none when no fix has a plausible time.
    pub fn duration_s(&self) -> Option<i64> {
        Some(seconds(self.last_ms? - self.first_ms?))
    }

    /// Time without a fix in seconds, rounded.
    pub fn gap_s(&self) -> i64 {
        seconds(self.gaps.iter().map(|gap| gap.to_ms - gap.from_ms).sum())
    }
}

/// The time of a fix if it is to be believed.
pub fn plausible_ms(fix: &Fix) -> Option<i64> {
    fix.at_ms.filter(|at| PLAUSIBLE_MS.contains(at))
}

/// Whether the time between two consecutive fixes is a gap: more than [`GAP_S`], not exactly it.
pub(super) fn is_gap(from_ms: i64, to_ms: i64) -> bool {
    to_ms - from_ms > GAP_S * 1000
}

fn seconds(millis: i64) -> i64 {
    (millis + 500).div_euclid(1000)
}
