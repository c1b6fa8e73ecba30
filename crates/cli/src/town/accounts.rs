//! Commands on accounts: who they are, what they may, how they sign in.

use std::io::{BufRead as _, Read as _, Write as _};
use std::path::Path;

use serde_json::{Value, json};
use yaoguan_model::env::System;
use yaoguan_model::{AccountId, Role};
use yaoguan_town::people::acts::{self, Reset, Typed, Wanted};
use yaoguan_town::people::limits::MAX_PASSWORD_BYTES;
use yaoguan_town::people::roster::{self, BadRow, Roster};
use yaoguan_town::people::{PeopleError, Person, password};
use yaoguan_town::storage::{People as _, SignIns as _};
use yaoguan_town::{Storage as _, Town};

use super::arguments::{Accounts, Totp};
use super::console::{done, local_time};
use crate::output::{Failure, Output};
use crate::said;

pub(super) async fn run(
    town: &Town,
    output: &Output<'_>,
    what: Option<Accounts>,
) -> Result<(), Failure> {
    match what.unwrap_or(Accounts::List) {
        Accounts::List => list(town, output).await,
        Accounts::Add { login, name, role, grids } => {
            add(town, output, (login, name), role, grids).await
        }
        Accounts::Import { file, skip_bad, rejects } => {
            import(town, output, &file, skip_bad, rejects.as_deref()).await
        }
        Accounts::Role { who, role, grids, reason } => {
            let wanted = Wanted { role: Some(role), grids, ..Wanted::default() };
            change(town, output, &who, wanted, &reason).await
        }
        Accounts::Grids { who, grids, reason } => {
            let wanted = Wanted { grids: Some(grids), ..Wanted::default() };
            change(town, output, &who, wanted, &reason).await
        }
        Accounts::Login { who, login } => {
            let wanted = Wanted { login: Some(login), ..Wanted::default() };
            change(town, output, &who, wanted, "").await
        }
        Accounts::Disable { who, reason } => disable(town, output, &who, true, &reason).await,
        Accounts::Enable { who, reason } => disable(town, output, &who, false, &reason).await,
        Accounts::Reset { who, reason } => reset(town, output, &who, &reason).await,
        Accounts::Password { who } => set_password(town, output, &who).await,
        Accounts::Totp { what } => one_time(town, output, what).await,
    }
}

async fn find(town: &Town, who: &str) -> Result<Person, Failure> {
    Ok(acts::find(&town.storage, who).await?)
}

fn value_of(person: &Person) -> Value {
    let Person { account, login, disabled, has_password, has_totp } = person;
    json!({
        "id": account.id, "login": login, "name": account.name, "role": account.role,
        "whole_town": account.whole_town, "grids": account.grids, "disabled": disabled,
        "has_password": has_password, "has_totp": has_totp,
        "scope_version": account.scope_version,
    })
}

fn line(output: &Output<'_>, person: &Person) -> String {
    let Person { account, login, disabled, .. } = person;
    let login = login.as_deref().unwrap_or("-");
    let closed = if *disabled { output.words.say("people", "closed", &[]) } else { String::new() };
    format!("{}  {login}  {}  {} {closed}", account.id, account.role.as_str(), account.name)
        .trim_end()
        .to_owned()
}

async fn list(town: &Town, output: &Output<'_>) -> Result<(), Failure> {
    let people = town.storage.people().await?;
    let value: Vec<_> = people.iter().map(value_of).collect();
    output.result(&value, || people.iter().map(|person| line(output, person)).collect())
}

/// One account as it is now.
async fn shown(town: &Town, output: &Output<'_>, id: AccountId) -> Result<(), Failure> {
    let person = find(town, &id.to_string()).await?;
    output.result(&value_of(&person), || vec![line(output, &person)])
}

async fn add(
    town: &Town,
    output: &Output<'_>,
    (login, name): (String, String),
    role: Role,
    grids: String,
) -> Result<(), Failure> {
    let typed = Typed { login, name, role, grids };
    let id = acts::add(&town.storage, &System, typed, done("")).await?;
    shown(town, output, id).await
}

async fn change(
    town: &Town,
    output: &Output<'_>,
    who: &str,
    wanted: Wanted,
    reason: &str,
) -> Result<(), Failure> {
    let person = find(town, who).await?;
    acts::change(&town.storage, &person, wanted, done(reason)).await?;
    shown(town, output, person.account.id).await
}

async fn disable(
    town: &Town,
    output: &Output<'_>,
    who: &str,
    disabled: bool,
    reason: &str,
) -> Result<(), Failure> {
    let id = find(town, who).await?.account.id;
    town.storage.set_disabled(id, disabled, done(reason)).await?;
    shown(town, output, id).await
}

