//! Invites and devices as SQL. Each sort of change stands in one function: [`enrol`] uses an invite up,
//! [`revoke_device`] strikes a phone off.

use yaoguan_model::{AccountId, DeviceId};
use yaoguan_wire::ErrorCode;

use super::{audit, id16, people, scope};
use crate::audit::{Act, Attribution, By, Subject};
use crate::error::TownError;
use crate::people::{
    Device, Enrolled, Enrolment, Invited, NewDevice, NewInvite, PeopleError, Seen, invite_id,
};
use crate::storage::sql::{self, Connection, OptionalExtension, Row, Transaction};

/// How finely a device's last contact is noted, in seconds.
const CONTACT_GRAIN_S: i64 = 60;

pub(super) fn add_invites(
    tx: &Transaction<'_>,
    invites: &[NewInvite],
    done: &Attribution,
) -> Result<(), TownError> {
    for invite in invites {
        tx.prepare_cached(
            "INSERT INTO invite (code_hash, account, created_at, expires_at) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute((invite.code_hash, invite.account.as_bytes(), done.at, invite.expires_at))?;
        let entry = done.entry(Act::InviteMade, Subject::Invite(invite_id(&invite.code_hash)));
        let entry = entry.with("account", invite.account.to_string());
        audit::write(tx, &entry.with("expires_at", invite.expires_at))?;
    }
    Ok(())
}

const INVITES: &str = "SELECT code_hash, account, name, invite.created_at AS created_at, expires_at, \
     used_at, revoked_at, device FROM invite JOIN account ON account.id = invite.account";

fn invite_row(row: &Row<'_>) -> sql::Result<Invited> {
    let device: Option<[u8; 16]> = row.get("device")?;
    Ok(Invited {
        id: invite_id(&row.get("code_hash")?),
        account: AccountId::from_bytes(id16(row, "account")?),
        name: row.get("name")?,
        created_at: row.get("created_at")?,
        expires_at: row.get("expires_at")?,
        used_at: row.get("used_at")?,
        revoked_at: row.get("revoked_at")?,
        device: device.map(DeviceId::from_bytes),
    })
}

pub(super) fn invites(
    connection: &Connection,
    all: bool,
    now: i64,
) -> Result<Vec<Invited>, TownError> {
    let sql = format!(
        "{INVITES} WHERE ?1 OR (used_at IS NULL AND revoked_at IS NULL AND expires_at >= ?2 \
         AND disabled_at IS NULL) ORDER BY invite.created_at DESC, name"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map((all, now), invite_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn revoke_invite(
    tx: &Transaction<'_>,
    id: &str,
    done: &Attribution,
) -> Result<(), TownError> {
    let sql = "UPDATE invite SET revoked_at = ?2 WHERE used_at IS NULL AND revoked_at IS NULL \
         AND lower(hex(substr(code_hash, 1, length(?1) / 2))) = ?1 AND length(?1) >= 8";
    if tx.execute(sql, (id.trim().to_lowercase(), done.at))? == 0 {
        return Err(PeopleError::NoInvite(id.to_owned()).into());
    }
    audit::write(tx, &done.entry(Act::InviteRevoked, Subject::Invite(id.to_owned())))?;
    Ok(())
}

pub(super) fn invited(
    connection: &Connection,
    code_hash: &[u8; 32],
) -> Result<Option<AccountId>, TownError> {
    let sql = "SELECT account FROM invite WHERE code_hash = ?1";
    let row = connection.prepare_cached(sql)?.query_row([code_hash], |row| id16(row, "account"));
    Ok(row.optional()?.map(AccountId::from_bytes))
}

/// Uses an invite up and enrols a device with it.
pub(super) fn enrol(
    tx: &Transaction<'_>,
    code_hash: &[u8; 32],
    device: &NewDevice,
    now: i64,
) -> Result<Enrolment, TownError> {
    let sql = "SELECT account, expires_at, used_at IS NOT NULL OR revoked_at IS NOT NULL AS gone \
         FROM invite WHERE code_hash = ?1";
    let row = tx.query_row(sql, [code_hash], |row| {
        let account = AccountId::from_bytes(id16(row, "account")?);
        Ok((account, row.get::<_, i64>("expires_at")?, row.get::<_, bool>("gone")?))
    });
    let Some((id, expires_at, gone)) = row.optional()? else { return Ok(Enrolment::Unknown) };
    let person = people::person(tx, id)?.filter(|person| !person.disabled);
    let Some(person) = person.filter(|_| !gone && now <= expires_at) else {
        return Ok(Enrolment::Gone);
    };
    let account = person.account;
    tx.execute(
        "UPDATE invite SET used_at = ?2, device = ?3 WHERE code_hash = ?1",
        (code_hash, now, device.id.as_bytes()),
    )?;
    scope::note(tx, &account)?;
    tx.execute(
        "INSERT INTO device (id, account, name, public_key, enrolled_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        (device.id.as_bytes(), account.id.as_bytes(), &device.name, &device.public_key, now),
    )?;
    let done = Attribution::new(By::Account(id), now);
    let used = done.entry(Act::InviteUsed, Subject::Invite(invite_id(code_hash)));
    audit::write(tx, &used.with("device", device.id.to_string()))?;
    let enrolled = done.entry(Act::DeviceEnrolled, Subject::Device(device.id));
    audit::write(tx, &enrolled.with("account", id.to_string()))?;
    Ok(Enrolment::Done(account))
}

pub(super) fn device(connection: &Connection, id: DeviceId) -> Result<Option<Device>, TownError> {
    let sql =
        "SELECT account, public_key, revoked_at IS NOT NULL AS revoked FROM device WHERE id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let row = statement.query_row([id.as_bytes()], |row| {
        let account = AccountId::from_bytes(id16(row, "account")?);
        Ok((account, row.get("public_key")?, row.get::<_, bool>("revoked")?))
    });
    let Some((account, public_key, revoked)) = row.optional()? else { return Ok(None) };
    let Some(person) = people::person(connection, account)? else { return Ok(None) };
    let barred = match (revoked, person.disabled) {
        (true, _) => Some(ErrorCode::DeviceRevoked),
        (false, true) => Some(ErrorCode::AccountDisabled),
        (false, false) => None,
    };
    Ok(Some(Device { id, public_key, barred, account: person.account }))
}

pub(super) fn saw_device(tx: &Transaction<'_>, id: DeviceId, seen: &Seen) -> Result<(), TownError> {
    // A phone that asks often must not cost the disk a write each time.
    tx.prepare_cached(
        "UPDATE device SET last_contact = ?2, clock_off_s = ?3, app = ?5, waiting_since = ?6 WHERE id = ?1 \
         AND (last_contact + ?4 <= ?2 OR abs(clock_off_s - ?3) > ?4 OR app <> ?5 \
         OR coalesce(abs(waiting_since - ?6) > ?4, waiting_since IS DISTINCT FROM ?6))",
    )?
    .execute((
        id.as_bytes(),
        seen.at,
        seen.clock_off_s,
        CONTACT_GRAIN_S,
        &seen.app,
        seen.waiting_since,
    ))?;
    Ok(())
}

pub(super) fn devices(connection: &Connection) -> Result<Vec<Enrolled>, TownError> {
    let mut statement = connection.prepare_cached(
        "SELECT device.id AS id, device.name AS name, account, account.name AS account_name, \
         disabled_at IS NOT NULL AS account_disabled, enrolled_at, last_contact, clock_off_s, \
         app, waiting_since, (SELECT min(received_at) FROM held WHERE held.device = device.id AND outcome = '') \
         AS held_since, revoked_at FROM device JOIN account ON account.id = device.account \
         ORDER BY account, enrolled_at, device.id",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(Enrolled {
            id: DeviceId::from_bytes(id16(row, "id")?),
            name: row.get("name")?,
            account: AccountId::from_bytes(id16(row, "account")?),
            account_name: row.get("account_name")?,
            account_disabled: row.get("account_disabled")?,
            enrolled_at: row.get("enrolled_at")?,
            last_contact: row.get("last_contact")?,
            clock_off_s: row.get("clock_off_s")?,
            app: row.get("app")?,
            waiting_since: row.get("waiting_since")?,
            held_since: row.get("held_since")?,
            revoked_at: row.get("revoked_at")?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Strikes a phone off. Its key never comes back: who enrols again gets a new device.
pub(super) fn revoke_device(
    tx: &Transaction<'_>,
    id: DeviceId,
    done: &Attribution,
) -> Result<bool, TownError> {
    let there = tx.prepare_cached("SELECT 1 FROM device WHERE id = ?1")?.exists([id.as_bytes()])?;
    if !there {
        return Err(PeopleError::NoDevice(id.to_string()).into());
    }
    let sql = "UPDATE device SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL";
    if tx.execute(sql, (id.as_bytes(), done.at))? == 0 {
        return Ok(false);
    }
    audit::write(tx, &done.entry(Act::DeviceRevoked, Subject::Device(id)))?;
    Ok(true)
}
