//! How the town stands, in numbers.

use async_trait::async_trait;

use super::super::standing::{Standing, Stands};
use crate::error::TownError;
use crate::storage::sql::{Connection, Engine};

pub(super) fn standing(connection: &Connection, now: i64) -> Result<Standing, TownError> {
    let mut statement = connection.prepare_cached(include_str!("standing.sql"))?;
    let standing = statement.query_row([now], |row| {
        Ok(Standing {
            accounts: row.get("accounts")?,
            disabled: row.get("disabled")?,
            devices: row.get("devices")?,
            revoked: row.get("revoked")?,
            active: row.get("active")?,
            last_contact: row.get("last_contact")?,
            held: row.get("held")?,
            held_since: row.get("held_since")?,
            recovered: row.get("recovered")?,
            alarms: row.get("alarms")?,
            last_alarm: row.get("last_alarm")?,
        })
    })?;
    Ok(standing)
}

#[async_trait]
impl<E: Engine> Stands for E {
    async fn standing(&self, now: i64) -> Result<Standing, TownError> {
        self.read(move |connection| standing(connection, now)).await
    }
}
