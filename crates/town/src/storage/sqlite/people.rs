//! Accounts as SQL. Each sort of change stands in one function: [`change`] narrows or widens a scope,
//! [`set_disabled`] closes an account.

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde_json::Value;
use yaoguan_model::{AccountId, DeviceId, GridCode, Role};

use super::super::people::{People, PeopleAsk, PeoplePage};
use super::{audit, directory, enrolled, id16};
use crate::audit::{Act, Attribution, Subject};
use crate::error::TownError;
use crate::people::{
    Account, Coverage, Enrolled, Invited, NewInvite, NewPerson, PeopleError, Person, PersonChange,
};
use crate::storage::sql::{self, Connection, Engine, OptionalExtension, Row, Transaction};

pub(super) fn grids(connection: &Connection) -> Result<BTreeSet<GridCode>, TownError> {
    let mut statement = connection.prepare_cached("SELECT code FROM grid ORDER BY code")?;
    let rows = statement.query_map([], |row| row.get::<_, String>("code"))?;
    rows.map(|code| parse(&code?)).collect()
}

pub(super) fn parse<T: std::str::FromStr<Err = yaoguan_model::ids::BadId>>(
    text: &str,
) -> Result<T, TownError> {
    text.parse().map_err(|e: yaoguan_model::ids::BadId| TownError::Corrupt(e.to_string()))
}

const PERSON: &str = "SELECT account.id AS id, name, role, whole_town, scope_version, login, \
     disabled_at IS NOT NULL AS disabled, password IS NOT NULL AS has_password, \
     coalesce(totp_confirmed, 0) AS has_totp \
     FROM account LEFT JOIN credential ON credential.account = account.id";

fn person_row(row: &Row<'_>) -> sql::Result<(Person, String)> {
    let account = Account {
        id: AccountId::from_bytes(id16(row, "id")?),
        name: row.get("name")?,
        role: Role::Volunteer,
        whole_town: row.get("whole_town")?,
        grids: BTreeSet::new(),
        scope_version: row.get("scope_version")?,
    };
    let person = Person {
        account,
        login: row.get("login")?,
        disabled: row.get("disabled")?,
        has_password: row.get("has_password")?,
        has_totp: row.get("has_totp")?,
    };
    Ok((person, row.get("role")?))
}

fn complete(
    connection: &Connection,
    (mut person, role): (Person, String),
) -> Result<Person, TownError> {
    let account = &mut person.account;
    account.role = parse(&role)?;
    account.grids = if account.whole_town {
        grids(connection)?
    } else {
        let sql = "SELECT grid FROM account_grid WHERE account = ?1 ORDER BY grid";
        let mut statement = connection.prepare_cached(sql)?;
        let rows =
            statement.query_map([account.id.as_bytes()], |row| row.get::<_, String>("grid"))?;
        rows.map(|code| parse(&code?)).collect::<Result<_, _>>()?
    };
    Ok(person)
}

fn people(connection: &Connection) -> Result<Vec<Person>, TownError> {
    let mut statement = connection.prepare_cached(&format!("{PERSON} ORDER BY account.id"))?;
    let rows = statement.query_map([], person_row)?;
    rows.map(|row| complete(connection, row?)).collect()
}

pub(super) fn accounts(connection: &Connection) -> Result<Vec<Account>, TownError> {
    Ok(people(connection)?.into_iter().map(|person| person.account).collect())
}

/// One person.
pub(super) fn person(connection: &Connection, id: AccountId) -> Result<Option<Person>, TownError> {
    let sql = format!("{PERSON} WHERE account.id = ?1");
    let mut statement = connection.prepare_cached(&sql)?;
    let row = statement.query_row([id.as_bytes()], person_row).optional()?;
    row.map(|row| complete(connection, row)).transpose()
}

/// The person that must be there.
pub(super) fn somebody(connection: &Connection, id: AccountId) -> Result<Person, TownError> {
    person(connection, id)?.ok_or_else(|| PeopleError::NoAccount(id.to_string()).into())
}

pub(super) fn by_login(connection: &Connection, login: &str) -> Result<Option<Person>, TownError> {
    let sql = format!("{PERSON} WHERE login = ?1");
    let mut statement = connection.prepare_cached(&sql)?;
    let row = statement.query_row([login], person_row).optional()?;
    row.map(|row| complete(connection, row)).transpose()
}

