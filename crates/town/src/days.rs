//! The town's clock and calendar: Asia/Shanghai, which has had no summer time since 1991. Days are `YYYY-MM-DD`.

use chrono::{DateTime, Duration, FixedOffset, NaiveDate};

const AHEAD_S: i32 = 8 * 3600;
/// The town's clock is ahead of UTC by this.
pub const OFFSET_S: i64 = AHEAD_S as i64;
pub const DAY_S: i64 = 24 * 3600;

/// The town's zone.
pub fn zone() -> Option<FixedOffset> {
    FixedOffset::east_opt(AHEAD_S)
}

/// A moment on the town's clock.
pub fn local(at_s: i64) -> Option<DateTime<FixedOffset>> {
    Some(DateTime::from_timestamp(at_s, 0)?.with_timezone(&zone()?))
}

/// A time for people, to the minute.
pub fn local_time(at_s: i64) -> String {
    let shown = local(at_s).map(|time| time.format("%Y-%m-%d %H:%M").to_string());
    shown.unwrap_or_else(|| at_s.to_string())
}

/// The day that a moment is in.
pub fn day_of(at_s: i64) -> String {
    local(at_s).map(|local| local.format("%Y-%m-%d").to_string()).unwrap_or_default()
}

/// The second that the day of a moment began with.
pub fn day_began(at_s: i64) -> i64 {
    (at_s + OFFSET_S).div_euclid(DAY_S) * DAY_S - OFFSET_S
}

/// The second that a date begins with.
pub fn midnight(date: NaiveDate) -> i64 {
    date.and_time(chrono::NaiveTime::MIN).and_utc().timestamp() - OFFSET_S
}

/// The second that a day begins with; none for a text that is no day.
pub fn start_of(day: &str) -> Option<i64> {
    parse(day).map(midnight)
}

/// The day so many days later.
pub fn later(day: &str, days: i64) -> Option<String> {
    let date = parse(day)?.checked_add_signed(Duration::try_days(days)?)?;
    Some(date.format("%Y-%m-%d").to_string())
}

fn parse(day: &str) -> Option<NaiveDate> {
    let four_digits = day.len() == "2026-01-31".len();
    NaiveDate::parse_from_str(day, "%Y-%m-%d").ok().filter(|_| four_digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_in_the_town() {
        let start = start_of("2026-03-01").unwrap();
        assert_eq!(start, 1_772_294_400);
        assert_eq!(day_of(start), "2026-03-01");
        assert_eq!(day_of(start - 1), "2026-02-28");
        assert_eq!(day_of(start + DAY_S - 1), "2026-03-01");
        assert_eq!(later("2026-02-28", 1).as_deref(), Some("2026-03-01"));
        assert_eq!(later("2026-03-01", -1).as_deref(), Some("2026-02-28"));
    }

    #[test]
    fn what_is_no_day_has_no_start() {
        for text in ["", "2026-02-30", "2026-1-1", "20260101", "2026-01-01T00", "99999-01-01"] {
            assert_eq!(start_of(text), None, "{text}");
        }
    }
}
