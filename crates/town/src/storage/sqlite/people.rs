//! Accounts, devices and invites as SQL.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, Row, Transaction};
use yaoguan_model::{AccountId, DeviceId, GridCode, Role};
use yaoguan_wire::ErrorCode;

use super::{id16, scope};
use crate::error::TownError;
use crate::people::{Account, Device, Enrolment, NewDevice, NewInvite};

/// How finely a device's last contact is noted, in seconds.
const CONTACT_GRAIN_S: i64 = 60;

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

pub(super) fn add_accounts(
    tx: &Transaction<'_>,
    accounts: &[Account],
    now: i64,
) -> Result<(), TownError> {
    for account in accounts {
        tx.prepare_cached(
            "INSERT INTO account (id, name, role, whole_town, scope_version, created_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute((
            account.id.as_bytes(),
            &account.name,
            account.role.as_str(),
            account.whole_town,
            account.scope_version,
            now,
        ))?;
        if account.whole_town {
            continue;
        }
        for grid in &account.grids {
            let sql = "INSERT INTO account_grid (account, grid) VALUES (?1, ?2)";
            tx.prepare_cached(sql)?.execute((account.id.as_bytes(), grid.as_str()))?;
        }
    }
    Ok(())
}

const ACCOUNT: &str = "SELECT id, name, role, whole_town, scope_version FROM account";

fn account_row(row: &Row<'_>) -> rusqlite::Result<(Account, String)> {
    let account = Account {
        id: AccountId::from_bytes(id16(row, "id")?),
        name: row.get("name")?,
        role: Role::Volunteer,
        whole_town: row.get("whole_town")?,
        grids: BTreeSet::new(),
        scope_version: row.get("scope_version")?,
    };
    Ok((account, row.get("role")?))
}

fn complete(
    connection: &Connection,
    (mut account, role): (Account, String),
) -> Result<Account, TownError> {
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
    Ok(account)
}

pub(super) fn accounts(connection: &Connection) -> Result<Vec<Account>, TownError> {
    let mut statement = connection.prepare_cached(&format!("{ACCOUNT} ORDER BY id"))?;
    let rows = statement.query_map([], account_row)?;
    rows.map(|row| complete(connection, row?)).collect()
}

fn account(connection: &Connection, id: AccountId) -> Result<Option<Account>, TownError> {
    let sql = format!("{ACCOUNT} WHERE id = ?1");
    let mut statement = connection.prepare_cached(&sql)?;
    let row = statement.query_row([id.as_bytes()], account_row).optional()?;
    row.map(|row| complete(connection, row)).transpose()
}

pub(super) fn add_invite(
    tx: &Transaction<'_>,
    invite: &NewInvite,
    now: i64,
) -> Result<(), TownError> {
    tx.execute(
        "INSERT INTO invite (code_hash, account, created_at, expires_at) VALUES (?1, ?2, ?3, ?4)",
        (invite.code_hash, invite.account.as_bytes(), now, invite.expires_at),
    )?;
    Ok(())
}

pub(super) fn enrol(
    tx: &Transaction<'_>,
    code_hash: &[u8; 32],
    device: &NewDevice,
    now: i64,
) -> Result<Enrolment, TownError> {
    let sql = "SELECT invite.account, expires_at, used_at IS NOT NULL OR disabled_at IS NOT NULL AS used \
         FROM invite JOIN account ON account.id = invite.account WHERE code_hash = ?1";
    let row = tx.query_row(sql, [code_hash], |row| {
        let account = AccountId::from_bytes(id16(row, "account")?);
        Ok((account, row.get::<_, i64>("expires_at")?, row.get::<_, bool>("used")?))
    });
    let Some((account_id, expires_at, used)) = row.optional()? else {
        return Ok(Enrolment::Unknown);
    };
    if used || now > expires_at {
        return Ok(Enrolment::Gone);
    }
    let Some(account) = account(tx, account_id)? else { return Ok(Enrolment::Gone) };
    tx.execute(
        "UPDATE invite SET used_at = ?2, device = ?3 WHERE code_hash = ?1",
        (code_hash, now, device.id.as_bytes()),
    )?;
    scope::note(tx, &account)?;
    tx.execute(
        "INSERT INTO device (id, account, name, public_key, enrolled_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        (device.id.as_bytes(), account.id.as_bytes(), &device.name, &device.public_key, now),
    )?;
    Ok(Enrolment::Done(account))
}

pub(super) fn device(connection: &Connection, id: DeviceId) -> Result<Option<Device>, TownError> {
    let sql = "SELECT account, public_key, revoked_at IS NOT NULL AS revoked, \
         disabled_at IS NOT NULL AS disabled FROM device JOIN account ON account.id = device.account \
         WHERE device.id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let row = statement.query_row([id.as_bytes()], |row| {
        let account = AccountId::from_bytes(id16(row, "account")?);
        let barred = match (row.get("revoked")?, row.get("disabled")?) {
            (true, _) => Some(ErrorCode::DeviceRevoked),
            (false, true) => Some(ErrorCode::AccountDisabled),
            (false, false) => None,
        };
        Ok((account, row.get("public_key")?, barred))
    });
    let Some((account_id, public_key, barred)) = row.optional()? else { return Ok(None) };
    let account = account(connection, account_id)?;
    Ok(account.map(|account| Device { id, public_key, barred, account }))
}

pub(super) fn saw_device(
    tx: &Transaction<'_>,
    id: DeviceId,
    now: i64,
    clock_off_s: i64,
) -> Result<(), TownError> {
    // A phone that asks often must not cost the disk a write each time.
    tx.prepare_cached(
        "UPDATE device SET last_contact = ?2, clock_off_s = ?3 WHERE id = ?1 \
         AND (last_contact + ?4 <= ?2 OR abs(clock_off_s - ?3) > ?4)",
    )?
    .execute((id.as_bytes(), now, clock_off_s, CONTACT_GRAIN_S))?;
    Ok(())
}
