//! Nightly backups by the server itself: when the next is due, which old ones go.
//!
//! The folders are the only state (see [`crate::backup`]). One bears its final name only after it was
//! verified, so its name says that it was good, and when. What this module did not name is never touched.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{Datelike as _, NaiveDateTime, TimeZone as _};
use yaoguan_model::Env;

use crate::backup;
use crate::data::Town;
use crate::days::{DAY_S, day_began, local, zone};
use crate::error::TownError;
use crate::line::sync_folder_of;

const NAME: &str = "yaoguan-%Y%m%dT%H%M%S";
const SUFFIX: &str = ".backup";
/// Of one that is not verified yet; while it is being written, with another ending behind.
const UNVERIFIED: &str = ".unverified";
/// After a failure, and how often the clock is looked at: it may be set meanwhile.
const RETRY_S: i64 = 15 * 60;
const LOOK: Duration = Duration::from_secs(30);
/// A last good backup older than this is worth a warning.
pub const OLD_S: i64 = 36 * 3600;

/// A time of day in Asia/Shanghai, in minutes since midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeOfDay(i64);

impl FromStr for TimeOfDay {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let time = chrono::NaiveTime::parse_from_str(text, "%H:%M").map_err(|_| ())?;
        let midnight = chrono::NaiveTime::MIN;
        Ok(Self(time.signed_duration_since(midnight).num_minutes()))
    }
}

/// How many are kept: the newest of each day, and the newest of each week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    pub daily: usize,
    pub weekly: usize,
}

/// Where and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    pub dir: PathBuf,
    pub at: TimeOfDay,
    pub keep: Keep,
}

/// A finished backup in the folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Made {
    /// Seconds since 1970.
    pub at: i64,
    pub path: PathBuf,
}

/// The name of a backup made at this time.
pub fn name(at: i64) -> String {
    let time = local(at).map(|time| time.format(NAME).to_string());
    format!("{}{SUFFIX}", time.unwrap_or_default())
}

/// When the backup of this name was made; none for a name that is not one of ours.
fn made_at(file: &str) -> Option<i64> {
    let time = NaiveDateTime::parse_from_str(file.strip_suffix(SUFFIX)?, NAME).ok()?;
    let at = zone()?.from_local_datetime(&time).single()?.timestamp();
    // The parser is lenient about leading zeros: only what we would write is ours.
    (name(at) == file).then_some(at)
}

impl Schedule {
    /// The finished backups, oldest first.
    pub fn made(&self) -> std::io::Result<Vec<Made>> {
        let mut made = Vec::new();
        for entry in std::fs::read_dir(&self.dir)? {
            let entry = entry?;
            if let Some(at) = entry.file_name().to_str().and_then(made_at) {
                made.push(Made { at, path: entry.path() });
            }
        }
        made.sort();
        Ok(made)
    }

    /// The newest that is not of the future: a clock that was wrong must not end all backups.
    pub fn last(&self, now: i64) -> Option<Made> {
        self.made().ok()?.into_iter().rev().find(|made| made.at <= now)
    }

    /// When the next backup is due: at once when one was missed.
    pub fn due(&self, last: Option<i64>, now: i64) -> i64 {
        let Some(last) = last else { return now };
        let today = day_began(last);
        let at = today + self.at.0 * 60;
        if at > last { at } else { at + DAY_S }
    }
}

/// Which of them go, given that `newest` was made and verified just now and stays whatever its name says.
pub fn superseded(made: &[Made], newest: i64, keep: Keep) -> Vec<PathBuf> {
    let (mut days, mut weeks) = (BTreeSet::new(), BTreeSet::new());
    let mut gone = Vec::new();
    for Made { at, path } in made.iter().rev() {
        let Some(time) = local(*at) else { continue };
        let day = time.date_naive();
        let week = (day.iso_week().year(), day.iso_week().week());
        let first_of_day = !days.contains(&day) && days.len() < keep.daily;
        let first_of_week = !weeks.contains(&week) && weeks.len() < keep.weekly;
        if first_of_day {
            days.insert(day);
        }
        if first_of_week {
            weeks.insert(week);
        }
        if !first_of_day && !first_of_week && *at != newest {
            gone.push(path.clone());
        }
    }
    gone
}

