//! Tokens as SQL.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Transaction};
use yaoguan_model::DeviceId;
use yaoguan_wire::limits::MAX_TOKENS;

use super::super::tokens::{NewToken, Tokens};
use super::{Sqlite, id16, people};
use crate::error::TownError;
use crate::people::Device;

#[async_trait]
impl Tokens for Sqlite {
    async fn add_token(&self, token: NewToken, now: i64) -> Result<(), TownError> {
        self.write(move |tx| add(tx, &token, now)).await
    }

    async fn token(&self, hash: [u8; 32], now: i64) -> Result<Option<Device>, TownError> {
        self.read(move |connection| device_of(connection, &hash, now)).await
    }
}

fn add(tx: &Transaction<'_>, token: &NewToken, now: i64) -> Result<(), TownError> {
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
    device.map_or(Ok(None), |id| people::device(connection, DeviceId::from_bytes(id)))
}
