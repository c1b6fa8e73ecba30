//! A town moves from its folder into a PostgreSQL database. Its key, its photos and its map stay in the folder;
//! the database that is left there is fenced: no program opens it any more.

use yaoguan_model::Env;

use crate::audit::{Attribution, anchor, restored};
use crate::data::{DATABASE, Place, journal_file, line_file, moved_file};
use crate::error::TownError;
use crate::line::{private, sync_folder_of};
use crate::storage::Storage as _;
use crate::storage::postgres::{Coming, DatabaseUrl, Postgres, TakenIn};
use crate::storage::sqlite::Sqlite;
use crate::{key_file, lock};

/// Moves the town of a folder that nobody serves. The way can be gone again after an interruption: a town that
/// came whole is not taken in twice.
pub async fn move_to(from: &Place, to: &DatabaseUrl, env: &dyn Env) -> Result<TakenIn, TownError> {
    let Place { dir, key_file, .. } = from;
    if !dir.join(DATABASE).exists() {
        return Err(TownError::Missing(dir.clone()));
    }
    let _held = lock::take(dir)?;
    let key = key_file::read(key_file, dir)?;
    let heads = anchor::default_file(dir);
    let source = Sqlite::open_noting(&dir.join(DATABASE), &key, Some(&heads))?;
    source.take_up(&line_file(dir), &journal_file(dir), env).await?;
    if moved_file(dir).exists()
        && let Some(taken) = already(&source, to).await?
    {
        return Ok(taken);
    }
    let left = anchor::Anchor::new(&heads, &key).read()?.last();
    let (fenced, there) = (dir.clone(), to.to_string());
    let fence = move || {
        let file = moved_file(&fenced);
        let mut out = private(&file)?;
        std::io::Write::write_all(&mut out, format!("{there}\n").as_bytes())?;
        out.sync_all()?;
        Ok(sync_folder_of(&file)?)
    };
    let coming = Coming {
        from: &source,
        fresh: Postgres::fresh_line(env),
        entry: restored(&Attribution::town(env.now_s()), left).with("moved", true),
        fence: Box::new(fence),
    };
    let taken = Postgres::take_in(to, coming, Some((heads.as_path(), &key))).await;
    // Whether it came is not known only where the answer was lost.
    if taken.as_ref().is_err_and(|error| !matches!(error, TownError::Away(_))) {
        _ = std::fs::remove_file(moved_file(dir));
    }
    taken
}

/// The town, where it came whole before.
async fn already(source: &Sqlite, to: &DatabaseUrl) -> Result<Option<TakenIn>, TownError> {
    let there = match Postgres::open(to, None).await {
        Ok(there) => there,
        Err(TownError::Missing(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let here = source.town_id().await?;
    let is_it = there.town_id().await? == here;
    let records = there.counts().await?.values().sum();
    Ok(is_it.then_some(TakenIn { records, ..TakenIn::default() }))
}
