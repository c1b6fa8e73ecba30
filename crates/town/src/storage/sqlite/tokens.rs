//! Tokens as SQL.

use async_trait::async_trait;
use yaoguan_model::DeviceId;
use yaoguan_wire::limits::MAX_TOKENS;

use super::super::tokens::{NewToken, Tokens};
use super::{audit, enrolled, id16};
use crate::audit::{Act, Attribution, Subject};
use crate::error::TownError;
use crate::people::Device;
use crate::storage::sql::{Connection, Engine, OptionalExtension, Transaction};

/// What the audit log calls a token: the beginning of its hash.
const ID_BYTES: usize = 8;

#[async_trait]
impl<E: Engine> Tokens for E {
    async fn add_token(&self, token: NewToken, done: Attribution) -> Result<(), TownError> {
        self.write(move |tx| add(tx, &token, &done)).await
    }

    async fn token(&self, hash: [u8; 32], now: i64) -> Result<Option<Device>, TownError> {
        self.read(move |connection| device_of(connection, &hash, now)).await
    }
}

fn add(tx: &Transaction<'_>, token: &NewToken, done: &Attribution) -> Result<(), TownError> {
    let now = done.at;
    tx.prepare_cached("DELETE FROM token WHERE expires_at <= ?1")?.execute([now])?;
    tx.prepare_cached(
        "INSERT INTO token (hash, device, account, made_at, expires_at) \
         SELECT ?1, id, account, ?3, ?4 FROM device WHERE id = ?2",
    )?
    .execute((token.hash, token.device.as_bytes(), now, token.expires_at))?;
    tx.prepare_cached(
        "DELETE FROM token WHERE account = (SELECT account FROM device WHERE id = ?1) \
         AND hash NOT IN (SELECT hash FROM token \
         WHERE account = (SELECT account FROM device WHERE id = ?1) \
         ORDER BY hash <> ?2, made_at DESC, hash LIMIT ?3)",
    )?
    .execute((token.device.as_bytes(), token.hash, MAX_TOKENS))?;
    let id: String = token.hash.iter().take(ID_BYTES).map(|byte| format!("{byte:02x}")).collect();
    let entry = done.entry(Act::TokenMade, Subject::Token(id));
    audit::write(tx, &entry.with("device", token.device.to_string()))?;
    Ok(())
}

fn device_of(
    connection: &Connection,
    hash: &[u8; 32],
    now: i64,
) -> Result<Option<Device>, TownError> {
    let sql = "SELECT device FROM token WHERE hash = ?1 AND expires_at > ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let device = statement.query_row((hash, now), |row| id16(row, "device")).optional()?;
    device.map_or(Ok(None), |id| enrolled::device(connection, DeviceId::from_bytes(id)))
}
