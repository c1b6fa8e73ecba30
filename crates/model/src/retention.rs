//! When a record has served its purpose (privacy.md, *Retention*).
//!
//! Periods are counted from the town's receipt, never from a phone's clock. What is open, contested or has
//! siblings is never finished: a person decides first. Dates inside a record (`due_on`, `valid_until`) are
//! compared with the town's time that the caller gives.

#[cfg(test)]
mod tests;

use crate::deletion::{self, Deletion};
use crate::kind::Kind;
use crate::record::Record;
use crate::value::Value;

const DAY_S: i64 = 24 * 60 * 60;
/// A phone gives finished records up this long after the town confirmed them, in seconds.
pub const PHONE_KEEPS_S: i64 = 30 * DAY_S;
/// The town keeps finished records this long after their last change arrived, in seconds: two years.
pub const TOWN_KEEPS_S: i64 = 730 * DAY_S;
/// Steps after which nobody has to do anything about a hazard.
pub const HAZARD_FINISHED: &[&str] = &["closed", "unfounded", "merged"];
/// The same of a task.
pub const TASK_FINISHED: &[&str] = &["done", "declined", "cancelled"];
/// The town's calendar is eight hours ahead of UTC, without summer time.
const TOWN_OFFSET_S: i64 = 8 * 60 * 60;

/// Whether nobody has to do anything about this record any more; `now` is the town's time in seconds.
///
/// A household is finished when nobody visits it any more, which its record does not say: never here.
/// Grids and templates hold while they are in force, unknown kinds are not for this program to judge.
pub fn is_finished(record: &Record, now: i64) -> bool {
    match deletion::state(record) {
        Deletion::Contested => return false,
        Deletion::Deleted => return true,
        Deletion::Live => {}
    }
    if record.conflicts().next().is_some() {
        return false;
    }
    let status = || record.shown_text("status").unwrap_or_default();
    match &record.kind {
        Kind::Hazard => HAZARD_FINISHED.contains(&status()),
        Kind::Task => TASK_FINISHED.contains(&status()),
        Kind::Patrol => record.shown("ended_at").is_some(),
        Kind::HouseholdCheck => record.shown_text("due_on").is_none_or(|due| is_past(due, now)),
        Kind::Notice => {
            record.shown("valid_until").and_then(Value::as_int).is_some_and(|until| until < now)
        }
        Kind::Household | Kind::Grid | Kind::Template | Kind::Unknown(_) => false,
    }
}

/// Whether a day of the town's calendar (`YYYY-MM-DD`) is over.
fn is_past(day: &str, now: i64) -> bool {
    let today = civil_day((now + TOWN_OFFSET_S).div_euclid(DAY_S));
    // Dates of this form are ordered as texts; what is none is never past.
    day.len() == today.len() && day < today.as_str()
}

/// The date of a day counted from 1970-01-01 (H. Hinnant, *chrono-Compatible Low-Level Date Algorithms*).
fn civil_day(days: i64) -> String {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}