async fn import(
    town: &Town,
    output: &Output<'_>,
    file: &Path,
    skip_bad: bool,
    rejects: Option<&Path>,
) -> Result<(), Failure> {
    let bytes = std::fs::read(file)?;
    let (people, grids) = (town.storage.people().await?, town.storage.grids().await?);
    let read = roster::read(&bytes, &people, &grids, &System).map_err(PeopleError::from)?;
    let Roster { encoding, header, new, changes, unchanged, bad } = read;
    let written = bad.is_empty() || skip_bad;
    let (added, changed) = if written { (new.len(), changes.len()) } else { (0, 0) };
    if let Some(path) = rejects {
        write_rejects(output, path, &header, &bad)?;
    }
    if written {
        town.storage.write_people(new, changes, done("")).await?;
    }
    let reasons = |row: &BadRow| -> Vec<String> {
        row.problems.iter().map(|problem| said::of_row(output.words, problem)).collect()
    };
    let rows: Vec<_> =
        bad.iter().map(|row| json!({ "line": row.line, "reasons": reasons(row) })).collect();
    let value = json!({
        "added": added, "changed": changed, "unchanged": unchanged, "bad": rows,
        "encoding": encoding,
    });
    output.result(&value, || {
        let one = |row: &BadRow| {
            let values = [("line", &row.line.to_string()), ("why", &reasons(row).join("; "))];
            let values = values.map(|(key, text)| (key, text.as_str()));
            output.words.say("people", "bad_row", &values)
        };
        let mut lines: Vec<String> = bad.iter().map(one).collect();
        let texts = [added, changed, unchanged, bad.len()].map(|n| n.to_string());
        let [added, changed, unchanged, bad] = &texts;
        let values = [
            ("added", added.as_str()),
            ("changed", changed),
            ("unchanged", unchanged),
            ("bad", bad),
            ("encoding", &encoding),
        ];
        let key = if written { "imported" } else { "not_imported" };
        lines.push(output.words.say("people", key, &values));
        lines
    })?;
    if written { Ok(()) } else { Err(Failure::Shown) }
}

/// The rows that were not written, with their reasons, to be mended and imported again.
fn write_rejects(
    output: &Output<'_>,
    path: &Path,
    header: &[String],
    bad: &[BadRow],
) -> Result<(), Failure> {
    let mut out = private_file(path)?;
    let mut row = |cells: &mut dyn Iterator<Item = String>| -> std::io::Result<()> {
        let quoted: Vec<String> =
            cells.map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
        write!(out, "{}\r\n", quoted.join(","))
    };
    let reason = output.words.say("people", "reason", &[]);
    row(&mut header.iter().cloned().chain([reason]))?;
    for bad in bad {
        let reasons: Vec<String> =
            bad.problems.iter().map(|problem| said::of_row(output.words, problem)).collect();
        row(&mut bad.cells.iter().cloned().chain([reasons.join("; ")]))?;
    }
    Ok(out.sync_all()?)
}

/// A file with names or codes in it: for its owner alone.
pub(super) fn private_file(path: &Path) -> Result<std::fs::File, Failure> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    Ok(options.open(path)?)
}

async fn reset(town: &Town, output: &Output<'_>, who: &str, reason: &str) -> Result<(), Failure> {
    let person = find(town, who).await?;
    let reset = acts::offer_reset(&town.storage, &System, &person, done(reason)).await?;
    let Reset { login, code, expires_at } = reset;
    let value = json!({ "login": login, "code": code, "expires_at": expires_at });
    output.result(&value, || {
        let until = local_time(expires_at);
        let values = [("login", login.as_str()), ("code", &code), ("until", &until)];
        vec![output.words.say("people", "reset", &values)]
    })
}

/// The password stands on the first line of standard input: never among the arguments, where others on
/// the machine could read it.
async fn set_password(town: &Town, output: &Output<'_>, who: &str) -> Result<(), Failure> {
    let person = find(town, who).await?;
    let login = person.login.ok_or(PeopleError::NoLogin)?;
    let mut typed = String::new();
    let longest = u64::try_from(MAX_PASSWORD_BYTES).unwrap_or(u64::MAX).saturating_add(3);
    std::io::stdin().lock().take(longest).read_line(&mut typed)?;
    let typed = typed.strip_suffix('\n').unwrap_or(&typed);
    let typed = typed.strip_suffix('\r').unwrap_or(typed).to_owned();
    password::check(&typed, &login).map_err(PeopleError::Password)?;
    let hash = password::hash(typed, &System).await?;
    town.storage.set_password(person.account.id, hash, done("")).await?;
    let said = || vec![output.words.say("people", "password_set", &[("login", &login)])];
    output.result(&json!({ "login": login }), said)
}

async fn one_time(town: &Town, output: &Output<'_>, what: Totp) -> Result<(), Failure> {
    match what {
        Totp::Enrol { who } => {
            let person = find(town, &who).await?;
            let uri = acts::enrol_totp(&town.storage, &System, &person, done("")).await?;
            let login = person.login.unwrap_or_default();
            let then = || output.words.say("people", "totp_confirm", &[("login", &login)]);
            output.result(&json!({ "login": login, "uri": uri }), || vec![uri.clone(), then()])
        }
        Totp::Confirm { who, code } => {
            let id = find(town, &who).await?.account.id;
            town.storage.confirm_totp(id, code, done("")).await?;
            shown(town, output, id).await
        }
        Totp::Disable { who, reason } => {
            let id = find(town, &who).await?.account.id;
            town.storage.disable_totp(id, done(&reason)).await?;
            shown(town, output, id).await
        }
    }
}
