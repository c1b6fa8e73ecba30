//! Looks at a town of the database without changing it: for `doctor`.

use super::super::sql::Engine as _;
use super::super::sqlite::examine::{Examined, inside};
use super::{DatabaseUrl, Postgres, client, migrations, pool};
use crate::error::TownError;

/// Sees whether it can be reached, its schema, how it is set up, and what its tables say.
pub async fn examine(url: &DatabaseUrl, now: i64) -> Result<Examined, TownError> {
    let pool = pool(url)?;
    let first = client(&pool).await?;
    let missing = || TownError::Missing(url.to_string().into());
    let there = "SELECT to_regclass('migration') IS NOT NULL AS there";
    if !first.query_one(there, &[]).await?.try_get::<_, bool>("there")? {
        return Err(missing());
    }
    let (found, known) = (migrations::found(&**first).await?, migrations::known());
    if found > known {
        return Err(TownError::SchemaNewer { found, known });
    }
    let mut volatile = None;
    for setting in ["fsync", "full_page_writes", "synchronous_commit"] {
        let row = first.query_one("SELECT current_setting($1) AS is", &[&setting]).await?;
        if row.try_get::<_, String>("is")? == "off" {
            volatile = Some(format!("{setting} = off"));
        }
    }
    let sql = "SELECT town FROM town_key WHERE name = $1";
    let row = first.query_opt(sql, &[&url.town]).await?.ok_or_else(missing)?;
    drop(first);
    let is_current = found == known;
    let town = Postgres::of(url, pool, row.try_get("town")?, None);
    let inside = if is_current { Some(town.read(move |c| inside(c, now)).await?) } else { None };
    Ok(Examined { found, known, volatile, damage: Vec::new(), inside })
}
