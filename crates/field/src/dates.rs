//! Days of the town's calendar (UTC+8, no summer time).

use chrono::{DateTime, Days, FixedOffset};

/// The town's clock on the wall.
pub(crate) const SHANGHAI_S: i32 = 8 * 3600;

/// The day `days` after the one that this second lies in, as `YYYY-MM-DD`.
pub(crate) fn day_of(at_s: i64, days: i64) -> String {
    let zone = FixedOffset::east_opt(SHANGHAI_S);
    let day = zone.and_then(|zone| {
        let local = DateTime::from_timestamp(at_s, 0)?.with_timezone(&zone).date_naive();
        local.checked_add_days(Days::new(u64::try_from(days).ok()?))
    });
    day.map(|day| day.format("%Y-%m-%d").to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::day_of;

    #[test]
    fn a_day_begins_at_the_towns_midnight() {
        // 2026-11-24 15:59:59 and 16:00:00 UTC.
        assert_eq!(day_of(1_795_535_999, 0), "2026-11-24");
        assert_eq!(day_of(1_795_536_000, 0), "2026-11-25");
        assert_eq!(day_of(1_795_536_000, 7), "2026-12-02");
    }
}
