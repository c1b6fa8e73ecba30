//! `yaoguan-town status`: the town in numbers.

use serde_json::json;
use yaoguan_model::Env as _;
use yaoguan_model::env::System;
use yaoguan_town::storage::Stands as _;
use yaoguan_town::{Storage as _, Town};

use super::settings::Settings;
use crate::output::{Failure, Output};

pub(super) async fn status(
    town: &Town,
    settings: &Settings,
    output: &Output<'_>,
) -> Result<(), Failure> {
    let now = System.now_s();
    let (info, counts) = (town.storage.info().await?, town.storage.counts().await?);
    let standing = town.storage.standing(now).await?;
    let backup = settings.backups.as_ref().and_then(|schedule| schedule.last(now));
    let backup_age_s = backup.as_ref().map(|made| now - made.at);
    let since_contact_s = standing.last_contact.map(|at| now - at);
    let value = json!({
        "town": info.name, "address": info.address, "epoch": info.epoch, "replica": info.replica,
        "demo": info.demo, "records": counts,
        "accounts": standing.accounts, "accounts_disabled": standing.disabled,
        "devices": standing.devices, "devices_revoked": standing.revoked,
        "devices_active": standing.active, "last_contact": standing.last_contact,
        "held": standing.held, "recovered": standing.recovered, "alarms": standing.alarms,
        "backup_age_s": backup_age_s,
    });
    output.result(&value, || {
        let say = |key: &str, values: &[(&str, &str)]| output.words.say("say", key, values);
        let ago = |seconds: Option<i64>| match seconds {
            None => say("never", &[]),
            Some(s) if s < 3600 => say("minutes_ago", &[("n", &(s / 60).to_string())]),
            Some(s) if s < 2 * 86_400 => say("hours_ago", &[("n", &(s / 3600).to_string())]),
            Some(s) => say("days_ago", &[("n", &(s / 86_400).to_string())]),
        };
        let n = |count: u64| count.to_string();
        let mut lines = vec![
            format!("{}  {}", info.name, info.address),
            say(
                "status_people",
                &[("n", &n(standing.accounts)), ("disabled", &n(standing.disabled))],
            ),
            say(
                "status_devices",
                &[
                    ("n", &n(standing.devices)),
                    ("revoked", &n(standing.revoked)),
                    ("active", &n(standing.active)),
                ],
            ),
            say("status_contact", &[("ago", &ago(since_contact_s))]),
            say(
                "status_waiting",
                &[("held", &n(standing.held)), ("recovered", &n(standing.recovered))],
            ),
            say("status_backup", &[("ago", &ago(backup_age_s))]),
        ];
        lines.extend(counts.iter().map(|(kind, n)| format!("  {kind}: {n}")));
        lines
    })
}
