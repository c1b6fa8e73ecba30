//! What an administrator does with accounts, over storage. The command line and the console are adapters of
//! these functions: what is a rule stands here.

use yaoguan_model::limits::MAX_NAME_CHARS;
use yaoguan_model::{AccountId, Env, Role};

use super::limits::RESET_HOLDS_S;
use super::{
    Account, Coverage, NewPerson, PeopleError, Person, PersonChange, checked_login, code,
    hash_code, roster, totp,
};
use crate::audit::Attribution;
use crate::error::TownError;
use crate::storage::Storage;

/// An account as it was typed.
#[derive(Debug, Clone)]
pub struct Typed {
    pub login: String,
    pub name: String,
    pub role: Role,
    /// See [`roster::coverage`].
    pub grids: String,
}

/// What is to become other than it is; none stays.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    pub login: Option<String>,
    pub name: Option<String>,
    pub role: Option<Role>,
    pub grids: Option<String>,
}

/// A one-time code that was handed out.
#[derive(Debug, Clone)]
pub struct Reset {
    pub login: String,
    pub code: String,
    pub expires_at: i64,
}

/// The account of this login or id, which must be there.
pub async fn find(storage: &dyn Storage, who: &str) -> Result<Person, TownError> {
    let person = storage.person(who.to_owned()).await?;
    person.ok_or_else(|| PeopleError::NoAccount(who.to_owned()).into())
}

async fn covers(storage: &dyn Storage, text: &str) -> Result<Coverage, TownError> {
    let coverage = roster::coverage(text.trim(), &storage.grids().await?);
    coverage.map_err(|unknown| PeopleError::NoGrid(unknown.join(" ")).into())
}

/// A name within its rules.
pub fn checked_name(typed: &str) -> Result<String, PeopleError> {
    let name = typed.trim();
    let sound = !name.is_empty() && name.chars().count() <= MAX_NAME_CHARS;
    match sound && !name.chars().any(char::is_control) {
        true => Ok(name.to_owned()),
        false => Err(PeopleError::BadName),
    }
}

/// Adds an account.
pub async fn add(
    storage: &dyn Storage,
    env: &dyn Env,
    typed: Typed,
    done: Attribution,
) -> Result<AccountId, TownError> {
    let (login, name) = (checked_login(&typed.login)?, checked_name(&typed.name)?);
    let coverage = covers(storage, &typed.grids).await?;
    if !coverage.fits(typed.role) {
        return Err(PeopleError::Coverage(typed.role).into());
    }
    let (whole_town, grids) = coverage.into_parts();
    let id = AccountId(env.new_record_id().0);
    let account = Account { id, name, role: typed.role, whole_town, grids, scope_version: 1 };
    let new = vec![NewPerson { account, login: Some(login) }];
    storage.write_people(new, Vec::new(), done).await?;
    Ok(id)
}

/// Makes an account other than it is. Administrators have no grids, so whoever becomes one gives theirs up.
pub async fn change(
    storage: &dyn Storage,
    person: &Person,
    wanted: Wanted,
    done: Attribution,
) -> Result<(), TownError> {
    let account = &person.account;
    let Wanted { login, name, role, grids } = wanted;
    let grids = grids.or_else(|| (role == Some(Role::Admin)).then(String::new));
    let coverage = match &grids {
        Some(grids) => Some(covers(storage, grids).await?),
        None => None,
    };
    let then = role.unwrap_or(account.role);
    let own = Coverage::of(account);
    if !coverage.as_ref().unwrap_or(&own).fits(then) {
        return Err(PeopleError::Coverage(then).into());
    }
    let login = login.as_deref().map(checked_login).transpose()?;
    let name = name.as_deref().map(checked_name).transpose()?;
    let change = PersonChange { account: account.id, login, name, role, coverage };
    storage.write_people(Vec::new(), vec![change], done).await?;
    Ok(())
}

/// Hands out a one-time code for a new password.
pub async fn offer_reset(
    storage: &dyn Storage,
    env: &dyn Env,
    person: &Person,
    done: Attribution,
) -> Result<Reset, TownError> {
    let login = person.login.clone().ok_or(PeopleError::NoLogin)?;
    let code = code::new(env);
    let expires_at = done.at + RESET_HOLDS_S;
    storage.offer_reset(person.account.id, hash_code(&code), expires_at, done).await?;
    Ok(Reset { login, code, expires_at })
}

/// Makes a secret for one-time passwords; returns what an authenticator app scans.
pub async fn enrol_totp(
    storage: &dyn Storage,
    env: &dyn Env,
    person: &Person,
    done: Attribution,
) -> Result<String, TownError> {
    let login = person.login.as_deref().ok_or(PeopleError::NoLogin)?;
    let secret = totp::new_secret(env);
    let uri = totp::uri(&storage.info().await?.name, login, &secret);
    storage.enrol_totp(person.account.id, secret, done).await?;
    Ok(uri)
}
