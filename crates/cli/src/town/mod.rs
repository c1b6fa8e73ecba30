//! `yaoguan-town`: reads the command line, does one thing for the town, or serves.

mod apart;
mod arguments;
mod invite;
mod keeping;
mod serve;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};
use serde_json::json;
use yaoguan_model::env::System;
use yaoguan_model::{Kind, Role};
use yaoguan_town::data::default_key_file;
use yaoguan_town::{Storage as _, Town, TownError, demo, grids};

pub use arguments::Arguments;
use arguments::{Do, Grids};

use crate::help::localised;
use crate::output::{Failure, Output};
use crate::words::Words;

/// What a town is called unless said otherwise.
const NAME: &str = "姚关镇";

/// The program.
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    let words = Words::from_arguments(&arguments);
    let command = localised(Arguments::command(), &words);
    let parsed =
        command.try_get_matches_from(arguments).and_then(|m| Arguments::from_arg_matches(&m));
    let arguments = match parsed {
        Ok(arguments) => arguments,
        Err(error) => error.exit(),
    };
    let output = Output { words: &words, json: arguments.json };
    let result = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(run(arguments, &output)),
        Err(error) => Err(error.into()),
    };
    output.exit(result)
}

async fn run(arguments: Arguments, output: &Output<'_>) -> Result<(), Failure> {
    let dir = arguments.data;
    let key_file = arguments.key_file.unwrap_or_else(|| default_key_file(&dir));
    if let Do::Init { name, demo } = arguments.action {
        return init(output, &dir, &key_file, name.as_deref().unwrap_or(NAME), demo).await;
    }
    if let Do::Restore { from } = arguments.action {
        return keeping::restore(output, &dir, &key_file, &from).await;
    }
    let town = Town::open(&dir, &key_file).await?;
    match arguments.action {
        Do::Init { .. } | Do::Restore { .. } => Ok(()),
        Do::Serve { listen, behind_proxy, public } => {
            serve::serve(&town, &dir, listen, behind_proxy, public).await
        }
        Do::Invite { role, grid, account, name, minutes, address } => {
            let ask = invite::Ask { role, grids: grid, account, name, minutes, address };
            invite::invite(&town, output, ask).await
        }
        Do::Grids { what: Grids::List } => list_grids(&town, output).await,
        Do::Grids { what: Grids::Import { file } } => import_grids(&town, output, file).await,
        Do::Accounts => accounts(&town, output).await,
        Do::Held { what } => apart::held(&town, output, what).await,
        Do::Recovered { what } => apart::recovered(&town, output, what).await,
        Do::Backup { out } => keeping::backup(&town, output, &dir, &out).await,
        Do::Purge => keeping::purge(&town, output).await,
        Do::Erase { household, with_open, reason } => {
            keeping::erase(&town, output, household, with_open, &reason).await
        }
        Do::Ca => {
            let fingerprint = town.ca.fingerprint()?;
            let pem = &town.ca.cert_pem;
            let value = json!({ "ca_pem": pem, "fingerprint": fingerprint });
            output.result(&value, || vec![pem.trim_end().to_owned()])
        }
        Do::Status => status(&town, output).await,
        Do::Verify => verify(&town, output).await,
    }
}

async fn init(
    output: &Output<'_>,
    dir: &Path,
    key_file: &Path,
    name: &str,
    with_demo: bool,
) -> Result<(), Failure> {
    let town = Town::init(dir, key_file, name, with_demo, &System).await?;
    let admin = demo::add_admin(&town.storage, &System).await?;
    demo::publish_template(&town.storage, admin, &System).await?;
    let made = match with_demo {
        true => Some(demo::fill(&town.storage, admin, &System).await?),
        false => None,
    };
    let fingerprint = town.ca.fingerprint()?;
    let key = key_file.display().to_string();
    let value = json!({
        "town": name, "fingerprint": fingerprint, "key_file": key, "demo": with_demo,
        "grids": made.map_or(0, |m| m.grids), "chiefs": made.map_or(0, |m| m.chiefs),
        "villages": made.map_or(0, |m| m.villages), "volunteers": made.map_or(0, |m| m.volunteers),
        "supervisors": made.map_or(0, |m| m.supervisors),
    });
    output.result(&value, || {
        let mut lines = vec![
            output.words.say(
                "say",
                "town_made",
                &[("name", name), ("dir", &dir.display().to_string())],
            ),
            output.words.say("say", "town_key_file", &[("file", &key)]),
            output.words.say("say", "town_fingerprint", &[("fingerprint", &fingerprint)]),
        ];
        if let Some(made) = made {
            let counts =
                [made.villages, made.grids, made.chiefs, made.volunteers, made.supervisors];
            let [villages, grids, chiefs, volunteers, supervisors] = counts.map(|n| n.to_string());
            let values = [
                ("villages", villages.as_str()),
                ("grids", &grids),
                ("chiefs", &chiefs),
                ("volunteers", &volunteers),
                ("supervisors", &supervisors),
            ];
            lines.push(output.words.say("say", "town_demo", &values));
        }
        lines
    })
}

