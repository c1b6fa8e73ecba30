//! Dates and times of table cells.
//!
//! Formats are those of `strftime`; ISO 8601 dates are understood beside them, since no reading of
//! `2007-01-02` but one exists. Years lie between 1900 and 2200: `1/2/07` is a mistake, not the year 7.

use std::str::FromStr as _;

use chrono::format::{Item, StrftimeItems};
use chrono::{Datelike as _, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime};

use crate::mapping_file::OtherTimes;

const ISO_DATES: &[&str] = &["%Y-%m-%d"];
const ISO_DATE_TIMES: &[&str] =
    &["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];
const ISO_TIMES: &[&str] = &["%H:%M:%S", "%H:%M"];
const YEARS: std::ops::Range<i32> = 1900..2200;

/// How a date cell, and perhaps a time cell, become seconds since 1970 UTC.
#[derive(Debug, Clone)]
pub struct TimeRule {
    dates: Vec<String>,
    times: Vec<String>,
    other_times: OtherTimes,
    offset: FixedOffset,
}

/// Which of the two cells cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotATime {
    Date,
    Time,
}

impl TimeRule {
    /// `timezone`: `Asia/Shanghai` (the default; +08:00), `UTC`, or an offset such as `+08:00`.
    pub(crate) fn new(
        dates: &[String],
        times: &[String],
        other_times: OtherTimes,
        timezone: Option<&str>,
    ) -> Result<Self, String> {
        check_formats(dates)?;
        check_formats(times)?;
        let offset = match timezone {
            None | Some("Asia/Shanghai") => "+08:00",
            Some("UTC") => "+00:00",
            Some(offset) => offset,
        };
        let offset = FixedOffset::from_str(offset)
            .map_err(|_| format!("has a timezone `{offset}`; write UTC or an offset (+08:00)"))?;
        Ok(Self { dates: dates.to_vec(), times: times.to_vec(), other_times, offset })
    }

    /// Seconds since 1970 UTC. Without a time of day the day's first second.
    pub fn seconds(&self, date: &str, time: &str) -> Result<i64, NotATime> {
        let when = match time {
            "" => date_time(&self.dates, date).ok_or(NotATime::Date)?,
            time => {
                let day = day(&self.dates, date).ok_or(NotATime::Date)?;
                day.and_time(self.time_of_day(time)?)
            }
        };
        Ok(when.and_utc().timestamp() - i64::from(self.offset.local_minus_utc()))
    }

    fn time_of_day(&self, text: &str) -> Result<NaiveTime, NotATime> {
        let formats = self.times.iter().map(String::as_str).chain(ISO_TIMES.iter().copied());
        let parsed = formats.filter_map(|f| NaiveTime::parse_from_str(text, f).ok()).next();
        match (parsed, self.other_times) {
            (Some(time), _) => Ok(time),
            (None, OtherTimes::StartOfDay) => Ok(NaiveTime::MIN),
            (None, OtherTimes::Reject) => Err(NotATime::Time),
        }
    }
}

/// A day in one of the formats, or in ISO 8601.
pub(crate) fn day(formats: &[String], text: &str) -> Option<NaiveDate> {
    let formats = formats.iter().map(String::as_str).chain(ISO_DATES.iter().copied());
    let mut days = formats.filter_map(|f| NaiveDate::parse_from_str(text, f).ok());
    days.find(|day| YEARS.contains(&day.year()))
}

/// A cell that holds a day, or a day and a time of day.
fn date_time(formats: &[String], text: &str) -> Option<NaiveDateTime> {
    let both = formats.iter().map(String::as_str).chain(ISO_DATE_TIMES.iter().copied());
    let mut parsed = both.filter_map(|f| NaiveDateTime::parse_from_str(text, f).ok());
    let whole = parsed.find(|when| YEARS.contains(&when.year()));
    whole.or_else(|| day(formats, text).map(|day| day.and_time(NaiveTime::MIN)))
}

/// Refuses a format that `strftime` does not have.
pub(crate) fn check_formats(formats: &[String]) -> Result<(), String> {
    let bad = |f: &&String| StrftimeItems::new(f).any(|item| matches!(item, Item::Error));
    match formats.iter().find(bad) {
        Some(format) => Err(format!("has a format `{format}` that is not one of strftime")),
        None => Ok(()),
    }
}
