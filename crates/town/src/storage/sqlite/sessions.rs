//! Sessions as SQL.

use async_trait::async_trait;
use yaoguan_model::AccountId;

use super::super::sessions::{
    IDLE_S, LONGEST_S, MAX_SESSIONS, PROVED_S, SEEN_EVERY_S, Sessions, Use,
};
use super::{id16, people};
use crate::error::TownError;
use crate::people::Account;
use crate::storage::sql::{Connection, Engine, OptionalExtension, Transaction};

#[async_trait]
impl<E: Engine> Sessions for E {
    async fn add_session(
        &self,
        hash: [u8; 32],
        account: AccountId,
        now: i64,
    ) -> Result<(), TownError> {
        self.write(move |tx| add(tx, &hash, account, now)).await
    }

    async fn session(
        &self,
        hash: [u8; 32],
        by: Use,
        now: i64,
    ) -> Result<Option<Account>, TownError> {
        let found = self.read(move |connection| find(connection, &hash, now)).await?;
        let Some((account, seen_at)) = found else { return Ok(None) };
        if by == Use::Active && now.saturating_sub(seen_at) >= SEEN_EVERY_S {
            self.write(move |tx| {
                let sql = "UPDATE session SET seen_at = ?2 WHERE hash = ?1";
                tx.prepare_cached(sql)?.execute((hash, now))?;
                Ok(())
            })
            .await?;
        }
        Ok(Some(account))
    }

    async fn prove_session(&self, hash: [u8; 32], now: i64) -> Result<(), TownError> {
        self.write(move |tx| {
            tx.execute("UPDATE session SET proved_at = ?2 WHERE hash = ?1", (hash, now))?;
            Ok(())
        })
        .await
    }

    async fn is_proved(&self, hash: [u8; 32], now: i64) -> Result<bool, TownError> {
        self.read(move |connection| {
            let sql = "SELECT 1 FROM session WHERE hash = ?1 AND proved_at > ?2";
            Ok(connection.prepare_cached(sql)?.exists((hash, now - PROVED_S))?)
        })
        .await
    }

    async fn end_session(&self, hash: [u8; 32], everywhere: bool) -> Result<(), TownError> {
        self.write(move |tx| {
            let sql = "DELETE FROM session WHERE hash = ?1 \
                 OR (?2 AND account = (SELECT account FROM session WHERE hash = ?1))";
            tx.execute(sql, (hash, everywhere))?;
            Ok(())
        })
        .await
    }
}

fn add(
    tx: &Transaction<'_>,
    hash: &[u8; 32],
    account: AccountId,
    now: i64,
) -> Result<(), TownError> {
    let sql = "DELETE FROM session WHERE made_at <= ?1 OR seen_at <= ?2";
    tx.execute(sql, (now - LONGEST_S, now - IDLE_S))?;
    let sql = "INSERT INTO session (hash, account, epoch, made_at, seen_at, proved_at) \
         SELECT ?1, ?2, epoch, ?3, ?3, ?3 FROM town";
    tx.execute(sql, (hash, account.as_bytes(), now))?;
    let sql = "DELETE FROM session WHERE account = ?1 AND hash NOT IN (SELECT hash FROM session \
         WHERE account = ?1 ORDER BY hash <> ?2, made_at DESC, hash LIMIT ?3)";
    tx.execute(sql, (account.as_bytes(), hash, MAX_SESSIONS))?;
    Ok(())
}

/// The account and when its session was last in use.
fn find(
    connection: &Connection,
    hash: &[u8; 32],
    now: i64,
) -> Result<Option<(Account, i64)>, TownError> {
    let sql = "SELECT account, seen_at FROM session JOIN town ON town.epoch = session.epoch \
         WHERE hash = ?1 AND made_at > ?2 AND seen_at > ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let row = statement.query_row((hash, now - LONGEST_S, now - IDLE_S), |row| {
        Ok((AccountId::from_bytes(id16(row, "account")?), row.get::<_, i64>("seen_at")?))
    });
    let Some((account, seen_at)) = row.optional()? else { return Ok(None) };
    let person = people::person(connection, account)?.filter(|person| !person.disabled);
    Ok(person.map(|person| (person.account, seen_at)))
}

/// Another password ends what was begun with the old one.
pub(super) fn end_all(tx: &Transaction<'_>, account: AccountId) -> Result<(), TownError> {
    tx.execute("DELETE FROM session WHERE account = ?1", [account.as_bytes()])?;
    Ok(())
}
