//! The clock on the town's wall: Asia/Shanghai, which has had no summer time since 1991.

use chrono::{DateTime, FixedOffset};

/// Seconds that the town is ahead of UTC.
pub const AHEAD_S: i32 = 8 * 3600;

/// A time for people, to the minute.
pub fn local_time(seconds: i64) -> String {
    let time = DateTime::from_timestamp(seconds, 0).zip(FixedOffset::east_opt(AHEAD_S));
    let shown = time.map(|(t, zone)| t.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string());
    shown.unwrap_or_else(|| seconds.to_string())
}
