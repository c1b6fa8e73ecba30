//! Invites: what they say, how long they hold, whom a sheet of them is for. The command line and the console
//! are adapters of these functions.

use std::collections::{BTreeMap, BTreeSet};

use yaoguan_model::{AccountId, Env, GridCode, Kind, Role};
use yaoguan_wire::Invite;
use yaoguan_wire::limits::INVITE_MINUTES_BOUND;

use super::limits::MAX_INVITES;
use super::sheet::{self, Card};
use super::{NewInvite, PeopleError, Person, hash_code, new_code};
use crate::data;
use crate::error::TownError;
use crate::storage::Storage;

/// What every invite of a town says: where it is reached, and whose certificate phones meet there.
#[derive(Debug, Clone)]
pub struct Line {
    address: String,
    ca: Option<String>,
}

impl Line {
    /// `address` is where phones reach the town.
    pub async fn of(storage: &dyn Storage, address: String) -> Result<Self, TownError> {
        // Behind a proxy the certificate is a public one; the town's own CA is for its own TLS.
        let ca = match storage.info().await?.own_tls {
            true => Some(data::ca_fingerprint(storage).await?),
            false => None,
        };
        Ok(Self { address, ca })
    }

    /// A new code for an account: what the town keeps, and what is handed out.
    pub fn invite(
        &self,
        env: &dyn Env,
        account: AccountId,
        expires_at: i64,
    ) -> (NewInvite, String) {
        let code = new_code(env);
        let invite = NewInvite { code_hash: hash_code(&code), account, expires_at };
        let (town, ca) = (self.address.clone(), self.ca.clone());
        (invite, Invite { town, code, ca }.to_string())
    }
}

/// How long an invite that is bound to an account may hold.
pub fn checked_minutes(minutes: i64) -> Result<i64, PeopleError> {
    match (1..=INVITE_MINUTES_BOUND).contains(&minutes) {
        true => Ok(minutes),
        false => Err(PeopleError::InviteMinutes(INVITE_MINUTES_BOUND)),
    }
}

/// Whom a sheet is for: open accounts that every named condition holds of.
#[derive(Debug, Clone, Default)]
pub struct Whom {
    pub role: Option<Role>,
    /// Twelve digits.
    pub village: Option<String>,
    pub grid: Option<GridCode>,
    pub logins: Option<BTreeSet<String>>,
}

/// A sheet that is ready to be printed; its invites hold once they are kept.
#[derive(Debug)]
pub struct Sheet {
    pub html: Vec<u8>,
    pub invites: Vec<NewInvite>,
    pub expires_at: i64,
}

/// Makes invites for everybody who is meant, on one sheet.
pub async fn sheet(
    storage: &dyn Storage,
    env: &dyn Env,
    (line, whom): (&Line, &Whom),
    expires_at: i64,
) -> Result<Sheet, TownError> {
    let people = meant(storage, whom).await?;
    if people.is_empty() {
        return Err(PeopleError::SheetNobody.into());
    }
    if people.len() > MAX_INVITES {
        return Err(PeopleError::SheetMany.into());
    }
    let names = grid_names(storage).await?;
    let (mut invites, mut cards) = (Vec::new(), Vec::new());
    for person in people {
        let (invite, uri) = line.invite(env, person.account.id, expires_at);
        invites.push(invite);
        cards.push(card(person, &names, uri));
    }
    cards.sort_by(|a, b| (&a.village, &a.grid, &a.name).cmp(&(&b.village, &b.grid, &b.name)));
    let town = storage.info().await?.name;
    let mut html = Vec::new();
    sheet::write(&mut html, &town, expires_at, &cards)?;
    Ok(Sheet { html, invites, expires_at })
}

/// None is named: nobody is meant, and somebody forgot to say whom.
async fn meant(storage: &dyn Storage, whom: &Whom) -> Result<Vec<Person>, TownError> {
    let Whom { role, village, grid, logins } = whom;
    if role.is_none() && village.is_none() && grid.is_none() && logins.is_none() {
        return Err(PeopleError::SheetWhom.into());
    }
    let mut people = storage.people().await?;
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
    if let Some(logins) = logins {
        let found: BTreeSet<&str> = people.iter().filter_map(|p| p.login.as_deref()).collect();
        if let Some(unknown) = logins.iter().find(|login| !found.contains(login.as_str())) {
            return Err(PeopleError::SheetUnknown(unknown.clone()).into());
        }
    }
    Ok(people)
}

/// Code → name and village of each grid.
async fn grid_names(
    storage: &dyn Storage,
) -> Result<BTreeMap<String, (String, String)>, TownError> {
    let records = storage.records(Kind::Grid).await?;
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
