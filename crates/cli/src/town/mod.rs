//! `yaoguan-town`: reads the command line, does one thing for the town, or serves.

mod accounts;
mod apart;
mod arguments;
mod audit;
mod blobs;
mod console;
mod demo_activity;
mod devices;
mod doctor;
mod invite;
mod invites;
mod keeping;
mod moving;
mod owner;
mod serve;
pub mod settings;
mod status;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};
use serde_json::json;
use yaoguan_model::env::System;
use yaoguan_model::{Env as _, Kind, Role};
use yaoguan_town::audit::Attribution;
use yaoguan_town::data::Place;
use yaoguan_town::demo::ADMIN;
use yaoguan_town::people::{code, password};
use yaoguan_town::storage::SignIns as _;
use yaoguan_town::{Storage as _, Town, TownError, demo, grids};

pub use arguments::Arguments;
use arguments::{Do, Grids};

use crate::help::localised;
use crate::output::{Failure, Output};
use crate::words::Words;
use settings::Settings;

/// What a town is called unless said otherwise.
const NAME: &str = "姚关镇";

/// Requests that work on the database at once, each with a connection and its memory; others wait.
const MAX_DATABASE_THREADS: usize = 32;

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
    let settings = match settings(&arguments, &output) {
        Ok(settings) => settings,
        Err(failure) => return output.exit(Err(failure)),
    };
    if let Err(error) = owner::act_as_owner(&settings.data) {
        return output.exit(Err(error.into()));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .max_blocking_threads(MAX_DATABASE_THREADS)
        .enable_all()
        .build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(run(arguments, &settings, &output)),
        Err(error) => Err(error.into()),
    };
    output.exit(result)
}

fn settings(arguments: &Arguments, output: &Output<'_>) -> Result<Settings, Failure> {
    let env = |name: &str| std::env::var(name).ok();
    let resolved = Settings::resolve(&arguments.everywhere, arguments.action.serving(), &env);
    resolved.map_err(|problem| problem.said(output))
}

async fn run(
    arguments: Arguments,
    settings: &Settings,
    output: &Output<'_>,
) -> Result<(), Failure> {
    let place = settings.place();
    if let Do::Init { name, demo } = arguments.action {
        return init(output, &place, name.as_deref().unwrap_or(NAME), demo).await;
    }
    if let Do::Settings(_) = arguments.action {
        return settings::show(settings, output);
    }
    if let Do::Doctor(_) = arguments.action {
        return doctor::doctor(settings, output).await;
    }
    if let Do::Serve(_) = arguments.action {
        return serve::serve(settings).await;
    }
    if let Do::Restore { from } = arguments.action {
        return keeping::restore(output, settings, &from).await;
    }
    if let Do::Move(moving) = arguments.action {
        return moving::run(output, settings, moving.from, moving.to).await;
    }
    let town = Town::open_at(&place).await?;
    beside(town, arguments.action, settings, output).await
}

/// Commands that need an open town, and may run beside its server.
async fn beside(
    town: Town,
    action: Do,
    settings: &Settings,
    output: &Output<'_>,
) -> Result<(), Failure> {
    match action {
        Do::Init { .. } | Do::Settings(_) | Do::Doctor(_) | Do::Serve(_) => Ok(()),
        Do::Restore { .. } | Do::Move(_) => Ok(()),
        Do::Invite { role, grid, account, name, minutes, address } => {
            let ask = invite::Ask { role, grids: grid, account, name, minutes, address };
            invite::invite(&town, output, ask).await
        }
        Do::Grids { what: Grids::List } => list_grids(&town, output).await,
        Do::Grids { what: Grids::Import { file } } => import_grids(&town, output, file).await,
        Do::Invites { what } => invites::run(&town, output, what).await,
        Do::Accounts { what } => accounts::run(&town, output, what).await,
        Do::Devices { what } => devices::run(&town, output, what).await,
        Do::Audit { what } => audit::run(&town, output, what).await,
        Do::Blobs { what } => blobs::run(&town, &settings.data, output, what).await,
        Do::Held { what } => apart::held(&town, output, what).await,
        Do::Recovered { what } => apart::recovered(&town, output, what).await,
        Do::Backup { out } => keeping::backup(&town, output, &out).await,
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
        Do::DemoActivity { seed, days } => demo_activity::run(&town, output, seed, days).await,
        Do::Status(_) => status::status(&town, settings, output).await,
        Do::Verify => verify(&town, output).await,
    }
}

