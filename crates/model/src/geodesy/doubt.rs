//! Which fixes of a recorded patrol are to be believed. Computed, never stored: every fix stays in the track.
//!
//! A receiver says itself that it may be far off; a speed that nobody walks or drives says it of a step between
//! two fixes. A wild fix between good ones costs these two steps, never what comes after; so does a jump back
//! from a place that was wrong for a while, or a wild first fix. What was imported is measured as it is.

use super::{Fix, distance_m};
use crate::patrol::{MAX_SPEED_M_S, POOR_ACCURACY_CM};

/// What is to be said of a fix beside where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Doubt {
    /// The receiver itself says that it may be more than 50 m off.
    pub inaccurate: bool,
    /// From the accurate fix before, nobody gets here in that time.
    pub too_fast: bool,
}

impl Doubt {
    /// Of a fix that comes after this accurate one, if there was one.
    pub fn of(before: Option<&Fix>, fix: &Fix) -> Self {
        let inaccurate = fix.accuracy_cm.is_some_and(|cm| cm > POOR_ACCURACY_CM);
        Self { inaccurate, too_fast: before.is_some_and(|before| is_too_fast(before, fix)) }
    }

    pub fn is_any(self) -> bool {
        self.inaccurate || self.too_fast
    }
}

/// The doubts about each fix of a segment.
pub fn doubts(segment: &[Fix]) -> Vec<Doubt> {
    let mut before = None;
    let doubt = |fix| {
        let doubt = Doubt::of(before, fix);
        before = if doubt.inaccurate { before } else { Some(fix) };
        doubt
    };
    segment.iter().map(doubt).collect()
}

/// What a recorded patrol is measured and drawn by: its accurate fixes, in stretches without an impossible step. A
/// fix that stands alone between two such steps is left out; a segment that has one fix keeps it.
pub fn believed(segments: &[Vec<Fix>]) -> Vec<Vec<Fix>> {
    segments.iter().flat_map(|segment| stretches(segment)).collect()
}

fn stretches(segment: &[Fix]) -> Vec<Vec<Fix>> {
    let mut stretches: Vec<Vec<Fix>> = Vec::new();
    for (fix, doubt) in segment.iter().zip(doubts(segment)).filter(|(_, doubt)| !doubt.inaccurate) {
        match stretches.last_mut() {
            Some(stretch) if !doubt.too_fast => stretch.push(*fix),
            Some(_) | None => stretches.push(vec![*fix]),
        }
    }
    if stretches.len() > 1 {
        stretches.retain(|stretch| stretch.len() > 1);
    }
    stretches
}

fn is_too_fast(from: &Fix, to: &Fix) -> bool {
    let (Some(start), Some(end)) = (from.at_ms, to.at_ms) else { return false };
    let seconds = end.saturating_sub(start) as f64 / 1000.0;
    // Times that stand still or jump back say nothing about speed.
    seconds > 0.0 && distance_m(from.position, to.position) > MAX_SPEED_M_S * seconds
}
