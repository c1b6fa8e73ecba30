//! The notices of the town, as SQL.

use async_trait::async_trait;
use yaoguan_model::canonical;
use yaoguan_model::cells::Cell;

use super::super::notices::{MAX_NOTICES, Noticed, Notices};
use super::feed::{in_cells, names_of};
use crate::error::TownError;
use crate::storage::sql::{Engine, params};

/// Scope is in the statement; notices are walked from the newest back, whatever else the town has.
pub(super) const NEWEST: &str = concat!(
    "SELECT record.body AS body, record.received_at AS received_at, \
     coalesce(account.name, '') AS author \
     FROM record LEFT JOIN account ON account.id = record.created_by \
     WHERE record.kind = 'notice' AND ",
    in_cells!("record.id", "?1"),
    " ORDER BY record.id DESC LIMIT ?2"
);

#[async_trait]
impl<E: Engine> Notices for E {
    async fn notices(&self, cells: Vec<Cell>) -> Result<Vec<Noticed>, TownError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(NEWEST)?;
            let rows = statement.query_map(params![names_of(&cells), MAX_NOTICES], |row| {
                let body: Vec<u8> = row.get("body")?;
                Ok((body, row.get("author")?, row.get("received_at")?))
            })?;
            let noticed = rows.map(|row| {
                let (body, author, received_at) = row?;
                Ok(Noticed { record: canonical::decode(&body)?, author, received_at })
            });
            noticed.collect()
        })
        .await
    }
}