async fn list_grids(town: &Town, output: &Output<'_>) -> Result<(), Failure> {
    let mut rows: Vec<_> = town
        .storage
        .records(Kind::Grid)
        .await?
        .iter()
        .map(|record| {
            let text = |path| record.shown_text(path).unwrap_or_default().to_owned();
            (text("code"), text("name"), text("village"), text("village_name"))
        })
        .collect();
    rows.sort();
    let value: Vec<_> = rows
        .iter()
        .map(|(code, name, village, village_name)| {
            json!({ "code": code, "name": name, "village": village, "village_name": village_name })
        })
        .collect();
    output
        .result(&value, || rows.iter().map(|(code, name, ..)| format!("{code}  {name}")).collect())
}

async fn import_grids(town: &Town, output: &Output<'_>, file: PathBuf) -> Result<(), Failure> {
    let grids = grids::read(&std::fs::read(&file)?)?;
    let accounts = town.storage.accounts().await?;
    let admin = accounts.iter().find(|account| account.role == Role::Admin);
    let admin =
        admin.ok_or_else(|| TownError::Corrupt("the town has no administrator".to_owned()))?;
    let written = grids::write(&town.storage, &grids, admin.id, &System).await?;
    let texts = [written.added, written.changed, written.unchanged].map(|n| n.to_string());
    let [added, changed, unchanged] = &texts;
    let value = json!({
        "added": written.added, "changed": written.changed, "unchanged": written.unchanged,
    });
    let values = [("added", added.as_str()), ("changed", changed), ("unchanged", unchanged)];
    output.result(&value, || vec![output.words.say("say", "grids_imported", &values)])
}

async fn accounts(town: &Town, output: &Output<'_>) -> Result<(), Failure> {
    let accounts = town.storage.accounts().await?;
    let value: Vec<_> = accounts
        .iter()
        .map(|a| json!({ "id": a.id, "name": a.name, "role": a.role, "grids": a.grids }))
        .collect();
    output.result(&value, || {
        accounts.iter().map(|a| format!("{}  {}  {}", a.id, a.role.as_str(), a.name)).collect()
    })
}

async fn status(town: &Town, output: &Output<'_>) -> Result<(), Failure> {
    let (info, counts) = (town.storage.info().await?, town.storage.counts().await?);
    let value = json!({
        "town": info.name, "address": info.address, "epoch": info.epoch, "replica": info.replica,
        "demo": info.demo, "records": counts,
    });
    output.result(&value, || {
        let mut lines = vec![format!("{}  {}", info.name, info.address)];
        lines.extend(counts.iter().map(|(kind, n)| format!("  {kind}: {n}")));
        lines
    })
}

async fn verify(town: &Town, output: &Output<'_>) -> Result<(), Failure> {
    let bar = output.progress("verifying");
    let verified = town.storage.verify().await?;
    drop(bar);
    let findings: Vec<_> = verified
        .findings
        .iter()
        .map(|f| json!({ "sort": f.sort, "record": f.record, "detail": f.detail }))
        .collect();
    let sound = findings.is_empty();
    let value = json!({ "ok": sound, "records": verified.records, "findings": findings });
    output.result(&value, || {
        let about = |f: &yaoguan_town::storage::Finding| {
            let record = f.record.map(|id| id.to_string()).unwrap_or_default();
            format!("{} {record} {}", f.sort, f.detail)
        };
        let mut lines: Vec<String> = verified.findings.iter().map(about).collect();
        let key = if sound { "verified" } else { "not_verified" };
        lines.push(output.words.say("say", key, &[("n", &findings.len().to_string())]));
        lines
    })?;
    if sound { Ok(()) } else { Err(Failure::Shown) }
}
