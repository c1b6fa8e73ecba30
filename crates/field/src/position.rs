//! Where the phone is. The platform's receiver comes in through here; a file can be played instead.

use yaoguan_exchange::gpx;
use yaoguan_model::geodesy::Fix;

use crate::error::FieldError;

/// A receiver. A track service may hand over many fixes at once, so it is asked for all that came in.
pub trait PositionSource: Send {
    /// Fixes since the last call, oldest first.
    fn poll(&mut self, now_ms: i64) -> Vec<Fix>;
}

/// Plays a recorded track, so many times faster than it was walked. Fixes keep the intervals of the
/// file, counted from the first poll; a file without times gives a fix each second.
pub struct Played {
    fixes: Vec<Fix>,
    next: usize,
    speed: i64,
    begun_ms: Option<i64>,
}

impl Played {
    /// Reads a GPX file.
    pub fn gpx(bytes: &[u8], speed: i64) -> Result<Self, FieldError> {
        let track = gpx::read(bytes)?;
        let fixes = track.segments.concat();
        Ok(Self { fixes, next: 0, speed: speed.max(1), begun_ms: None })
    }

    /// Milliseconds of the file from its first fix to this one.
    fn offset_ms(&self, at: usize) -> i64 {
        let first = self.fixes.first().and_then(|fix| fix.at_ms);
        let this = self.fixes.get(at).and_then(|fix| fix.at_ms);
        match (first, this) {
            (Some(first), Some(this)) => (this - first).max(0),
            (None, _) | (_, None) => i64::try_from(at).unwrap_or(0).saturating_mul(1000),
        }
    }
}

impl PositionSource for Played {
    fn poll(&mut self, now_ms: i64) -> Vec<Fix> {
        let begun_ms = *self.begun_ms.get_or_insert(now_ms);
        let played_ms = (now_ms - begun_ms).saturating_mul(self.speed);
        let mut out = Vec::new();
        while let Some(fix) = self.fixes.get(self.next).copied() {
            let offset_ms = self.offset_ms(self.next);
            if offset_ms > played_ms {
                break;
            }
            out.push(Fix { at_ms: Some(begun_ms + offset_ms), ..fix });
            self.next += 1;
        }
        out
    }
}
