//! Commands that keep the town's data, and those that let go of it: backup, restore, purge, erase.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;
use yaoguan_model::env::System;
use yaoguan_model::{Env, RecordId};
use yaoguan_town::audit::{self, Act, Subject};
use yaoguan_town::storage::{AuditLog as _, Erasure, Purging as _, purge_all};
use yaoguan_town::{Town, TownError, backup as backups};

use super::console::done;
use super::settings::Settings;
use crate::output::{Failure, Output};

pub(super) async fn backup(town: &Town, output: &Output<'_>, out: &Path) -> Result<(), Failure> {
    let bar = output.progress("backing_up");
    let manifest = backups::backup(town, out, &System).await?;
    drop(bar);
    let entry = done("").entry(Act::BackedUp, Subject::Town).with("position", manifest.position);
    town.storage.note(entry).await?;
    let bytes: u64 = manifest.files.values().map(|listed| listed.bytes).sum();
    let (folder, records) = (out.display().to_string(), manifest.records.to_string());
    let value = json!({
        "folder": folder, "records": manifest.records, "bytes": bytes, "position": manifest.position,
    });
    output.result(&value, || {
        let values = [("folder", folder.as_str()), ("n", &records)];
        vec![
            output.words.say("say", "backed_up", &values),
            output.words.say("say", "backup_key", &[]),
        ]
    })
}

pub(super) async fn restore(
    output: &Output<'_>,
    settings: &Settings,
    from: &Path,
) -> Result<(), Failure> {
    if settings.database.is_some() {
        return Err(TownError::NotEmbedded.into());
    }
    let Settings { data: dir, key_file, blobs, .. } = settings;
    let bar = output.progress("restoring");
    let restored = backups::restore(dir, key_file, blobs, from, &System).await?;
    drop(bar);
    let entry = audit::restored(&done(""), restored.left_head);
    let entry = entry.with("position", restored.manifest.position);
    Town::open(dir, key_file).await?.storage.note(entry).await?;
    let manifest = restored.manifest;
    let aside = restored.aside.map(|folder| folder.display().to_string());
    let sound = restored.findings.is_empty();
    let (files, bad) = (restored.blobs.files.to_string(), restored.blobs.bad.len().to_string());
    let value = json!({
        "ok": sound, "records": manifest.records, "made_at": manifest.made_at, "aside": aside,
        "findings": restored.findings.len(), "files": restored.blobs.files,
        "files_asked_again": restored.blobs.bad.len(),
    });
    output.result(&value, || {
        let n = manifest.records.to_string();
        let mut lines = vec![output.words.say("say", "restored", &[("n", &n)])];
        if let Some(folder) = &aside {
            lines.push(output.words.say("say", "restored_aside", &[("folder", folder)]));
        }
        let values = [("files", files.as_str()), ("bad", &bad)];
        lines.push(output.words.say("say", "restored_files", &values));
        lines.push(output.words.say("say", "restored_next", &[]));
        if !sound {
            let n = restored.findings.len().to_string();
            lines.push(output.words.say("say", "not_verified", &[("n", &n)]));
        }
        lines
    })?;
    if sound { Ok(()) } else { Err(Failure::Shown) }
}

fn counted(counts: &BTreeMap<String, u64>) -> String {
    counts.iter().map(|(kind, n)| format!("{kind} {n}")).collect::<Vec<_>>().join(", ")
}

pub(super) async fn purge(town: &Town, output: &Output<'_>) -> Result<(), Failure> {
    let bar = output.progress("purging");
    let counts = purge_all(&town.storage, System.now_s()).await?;
    drop(bar);
    let total: u64 = counts.values().sum();
    output.result(&json!({ "purged": counts, "total": total }), || {
        let values = [("n", total.to_string()), ("kinds", counted(&counts))];
        let values: Vec<(&str, &str)> = values.iter().map(|(k, v)| (*k, v.as_str())).collect();
        vec![output.words.say("say", "purged", &values)]
    })
}

pub(super) async fn erase(
    town: &Town,
    output: &Output<'_>,
    household: RecordId,
    with_open: bool,
    reason: &str,
) -> Result<(), Failure> {
    if reason.trim().is_empty() {
        return Err(Failure::Said("reason_missing", vec![]));
    }
    let ids = |ids: &[RecordId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    match town.storage.erase(household, with_open, done(reason)).await? {
        Erasure::NotFound => {
            Err(Failure::Said("no_such_household", vec![("id", household.to_string())]))
        }
        Erasure::Open(open) => Err(Failure::Said("erase_open", vec![("ids", ids(&open))])),
        Erasure::Undecided(undecided) => {
            Err(Failure::Said("erase_undecided", vec![("ids", ids(&undecided))]))
        }
        Erasure::Done(counts) => output.result(&json!({ "erased": counts }), || {
            vec![output.words.say("say", "erased", &[("kinds", &counted(&counts))])]
        }),
    }
}