fn write_people(
    tx: &Transaction<'_>,
    new: &[NewPerson],
    changes: &[PersonChange],
    done: &Attribution,
) -> Result<u64, TownError> {
    let had_admin = has_admin(tx)?;
    let mut changed = 0;
    for change in changes {
        changed += u64::from(self::change(tx, change, done)?);
    }
    for person in new {
        add(tx, person, done)?;
    }
    keep_admin(tx, had_admin)?;
    Ok(changed)
}

fn add(tx: &Transaction<'_>, person: &NewPerson, done: &Attribution) -> Result<(), TownError> {
    let account = &person.account;
    if let Some(login) = &person.login {
        free_login(tx, login)?;
    }
    tx.prepare_cached(
        "INSERT INTO account (id, name, role, whole_town, scope_version, login, created_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute((
        account.id.as_bytes(),
        &account.name,
        account.role.as_str(),
        account.whole_town,
        account.scope_version,
        &person.login,
        done.at,
    ))?;
    let coverage = Coverage::of(account);
    cover(tx, account.id, &coverage)?;
    let entry = done.entry(Act::AccountAdded, Subject::Account(account.id));
    let entry = entry.with("role", account.role.as_str()).with("grids", codes(&coverage));
    audit::write(tx, &entry)?;
    Ok(())
}

/// Makes an account other than it is; false: it was so already. A new role or other grids are a new
/// scope, once.
fn change(
    tx: &Transaction<'_>,
    change: &PersonChange,
    done: &Attribution,
) -> Result<bool, TownError> {
    let before = somebody(tx, change.account)?;
    let account = &before.account;
    let (id, had) = (account.id, Coverage::of(account));
    let mut entry = done.entry(Act::AccountChanged, Subject::Account(id));
    if let Some(name) = change.name.as_ref().filter(|name| **name != account.name) {
        let sql = "UPDATE account SET name = ?2 WHERE id = ?1";
        tx.prepare_cached(sql)?.execute((id.as_bytes(), name))?;
        entry = entry.with("name", true);
    }
    if let Some(login) = change.login.as_ref().filter(|l| Some(*l) != before.login.as_ref()) {
        free_login(tx, login)?;
        let sql = "UPDATE account SET login = ?2 WHERE id = ?1";
        tx.prepare_cached(sql)?.execute((id.as_bytes(), login))?;
        entry = entry.with("login", true);
    }
    let role = change.role.filter(|role| *role != account.role);
    if let Some(role) = role {
        let sql = "UPDATE account SET role = ?2 WHERE id = ?1";
        tx.prepare_cached(sql)?.execute((id.as_bytes(), role.as_str()))?;
        entry = entry.with("role_before", account.role.as_str()).with("role", role.as_str());
    }
    let coverage = change.coverage.as_ref().filter(|coverage| **coverage != had);
    if let Some(coverage) = coverage {
        cover(tx, id, coverage)?;
        entry = entry.with("grids_before", codes(&had)).with("grids", codes(coverage));
    }
    if role.is_some() || coverage.is_some() {
        let sql = "UPDATE account SET scope_version = scope_version + 1 WHERE id = ?1";
        tx.prepare_cached(sql)?.execute([id.as_bytes()])?;
    }
    let changed = !entry.detail.is_empty();
    if changed {
        audit::write(tx, &entry)?;
    }
    Ok(changed)
}

fn cover(tx: &Transaction<'_>, id: AccountId, coverage: &Coverage) -> Result<(), TownError> {
    let (whole_town, grids) = coverage.clone().into_parts();
    let sql = "UPDATE account SET whole_town = ?2 WHERE id = ?1";
    tx.prepare_cached(sql)?.execute((id.as_bytes(), whole_town))?;
    tx.prepare_cached("DELETE FROM account_grid WHERE account = ?1")?.execute([id.as_bytes()])?;
    for grid in &grids {
        let sql = "INSERT INTO account_grid (account, grid) VALUES (?1, ?2)";
        tx.prepare_cached(sql)?.execute((id.as_bytes(), grid.as_str()))?;
    }
    Ok(())
}

fn codes(coverage: &Coverage) -> Value {
    match coverage {
        Coverage::WholeTown => Value::from("*"),
        Coverage::Grids(grids) => grids.iter().map(GridCode::as_str).collect(),
    }
}

