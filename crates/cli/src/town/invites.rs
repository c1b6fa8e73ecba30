//! Commands on invites: listed, revoked, and made for many people at once.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;

use serde_json::json;
use yaoguan_model::env::System;
use yaoguan_model::{Env as _, Kind};
use yaoguan_town::people::limits::MAX_INVITES;
use yaoguan_town::people::{Invited, Person, login_of};
use yaoguan_town::storage::People as _;
use yaoguan_town::{Storage as _, Town};
use yaoguan_wire::limits::INVITE_MINUTES_BOUND;

use super::accounts::private_file;
use super::arguments::{Invites, Sheet};
use super::console::{done, local_time};
use super::invite::Line;
use super::sheet::{self, Card};
use crate::output::{Failure, Output};

pub(super) async fn run(town: &Town, output: &Output<'_>, what: Invites) -> Result<(), Failure> {
    match what {
        Invites::List { all } => list(town, output, all).await,
        Invites::Revoke { id, reason } => {
            town.storage.revoke_invite(id.clone(), done(&reason)).await?;
            let said = || vec![output.words.say("people", "invite_revoked", &[])];
            output.result(&json!({ "invite": id }), said)
        }
        Invites::Sheet(sheet) => make(town, output, sheet).await,
    }
}

async fn list(town: &Town, output: &Output<'_>, all: bool) -> Result<(), Failure> {
    let now = System.now_s();
    let invites = town.storage.invites(all, now).await?;
    let state = |invite: &Invited| match (invite.used_at, invite.revoked_at) {
        (Some(_), _) => "used",
        (None, Some(_)) => "revoked",
        (None, None) if invite.expires_at < now => "stale",
        (None, None) => "waits",
    };
    let value: Vec<_> = invites
        .iter()
        .map(|i| {
            json!({
                "id": i.id, "account": i.account, "name": i.name, "created_at": i.created_at,
                "expires_at": i.expires_at, "used_at": i.used_at, "revoked_at": i.revoked_at,
                "device": i.device, "state": state(i),
            })
        })
        .collect();
    output.result(&value, || {
        let line = |invite: &Invited| {
            let state = output.words.say("people", state(invite), &[]);
            format!("{}  {}  {}  {state}", invite.id, local_time(invite.expires_at), invite.name)
        };
        invites.iter().map(line).collect()
    })
}

/// Invites for everybody who is meant, on one sheet to print. The sheet is written first: an invite that
/// nobody has is of no use, and a sheet of unknown codes does no harm.
async fn make(town: &Town, output: &Output<'_>, sheet: Sheet) -> Result<(), Failure> {
    let longest = INVITE_MINUTES_BOUND / 60;
    if !(1..=longest).contains(&sheet.hours) {
        return Err(Failure::Said("sheet_hours", vec![("max", longest.to_string())]));
    }
    let people = meant(town, &sheet).await?;
    if people.is_empty() {
        return Err(Failure::Said("sheet_nobody", vec![]));
    }
    if people.len() > MAX_INVITES {
        return Err(Failure::Said("sheet_many", vec![("max", MAX_INVITES.to_string())]));
    }
    let line = Line::of(town, output, sheet.address.clone()).await?;
    let names = grid_names(town).await?;
    let expires_at = System.now_s() + sheet.hours * 3600;
    let (mut invites, mut cards) = (Vec::new(), Vec::new());
    for person in people {
        let (invite, uri) = line.invite(person.account.id, expires_at);
        invites.push(invite);
        cards.push(card(person, &names, uri));
    }
    cards.sort_by(|a, b| (&a.village, &a.grid, &a.name).cmp(&(&b.village, &b.grid, &b.name)));
    let town_name = town.storage.info().await?.name;
    let count = cards.len();
    write(&sheet.out, |out| sheet::write(out, &town_name, expires_at, &cards))?;
    if let Err(error) = town.storage.add_invites(invites, done("")).await {
        _ = std::fs::remove_file(&sheet.out);
        return Err(error.into());
    }
    let file = sheet.out.display().to_string();
    let value = json!({ "invites": count, "file": file, "expires_at": expires_at });
    output.result(&value, || {
        let (n, until) = (count.to_string(), local_time(expires_at));
        let values = [("n", n.as_str()), ("file", &file), ("until", &until)];
        vec![output.words.say("people", "sheet_made", &values)]
    })
}

fn write(
    path: &Path,
    with: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>,
) -> Result<(), Failure> {
    let mut out = std::io::BufWriter::new(private_file(path)?);
    with(&mut out)?;
    out.flush()?;
    let file = out.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    Ok(file.sync_all()?)
}

/// Open accounts that every named condition holds of; none is named: nobody.
async fn meant(town: &Town, sheet: &Sheet) -> Result<Vec<Person>, Failure> {
    let Sheet { role, village, grid, file, .. } = sheet;
    let logins = match file {
        None => None,
        Some(path) => {
            let text = std::fs::read_to_string(path)?;
            let text = text.trim_start_matches('\u{FEFF}');
            let lines = text.lines().map(login_of).filter(|line| !line.is_empty());
            Some(lines.collect::<BTreeSet<String>>())
        }
    };
    if role.is_none() && village.is_none() && grid.is_none() && logins.is_none() {
        return Err(Failure::Said("sheet_whom", vec![]));
    }
    let mut people = town.storage.people().await?;
    people.retain(|person| {
        let account = &person.account;
        let covers = |code: &str| {
            !account.whole_town && account.grids.iter().any(|own| own.as_str().starts_with(code))
        };
        !person.disabled
            && role.is_none_or(|role| account.role == role)
            && village.as_deref().is_none_or(|code| code.len() == 12 && covers(code))
            && grid.as_ref().is_none_or(|grid| covers(grid.as_str()))
            && logins.as_ref().is_none_or(|logins| {
                person.login.as_ref().is_some_and(|login| logins.contains(login))
            })
    });
    if let Some(logins) = &logins {
        let found: BTreeSet<&str> = people.iter().filter_map(|p| p.login.as_deref()).collect();
        if let Some(unknown) = logins.iter().find(|login| !found.contains(login.as_str())) {
            return Err(Failure::Said("sheet_unknown", vec![("login", unknown.clone())]));
        }
    }
    Ok(people)
}

/// Code → name and village of each grid.
async fn grid_names(town: &Town) -> Result<BTreeMap<String, (String, String)>, Failure> {
    let records = town.storage.records(Kind::Grid).await?;
    let text = |record: &yaoguan_model::Record, path: &str| {
        record.shown_text(path).unwrap_or_default().to_owned()
    };
    let names = records
        .iter()
        .map(|record| (text(record, "code"), (text(record, "name"), text(record, "village_name"))));
    Ok(names.collect())
}

fn card(person: Person, names: &BTreeMap<String, (String, String)>, uri: String) -> Card {
    let account = person.account;
    let first = account.grids.first().map(|grid| grid.as_str().to_owned()).unwrap_or_default();
    let (mut grid, village) = match names.get(&first) {
        Some((name, village)) if !account.whole_town => {
            (format!("{first} {name}"), village.clone())
        }
        Some(_) | None => (String::new(), String::new()),
    };
    if !account.whole_town && account.grids.len() > 1 {
        grid = format!("{grid} +{}", account.grids.len() - 1);
    }
    let code: String = first.chars().take(12).collect();
    let village = if village.is_empty() { village } else { format!("{code} {village}") };
    Card { village, grid, name: account.name, role: account.role, uri }
}
