//! Commands on what the town keeps apart: held saves, and what came back after a restore.

use std::collections::BTreeMap;

use serde_json::json;
use yaoguan_field::values;
use yaoguan_model::authorise::Actor;
use yaoguan_model::env::System;
use yaoguan_model::{Env, FieldPath, Kind, Role, Value};
use yaoguan_town::storage::{Apart as _, Held as HeldSave, Release, Storage as _};
use yaoguan_town::{Town, TownError};
use yaoguan_wire::HoldId;

use super::arguments::{Held, Recovered};
use super::console;
use crate::output::{Failure, Output};

pub(super) async fn held(town: &Town, output: &Output<'_>, what: Held) -> Result<(), Failure> {
    match what {
        Held::List => {
            let all = town.storage.held().await?;
            let rows: Vec<_> = all.iter().map(value_of).collect();
            output.result(&rows, || all.iter().map(|held| line(output, held)).collect())
        }
        Held::Show { id } => {
            let held = find(town, id).await?;
            output.result(&value_of(&held), || shown(output, &held))
        }
        Held::Release { id, set, drop, note } => {
            let kind = find(town, id).await?.about.kind;
            let release = Release {
                hold: id,
                by: supervisor(town).await?,
                mended: mended(&kind, &set, &drop)?,
                fresh_id: System.new_record_id(),
                note,
                now: System.now_s(),
            };
            let record = town.storage.release(release, console::by()).await?;
            let values = [("id", record.to_string())];
            let said = || output.words.say("say", "hold_released", &[("id", &values[0].1)]);
            output.result(&json!({ "hold": id, "record": record }), || vec![said()])
        }
        Held::Refuse { id, note } => {
            town.storage.refuse_held(id, note, console::done("")).await?;
            let said = || output.words.say("say", "hold_refused", &[]);
            output.result(&json!({ "hold": id }), || vec![said()])
        }
    }
}

async fn find(town: &Town, id: HoldId) -> Result<HeldSave, Failure> {
    let found = town.storage.held().await?.into_iter().find(|held| held.id == id);
    found.ok_or_else(|| Failure::Said("no_such_hold", vec![("id", id.to_string())]))
}

/// Whoever may run this program on the town's machine decides as a supervisor of the whole town, in the
/// name of the town's administrator.
async fn supervisor(town: &Town) -> Result<Actor, Failure> {
    let accounts = town.storage.accounts().await?;
    let admin = accounts.iter().find(|account| account.role == Role::Admin);
    let missing = || TownError::Corrupt("the town has no administrator".to_owned());
    let account = admin.ok_or_else(missing)?.id;
    Ok(Actor { account, role: Role::Supervisor, grids: town.storage.grids().await? })
}

fn mended(
    kind: &Kind,
    set: &[String],
    drop: &[String],
) -> Result<BTreeMap<FieldPath, Option<Value>>, Failure> {
    let mut mended = BTreeMap::new();
    for text in set.iter().map(String::as_str).chain(drop.iter().map(String::as_str)) {
        let (field, value) = text.split_once('=').unwrap_or((text, ""));
        let (path, value) =
            values::typed(kind, field, value).map_err(yaoguan_field::FieldError::from)?;
        mended.insert(path, value);
    }
    Ok(mended)
}

fn value_of(held: &HeldSave) -> serde_json::Value {
    json!({
        "id": held.id, "record": held.about.id, "kind": held.about.kind,
        "created_by": held.about.created_by, "account": held.account, "device": held.device,
        "code": held.code.as_str(), "detail": held.detail, "received_at": held.received_at,
        "changes": held.changes,
    })
}

fn line(output: &Output<'_>, held: &HeldSave) -> String {
    let why = output.words.say("refusal", held.code.as_str(), &[]);
    format!("{}  {}  {}  {why}", held.id, held.about.kind, held.about.id)
}

fn shown(output: &Output<'_>, held: &HeldSave) -> Vec<String> {
    let mut lines = vec![line(output, held)];
    for (path, change) in &held.changes.paths {
        let text = |value: &Value| {
            let json = || serde_json::to_string(value).unwrap_or_default();
            value.as_text().map_or_else(json, str::to_owned)
        };
        let added: Vec<String> = change.added.iter().map(|s| text(&s.value)).collect();
        let key = if added.is_empty() { "kept_removal" } else { "kept_value" };
        let values = [("path", path.as_str()), ("value", &added.join(" / "))];
        lines.push(output.words.say("say", key, &values));
    }
    lines
}

pub(super) async fn recovered(
    town: &Town,
    output: &Output<'_>,
    what: Recovered,
) -> Result<(), Failure> {
    let all = town.storage.recovered().await?;
    match what {
        Recovered::List => {
            let rows: Vec<_> = all
                .iter()
                .map(|one| {
                    json!({
                        "hash": hex(&one.hash), "record": one.id, "kind": one.kind,
                        "from": one.from, "received_at": one.received_at,
                    })
                })
                .collect();
            output.result(&rows, || {
                let line = |one: &yaoguan_town::storage::Recovered| {
                    format!("{}  {}  {}  {}", hex(&one.hash), one.kind, one.id, one.from.len())
                };
                all.iter().map(line).collect()
            })
        }
        Recovered::Take { hashes, all: every } => {
            let mut wanted = Vec::new();
            for text in &hashes {
                let found = all.iter().find(|one| hex(&one.hash) == *text);
                let said = || Failure::Said("no_such_recovered", vec![("hash", text.clone())]);
                wanted.push(found.ok_or_else(said)?.hash);
            }
            let wanted = (!every).then_some(wanted);
            let taken = town.storage.take_recovered(wanted, console::done("")).await?;
            let count = taken.to_string();
            let said = || output.words.say("say", "recovered_taken", &[("n", &count)]);
            output.result(&json!({ "taken": taken }), || vec![said()])
        }
    }
}

fn hex(hash: &[u8; 32]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
