//! An invite: a single-use code in a URI, for a new account or one that is there.

use serde_json::json;
use yaoguan_model::env::System;
use yaoguan_model::{AccountId, Env, GridCode, Role};
use yaoguan_town::people::invites::Line;
use yaoguan_town::people::{Account, NewPerson};
use yaoguan_town::storage::People as _;
use yaoguan_town::{Storage as _, Town};
use yaoguan_wire::limits::{INVITE_MINUTES, INVITE_MINUTES_BOUND};

use super::console;
use crate::output::{Failure, Output};

/// Where phones look when the town has never served.
const DEFAULT_ADDRESS: &str = "https://127.0.0.1:8443";

/// What was asked for.
pub(super) struct Ask {
    pub role: Option<Role>,
    pub grids: Vec<GridCode>,
    pub account: Option<AccountId>,
    pub name: Option<String>,
    pub minutes: Option<i64>,
    pub address: Option<String>,
}

pub(super) async fn invite(town: &Town, output: &Output<'_>, ask: Ask) -> Result<(), Failure> {
    let longest = if ask.account.is_some() { INVITE_MINUTES_BOUND } else { INVITE_MINUTES };
    let minutes = ask.minutes.unwrap_or(INVITE_MINUTES);
    if !(1..=longest).contains(&minutes) {
        return Err(Failure::Said("invite_minutes", vec![("max", longest.to_string())]));
    }
    let line = line(town, output, ask.address.clone()).await?;
    let account = account(town, &ask).await?;
    let (invite, uri) = line.invite(&System, account, System.now_s() + minutes * 60);
    let expires_at = invite.expires_at;
    town.storage.add_invites(vec![invite], console::done("")).await?;
    let value = json!({ "uri": uri, "account": account, "expires_at": expires_at });
    output.result(&value, || {
        let minutes = minutes.to_string();
        vec![uri.clone(), output.words.say("say", "invite_holds", &[("minutes", &minutes)])]
    })
}

/// Where phones reach the town: as it was said, else as the server noted it.
pub(super) async fn line(
    town: &Town,
    output: &Output<'_>,
    address: Option<String>,
) -> Result<Line, Failure> {
    let known = town.storage.info().await?.address;
    let address = address.or_else(|| (!known.is_empty()).then_some(known)).unwrap_or_else(|| {
        output.note("invite_address", &[("url", DEFAULT_ADDRESS)]);
        DEFAULT_ADDRESS.to_owned()
    });
    Ok(Line::of(&town.storage, address).await?)
}

/// The account invited: the one named, or a new one.
async fn account(town: &Town, ask: &Ask) -> Result<AccountId, Failure> {
    if let Some(id) = ask.account {
        let accounts = town.storage.accounts().await?;
        let known = accounts.iter().any(|account| account.id == id);
        let said = || Failure::Said("no_such_account", vec![("id", id.to_string())]);
        return if known { Ok(id) } else { Err(said()) };
    }
    let role = ask.role.ok_or(Failure::Said("invite_role", vec![]))?;
    let known = town.storage.grids().await?;
    if let Some(grid) = ask.grids.iter().find(|grid| !known.contains(grid)) {
        return Err(Failure::Said("no_such_grid", vec![("grid", grid.to_string())]));
    }
    if ask.grids.is_empty() && matches!(role, Role::Volunteer | Role::Chief) {
        return Err(Failure::Said("invite_grid", vec![]));
    }
    let id = AccountId(System.new_record_id().0);
    let whole_town = role == Role::Supervisor && ask.grids.is_empty();
    let grids = ask.grids.iter().cloned().collect();
    let name = ask.name.clone().unwrap_or_else(|| format!("{} {}", role.as_str(), id));
    let account = Account { id, name, role, whole_town, grids, scope_version: 1 };
    let person = NewPerson { account, login: None };
    town.storage.write_people(vec![person], Vec::new(), console::done("")).await?;
    Ok(id)
}
