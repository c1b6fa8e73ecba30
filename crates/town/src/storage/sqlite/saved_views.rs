//! Saved views as SQL.

use async_trait::async_trait;
use yaoguan_model::AccountId;

use super::super::saved_views::{MAX_VIEWS, SavedView, SavedViews};
use super::id16;
use crate::error::TownError;
use crate::storage::sql::{Engine, Transaction, params};

#[async_trait]
impl<E: Engine> SavedViews for E {
    async fn views(&self, account: AccountId) -> Result<Vec<SavedView>, TownError> {
        self.read(move |connection| {
            let sql = "SELECT id, name, query FROM saved_view WHERE account = ?1 ORDER BY name, id";
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map([account.as_bytes()], |row| {
                let (name, query) = (row.get("name")?, row.get("query")?);
                Ok(SavedView { id: id16(row, "id")?, name, query })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn keep_view(&self, account: AccountId, view: SavedView) -> Result<bool, TownError> {
        self.write(move |tx| keep(tx, account, &view)).await
    }

    async fn drop_view(&self, account: AccountId, id: [u8; 16]) -> Result<bool, TownError> {
        self.write(move |tx| {
            let sql = "DELETE FROM saved_view WHERE id = ?1 AND account = ?2";
            Ok(tx.execute(sql, params![id, account.as_bytes()])? > 0)
        })
        .await
    }
}

fn keep(tx: &Transaction<'_>, account: AccountId, view: &SavedView) -> Result<bool, TownError> {
    let sql = "DELETE FROM saved_view WHERE account = ?1 AND name = ?2";
    tx.execute(sql, params![account.as_bytes(), view.name])?;
    let sql = "INSERT INTO saved_view (id, account, name, query) SELECT ?1, ?2, ?3, ?4 \
         WHERE (SELECT count(*) FROM saved_view WHERE account = ?2) < ?5";
    let kept =
        tx.execute(sql, params![view.id, account.as_bytes(), view.name, view.query, MAX_VIEWS])?;
    Ok(kept > 0)
}
