//! The backups: where they go, how old the last good one is, whether it opens.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::{Check, Patient};
use crate::backup;
use crate::backups::{OLD_S, Schedule};
use crate::data::DATABASE;
use crate::error::TownError;
use crate::key_file;
use crate::storage::sqlite::Snapshot;

/// Without a good backup for this long, a lost disk is a lost week.
const TOO_OLD_S: i64 = 7 * 86_400;

pub(super) async fn look(patient: &Patient<'_>, now: i64) -> Vec<Check> {
    const NAME: &str = "backup";
    if patient.database.is_some() {
        return vec![Check::ok(NAME, "backup_elsewhere")];
    }
    let Some(schedule) = patient.backups else { return vec![Check::warn(NAME, "backup_off")] };
    if let Err(error) = std::fs::read_dir(&schedule.dir) {
        let check = Check::bad(NAME, "backup_folder_missing").about(&schedule.dir);
        return vec![check.with("detail", error)];
    }
    vec![last(patient, schedule, now).await, disk(patient.data, &schedule.dir)]
}

async fn last(patient: &Patient<'_>, schedule: &Schedule, now: i64) -> Check {
    const NAME: &str = "backup";
    let Some(made) = schedule.last(now) else {
        return Check::bad(NAME, "backup_missing").about(&schedule.dir);
    };
    let age = now - made.at;
    if let Err(error) = opens(patient, &made.path).await {
        return Check::bad(NAME, "backup_broken").about(&made.path).with("detail", error);
    }
    let check = match age {
        age if age > TOO_OLD_S => Check::bad(NAME, "backup_too_old"),
        age if age > OLD_S => Check::warn(NAME, "backup_old"),
        _ => Check::ok(NAME, "backup_good"),
    };
    check.about(&made.path).with("hours", age / 3600)
}

async fn opens(patient: &Patient<'_>, made: &Path) -> Result<(), TownError> {
    let key = key_file::read(patient.key_file, patient.data)?;
    let folder = made.to_owned();
    let opened = tokio::task::spawn_blocking(move || {
        backup::check(&folder)?;
        Snapshot::of(&folder.join(DATABASE), &key)
    });
    opened.await.map_err(|error| TownError::Input(error.to_string()))?.map(|_| ())
}

fn disk(data: &Path, backups: &Path) -> Check {
    const NAME: &str = "backup_disk";
    let device = |path| std::fs::metadata(path).map(|found| found.dev()).ok();
    match device(data) == device(backups) {
        true => Check::warn(NAME, "backup_same_disk").about(backups),
        false => Check::ok(NAME, "backup_other_disk").about(backups),
    }
}
