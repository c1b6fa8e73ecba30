//! Delivered scopes, and what lies in one, as SQL.

use std::collections::BTreeSet;

use yaoguan_model::authorise::Actor;
use yaoguan_model::cells::Cell;
use yaoguan_model::{AccountId, DeviceId, GridCode, Record, canonical};

use super::feed::names_of;
use super::people::parse;
use crate::error::TownError;
use crate::people::Account;
use crate::storage::sql::{Connection, OptionalExtension, Transaction, params};

pub(super) fn note(tx: &Transaction<'_>, account: &Account) -> Result<(), TownError> {
    let grids: Vec<&str> = account.grids.iter().map(GridCode::as_str).collect();
    let grids = serde_json::to_string(&grids).map_err(|e| TownError::Corrupt(e.to_string()))?;
    tx.prepare_cached(
        "INSERT OR IGNORE INTO account_scope (account, version, role, grids) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute((account.id.as_bytes(), account.scope_version, account.role.as_str(), grids))?;
    Ok(())
}

pub(super) fn at(
    connection: &Connection,
    account: AccountId,
    version: u64,
) -> Result<Option<Actor>, TownError> {
    let sql = "SELECT role, grids FROM account_scope WHERE account = ?1 AND version = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let row = statement.query_row((account.as_bytes(), version), |row| {
        Ok((row.get::<_, String>("role")?, row.get::<_, String>("grids")?))
    });
    let Some((role, grids)) = row.optional()? else { return Ok(None) };
    let codes: Vec<String> =
        serde_json::from_str(&grids).map_err(|e| TownError::Corrupt(e.to_string()))?;
    let grids = codes.iter().map(|code| parse(code)).collect::<Result<BTreeSet<_>, _>>()?;
    Ok(Some(Actor { account, role: parse(&role)?, grids }))
}

/// Scope is in the statement itself.
const HASHES: &str = "SELECT DISTINCT record.hash AS hash \
     FROM cell CROSS JOIN feed ON feed.cell = cell.id CROSS JOIN record ON record.id = feed.record \
     WHERE cell.name IN (SELECT value FROM json_each(?1)) AND feed.state = 0";

pub(super) fn hashes(
    connection: &Connection,
    cells: &[Cell],
) -> Result<(Vec<[u8; 32]>, u64), TownError> {
    let sql = "SELECT position FROM feed_head";
    let head = connection.prepare_cached(sql)?.query_row([], |row| row.get("position"))?;
    let mut statement = connection.prepare_cached(HASHES)?;
    let rows = statement.query_map([names_of(cells)], |row| row.get("hash"))?;
    Ok((rows.collect::<Result<_, _>>()?, head))
}

const BY_HASH: &str = "SELECT record.body AS body FROM record WHERE record.hash = ?2 \
     AND EXISTS (SELECT 1 FROM feed JOIN cell ON cell.id = feed.cell \
     WHERE feed.record = record.id AND feed.state = 0 \
     AND cell.name IN (SELECT value FROM json_each(?1)))";

pub(super) fn by_hashes(
    connection: &Connection,
    cells: &[Cell],
    hashes: &[[u8; 32]],
) -> Result<Vec<Record>, TownError> {
    let names = names_of(cells);
    let mut statement = connection.prepare_cached(BY_HASH)?;
    let mut found = Vec::new();
    for hash in hashes {
        let body = statement.query_row(params![names, hash], |row| row.get::<_, Vec<u8>>("body"));
        if let Some(body) = body.optional()? {
            found.push(canonical::decode(&body)?);
        }
    }
    Ok(found)
}

pub(super) fn root_due(
    tx: &Transaction<'_>,
    device: DeviceId,
    now: i64,
    every_s: i64,
) -> Result<bool, TownError> {
    let sql = "UPDATE device SET root_at = ?2 WHERE id = ?1 AND root_at + ?3 <= ?2";
    let changed = tx.prepare_cached(sql)?.execute((device.as_bytes(), now, every_s))?;
    Ok(changed > 0)
}
