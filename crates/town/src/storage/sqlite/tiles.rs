//! The map that phones fetch, as SQL.

use async_trait::async_trait;
use yaoguan_model::BlobHash;

use super::super::tiles::{Maps, Published};
use super::audit;
use crate::audit::{Act, Attribution, Subject};
use crate::error::TownError;
use crate::storage::sql::{Engine, OptionalExtension as _};

#[async_trait]
impl<E: Engine> Maps for E {
    async fn published_tiles(&self) -> Result<Option<Published>, TownError> {
        self.read(|connection| {
            let sql = "SELECT hash, size, about, published_at FROM tiles";
            let row = connection.prepare_cached(sql)?.query_row([], |row| {
                let hash: [u8; 32] = row.get("hash")?;
                let about: String = row.get("about")?;
                Ok((BlobHash(hash), row.get("size")?, about, row.get("published_at")?))
            });
            let Some((hash, size, about, published_at)) = row.optional()? else { return Ok(None) };
            let about = serde_json::from_str(&about);
            let about = about.map_err(|e| TownError::Corrupt(format!("tiles: {e}")))?;
            Ok(Some(Published { hash, size, about, published_at }))
        })
        .await
    }

    async fn publish_tiles(
        &self,
        tiles: Option<Published>,
        done: Attribution,
    ) -> Result<(), TownError> {
        self.write(move |tx| {
            let entry = match &tiles {
                None => {
                    tx.execute("DELETE FROM tiles", [])?;
                    done.entry(Act::TilesRemoved, Subject::Town)
                }
                Some(tiles) => {
                    let about = serde_json::to_string(&tiles.about);
                    let about = about.map_err(|e| TownError::Corrupt(e.to_string()))?;
                    let sql = "INSERT OR REPLACE INTO tiles (one, hash, size, about, published_at) \
                               VALUES (1, ?1, ?2, ?3, ?4)";
                    tx.execute(sql, (&tiles.hash.0, tiles.size, about, tiles.published_at))?;
                    let entry = done.entry(Act::TilesPublished, Subject::Town);
                    entry.with("hash", tiles.hash.to_string()).with("bytes", tiles.size)
                }
            };
            audit::write(tx, &entry)?;
            Ok(())
        })
        .await
    }
}