/// The backups of a running server, and what `/readyz` says of them.
#[derive(Debug)]
pub struct Backups {
    pub schedule: Schedule,
    failed: AtomicBool,
}

impl Backups {
    pub fn new(schedule: Schedule) -> Self {
        Self { schedule, failed: AtomicBool::new(false) }
    }

    /// Seconds since the last good one.
    pub fn age_s(&self, now: i64) -> Option<i64> {
        self.schedule.last(now).map(|made| now - made.at)
    }

    /// What is worth a warning: `backup_missing`, `backup_old`, `backup_failed`.
    pub fn warnings(&self, now: i64) -> Vec<&'static str> {
        let mut warnings = match self.age_s(now) {
            None => vec!["backup_missing"],
            Some(age) if age > OLD_S => vec!["backup_old"],
            Some(_) => Vec::new(),
        };
        if self.failed.load(Ordering::Relaxed) {
            warnings.push("backup_failed");
        }
        warnings
    }

    /// Makes one when it is due, for as long as the town serves.
    pub async fn run(self: Arc<Self>, town: Town, env: Arc<dyn Env>) {
        let mut not_before = 0;
        loop {
            let now = env.now_s();
            let last = self.schedule.last(now).map(|made| made.at);
            if self.schedule.due(last, now).max(not_before) <= now {
                let result = self.make(&town, env.as_ref()).await;
                self.failed.store(result.is_err(), Ordering::Relaxed);
                match result {
                    Ok(file) => tracing::info!(file = %file.display(), "backup made and verified"),
                    Err(error) => {
                        not_before = now + RETRY_S;
                        tracing::error!(%error, "the backup failed; it is tried again");
                    }
                }
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Makes and verifies one, then lets those go that it makes superfluous.
    pub async fn make(&self, town: &Town, env: &dyn Env) -> Result<PathBuf, TownError> {
        let (dir, now) = (&self.schedule.dir, env.now_s());
        remove_unfinished(dir)?;
        let made = dir.join(name(now));
        let unverified = dir.join(format!("{}{UNVERIFIED}", name(now)));
        backup::backup(town, &unverified, env).await?;
        let read_again = unverified.clone();
        let checked = tokio::task::spawn_blocking(move || backup::check(&read_again)).await;
        checked.map_err(|_| TownError::Input("the town is stopping".to_owned()))??;
        std::fs::rename(&unverified, &made)?;
        sync_folder_of(&made)?;
        for old in superseded(&self.schedule.made()?, now, self.schedule.keep) {
            std::fs::remove_dir_all(&old)?;
        }
        Ok(made)
    }
}

/// What a stopped process left behind.
fn remove_unfinished(dir: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let file_name = entry.file_name();
        let ours = file_name.to_str().and_then(|text| text.split_once(UNVERIFIED));
        if ours.is_some_and(|(name, _)| made_at(name).is_some()) {
            std::fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    const KEEP: Keep = Keep { daily: 14, weekly: 8 };

    fn at(text: &str) -> i64 {
        DateTime::parse_from_rfc3339(text).unwrap().timestamp()
    }

    fn schedule(dir: &Path) -> Schedule {
        Schedule { dir: dir.to_owned(), at: "02:30".parse().unwrap(), keep: KEEP }
    }

    #[test]
    fn a_name_says_when_in_local_time_and_only_ours_are_read() {
        let made = at("2026-11-24T02:30:05+08:00");
        assert_eq!(name(made), "yaoguan-20261124T023005.backup");
        assert_eq!(made_at(&name(made)), Some(made));
        for foreign in
            ["yaoguan-2026.backup", "yaoguan-20261124T023005.backup.unverified", "family.zip"]
        {
            assert_eq!(made_at(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn the_next_is_due_at_its_time_of_day_or_at_once_when_missed() {
        let plan = schedule(Path::new("/nowhere"));
        let now = at("2026-11-24T10:00:00+08:00");
        assert_eq!(plan.due(None, now), now);
        let last = at("2026-11-24T02:30:05+08:00");
        assert_eq!(plan.due(Some(last), now), at("2026-11-25T02:30:00+08:00"));
        // The server was off in the night.
        let last = at("2026-11-22T02:30:05+08:00");
        assert!(plan.due(Some(last), now) <= now);
        // One made by hand at one in the morning does not stand for the night's.
        let last = at("2026-11-24T01:00:00+08:00");
        assert_eq!(plan.due(Some(last), now), at("2026-11-24T02:30:00+08:00"));
    }

    #[test]
    fn after_a_year_fourteen_days_and_eight_weeks_are_left() {
        let dir = tempfile::tempdir().unwrap();
        let plan = schedule(dir.path());
        let foreign = dir.path().join("yaoguan-keys.txt");
        std::fs::write(&foreign, "").unwrap();
        let first = at("2026-01-01T02:30:00+08:00");
        for day in 0..365 {
            let now = first + day * DAY_S;
            std::fs::write(dir.path().join(name(now)), "").unwrap();
            for old in superseded(&plan.made().unwrap(), now, KEEP) {
                std::fs::remove_file(old).unwrap();
            }
        }
        let made = plan.made().unwrap();
        let newest = made.last().unwrap().at;
        assert_eq!(newest, first + 364 * DAY_S);
        for day in 0..14 {
            assert!(made.iter().any(|m| m.at == newest - day * DAY_S), "{day} days back");
        }
        // Two of the eight weeks' newest are among the fourteen days, or three.
        assert!((19..=21).contains(&made.len()), "{}", made.len());
        assert!(newest - made.first().unwrap().at > 6 * 7 * DAY_S, "{made:?}");
        assert!(foreign.exists());
    }

    #[test]
    fn the_one_just_made_stays_whatever_the_clock_was_before() {
        let dir = tempfile::tempdir().unwrap();
        let plan = schedule(dir.path());
        let future = at("2099-01-01T00:00:00+08:00");
        for day in 0..30 {
            std::fs::write(dir.path().join(name(future + day * DAY_S)), "").unwrap();
        }
        let now = at("2026-11-24T02:30:00+08:00");
        std::fs::write(dir.path().join(name(now)), "").unwrap();
        let gone = superseded(&plan.made().unwrap(), now, KEEP);
        assert!(!gone.is_empty() && !gone.contains(&dir.path().join(name(now))));
        assert_eq!(plan.last(now).unwrap().at, now);
    }

    #[test]
    fn what_is_missing_old_or_failed_is_worth_a_warning() {
        let dir = tempfile::tempdir().unwrap();
        let backups = Backups::new(schedule(dir.path()));
        let now = at("2026-11-24T10:00:00+08:00");
        assert_eq!((backups.age_s(now), backups.warnings(now)), (None, vec!["backup_missing"]));
        std::fs::create_dir(dir.path().join(name(now - OLD_S - 1))).unwrap();
        assert_eq!(backups.age_s(now), Some(OLD_S + 1));
        assert_eq!(backups.warnings(now), ["backup_old"]);
        std::fs::create_dir(dir.path().join(name(now - 60))).unwrap();
        assert!(backups.warnings(now).is_empty());
        backups.failed.store(true, Ordering::Relaxed);
        assert_eq!(backups.warnings(now), ["backup_failed"]);
    }

    #[test]
    fn what_a_stopped_process_left_is_removed_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let ours = dir.path().join(format!("{}{UNVERIFIED}.partial", name(1_795_000_000)));
        let foreign = dir.path().join("photos.unverified");
        for folder in [&ours, &foreign] {
            std::fs::create_dir(folder).unwrap();
        }
        remove_unfinished(dir.path()).unwrap();
        assert!(!ours.exists() && foreign.exists());
    }
}
