//! Commands on invites: listed, revoked, and made for many people at once.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;

use serde_json::json;
use yaoguan_model::Env as _;
use yaoguan_model::env::System;
use yaoguan_town::Town;
use yaoguan_town::people::invites::{self, Whom};
use yaoguan_town::people::{Invited, login_of};
use yaoguan_town::storage::People as _;
use yaoguan_wire::limits::INVITE_MINUTES_BOUND;

use super::accounts::private_file;
use super::arguments::{Invites, Sheet};
use super::console::{done, local_time};
use super::invite::line;
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
    let line = line(town, output, sheet.address.clone()).await?;
    let whom = Whom {
        role: sheet.role,
        village: sheet.village,
        grid: sheet.grid,
        logins: sheet.file.as_deref().map(logins).transpose()?,
    };
    let expires_at = System.now_s() + sheet.hours * 3600;
    let made = invites::sheet(&town.storage, &System, (&line, &whom), expires_at).await?;
    let count = made.invites.len();
    let mut file = private_file(&sheet.out)?;
    file.write_all(&made.html)?;
    file.sync_all()?;
    if let Err(error) = town.storage.add_invites(made.invites, done("")).await {
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

/// One login a line.
fn logins(path: &Path) -> Result<BTreeSet<String>, Failure> {
    let text = std::fs::read_to_string(path)?;
    let text = text.trim_start_matches('\u{FEFF}');
    Ok(text.lines().map(login_of).filter(|line| !line.is_empty()).collect())
}