fn free_login(tx: &Transaction<'_>, login: &str) -> Result<(), TownError> {
    match tx.prepare_cached("SELECT 1 FROM account WHERE login = ?1")?.exists([login])? {
        true => Err(PeopleError::LoginTaken(login.to_owned()).into()),
        false => Ok(()),
    }
}

fn has_admin(tx: &Transaction<'_>) -> Result<bool, TownError> {
    let sql = "SELECT 1 FROM account WHERE role = ?1 AND disabled_at IS NULL LIMIT 1";
    Ok(tx.prepare_cached(sql)?.exists([Role::Admin.as_str()])?)
}

/// A town that had an enabled administrator keeps one.
fn keep_admin(tx: &Transaction<'_>, had: bool) -> Result<(), TownError> {
    if had && !has_admin(tx)? { Err(PeopleError::LastAdmin.into()) } else { Ok(()) }
}

/// Closes or opens an account. What it waits for from a closed one is void: resets and invites.
fn set_disabled(
    tx: &Transaction<'_>,
    id: AccountId,
    disabled: bool,
    done: &Attribution,
) -> Result<bool, TownError> {
    if somebody(tx, id)?.disabled == disabled {
        return Ok(false);
    }
    let had_admin = has_admin(tx)?;
    let sql = "UPDATE account SET disabled_at = ?2 WHERE id = ?1";
    tx.execute(sql, (id.as_bytes(), disabled.then_some(done.at)))?;
    keep_admin(tx, had_admin)?;
    let act = if disabled {
        let sql =
            "UPDATE credential SET reset_hash = NULL, reset_expires_at = NULL WHERE account = ?1";
        tx.execute(sql, [id.as_bytes()])?;
        let sql = "UPDATE invite SET revoked_at = ?2 \
             WHERE account = ?1 AND used_at IS NULL AND revoked_at IS NULL";
        tx.execute(sql, (id.as_bytes(), done.at))?;
        Act::AccountDisabled
    } else {
        Act::AccountEnabled
    };
    audit::write(tx, &done.entry(act, Subject::Account(id)))?;
    Ok(true)
}

#[async_trait]
impl<E: Engine> People for E {
    async fn people(&self) -> Result<Vec<Person>, TownError> {
        self.read(people).await
    }

    async fn people_page(&self, ask: PeopleAsk) -> Result<PeoplePage, TownError> {
        self.read(move |connection| directory::page(connection, &ask)).await
    }

    async fn person(&self, who: String) -> Result<Option<Person>, TownError> {
        self.read(move |connection| match who.trim().parse::<AccountId>() {
            Ok(id) => person(connection, id),
            Err(_) => by_login(connection, &crate::people::login_of(&who)),
        })
        .await
    }

    async fn write_people(
        &self,
        new: Vec<NewPerson>,
        changes: Vec<PersonChange>,
        done: Attribution,
    ) -> Result<u64, TownError> {
        self.write(move |tx| write_people(tx, &new, &changes, &done)).await
    }

    async fn set_disabled(
        &self,
        account: AccountId,
        disabled: bool,
        done: Attribution,
    ) -> Result<bool, TownError> {
        self.write(move |tx| set_disabled(tx, account, disabled, &done)).await
    }

    async fn add_invites(
        &self,
        invites: Vec<NewInvite>,
        done: Attribution,
    ) -> Result<(), TownError> {
        self.write(move |tx| enrolled::add_invites(tx, &invites, &done)).await
    }

    async fn invites(&self, all: bool, now: i64) -> Result<Vec<Invited>, TownError> {
        self.read(move |connection| enrolled::invites(connection, all, now)).await
    }

    async fn revoke_invite(&self, id: String, done: Attribution) -> Result<(), TownError> {
        self.write(move |tx| enrolled::revoke_invite(tx, &id, &done)).await
    }

    async fn invited(&self, code_hash: [u8; 32]) -> Result<Option<AccountId>, TownError> {
        self.read(move |connection| enrolled::invited(connection, &code_hash)).await
    }

    async fn devices(&self) -> Result<Vec<Enrolled>, TownError> {
        self.read(enrolled::devices).await
    }

    async fn revoke_device(&self, id: DeviceId, done: Attribution) -> Result<bool, TownError> {
        self.write(move |tx| enrolled::revoke_device(tx, id, &done)).await
    }
}