async fn init(
    output: &Output<'_>,
    place: &Place,
    name: &str,
    with_demo: bool,
) -> Result<(), Failure> {
    let town = Town::init_at(place, name, with_demo, &System).await?;
    let admin = demo::add_admin(&town.storage, &System).await?;
    demo::publish_template(&town.storage, admin, &System).await?;
    let made = match with_demo {
        true => Some(demo::fill(&town.storage, admin, &System).await?),
        false => None,
    };
    let password = code::new(&System);
    let hash = password::hash(password.clone(), &System).await?;
    town.storage.set_password(admin, hash, console::done("")).await?;
    let fingerprint = town.ca.fingerprint()?;
    let key = place.key_file.display().to_string();
    let whole = match &place.database {
        Some(url) => url.to_string(),
        None => place.dir.display().to_string(),
    };
    let value = json!({
        "town": name, "fingerprint": fingerprint, "key_file": key, "demo": with_demo,
        "grids": made.map_or(0, |m| m.grids), "chiefs": made.map_or(0, |m| m.chiefs),
        "villages": made.map_or(0, |m| m.villages), "volunteers": made.map_or(0, |m| m.volunteers),
        "supervisors": made.map_or(0, |m| m.supervisors),
        "admin": { "login": ADMIN, "password": password },
    });
    output.result(&value, || {
        let say = |key: &str, values: &[(&str, &str)]| output.words.say("say", key, values);
        let mut lines = vec![
            say("town_made", &[("name", name), ("dir", &whole)]),
            say("town_key_file", &[("file", &key)]),
            say("town_fingerprint", &[("fingerprint", &fingerprint)]),
            say("town_admin", &[("login", ADMIN), ("password", &password)]),
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
            lines.push(say("town_demo", &values));
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
    let bytes = std::fs::read(&file)?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| TownError::Input("the file is not UTF-8".to_owned()))?;
    let read = grids::read(text, &grids::Mapping::default());
    if let Some(trouble) = read.troubles.first() {
        let grids::Trouble { feature, line, code, value } = trouble;
        let words = format!("line {line}, feature {feature}: {code} {value}");
        return Err(TownError::Input(words).into());
    }
    let accounts = town.storage.accounts().await?;
    let admin = accounts.iter().find(|account| account.role == Role::Admin);
    let admin =
        admin.ok_or_else(|| TownError::Corrupt("the town has no administrator".to_owned()))?;
    let mut plan = grids::plan(&town.storage, read.grids, admin.id, &System).await?;
    plan.write(&town.storage, Attribution::new(console::by(), System.now_s())).await?;
    let (added, changed) = (plan.added.len() as u64, plan.changed.len() as u64);
    let value = json!({ "added": added, "changed": changed, "unchanged": plan.unchanged });
    let texts = [added, changed, plan.unchanged].map(|n| n.to_string());
    let [added, changed, unchanged] = &texts;
    let values = [("added", added.as_str()), ("changed", changed), ("unchanged", unchanged)];
    output.result(&value, || vec![output.words.say("say", "grids_imported", &values)])
}

async fn verify(town: &Town, output: &Output<'_>) -> Result<(), Failure> {
    let bar = output.progress("verifying");
    let mut verified = town.storage.verify().await?;
    verified.findings.extend(town.blobs.verify(&town.storage).await?);
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
