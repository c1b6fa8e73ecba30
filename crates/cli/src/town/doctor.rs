//! `yaoguan-town doctor`: what is wrong, in plain words, and what to do.

use std::path::PathBuf;

use serde_json::json;
use yaoguan_model::env::System;
use yaoguan_town::doctor::{Patient, State, examine, words};

use super::settings::Settings;
use crate::output::{Failure, Output};

/// Where systemd finds units that are not its distribution's own.
pub(super) const UNITS: [&str; 3] =
    ["/etc/systemd/system", "/usr/local/lib/systemd/system", "/lib/systemd/system"];

pub(super) async fn doctor(settings: &Settings, output: &Output<'_>) -> Result<(), Failure> {
    let units = UNITS.map(PathBuf::from);
    let patient = Patient {
        data: &settings.data,
        key_file: &settings.key_file,
        listen: settings.listen,
        public: settings.public.as_deref(),
        behind_proxy: settings.behind_proxy,
        backups: settings.backups.as_ref(),
        blobs: &settings.blobs,
        database: settings.database.as_ref(),
        units: &units,
        env: &System,
    };
    let checks = examine(&patient).await;
    let zh = output.words.lang == "zh";
    let bad = checks.iter().filter(|check| check.state == State::Bad).count();
    let warned = checks.iter().filter(|check| check.state == State::Warn).count();
    let value: Vec<_> = checks
        .iter()
        .map(|check| {
            json!({
                "name": check.name, "state": check.state.as_str(), "found": check.found,
                "words": words::said(check, zh), "remedy": words::remedy(check, zh),
            })
        })
        .collect();
    output.result(&json!({ "ok": bad == 0, "checks": value }), || {
        let mut lines = Vec::new();
        for check in &checks {
            let mark = output.words.say("state", check.state.as_str(), &[]);
            lines.push(format!("{mark}  {}", words::said(check, zh)));
            lines.extend(words::remedy(check, zh).map(|text| format!("      → {text}")));
        }
        let (bad, warned) = (bad.to_string(), warned.to_string());
        lines.push(output.words.say("say", "examined", &[("bad", &bad), ("warn", &warned)]));
        lines
    })?;
    if bad == 0 { Ok(()) } else { Err(Failure::Shown) }
}
