//! The one row that makes a database a town, and its line of history.

use yaoguan_model::Env;
use yaoguan_wire::Epoch;

use super::{audit, id16};
use crate::audit::{Act, Attribution, Entry, Subject};
use crate::error::TownError;
use crate::line::Mark;
use crate::storage::sql::{Connection, Transaction};

/// What a line of history starts with.
#[derive(Debug, Clone)]
pub(crate) struct Fresh {
    epoch: [u8; 16],
    replica: [u8; 16],
    secret: Vec<u8>,
}

impl Fresh {
    pub(in crate::storage) fn new(env: &dyn Env) -> Self {
        let secret = env.random_16().into_iter().chain(env.random_16()).collect();
        Self { epoch: env.random_16(), replica: env.random_16(), secret }
    }
}

/// Writes the row.
pub(in crate::storage) fn found(
    tx: &Transaction<'_>,
    (id, name, demo): ([u8; 16], &str, bool),
    Fresh { epoch, replica, secret }: &Fresh,
    now: i64,
) -> Result<(), TownError> {
    tx.execute(
        "INSERT INTO town (one, id, name, epoch, replica, cursor_secret, demo, created_at) \
         VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        (id, name, epoch, replica, secret, demo, now),
    )?;
    tx.execute("INSERT INTO feed_head (one, position) VALUES (1, 0)", [])?;
    let entry = Attribution::town(now).entry(Act::Init, Subject::Town);
    audit::write(tx, &entry.with("demo", demo))?;
    Ok(())
}

/// The town goes on with another line of history than phones have seen of it; `entry` says so in the log.
pub(in crate::storage) fn renew(
    tx: &Transaction<'_>,
    fresh: &Fresh,
    entry: &Entry,
) -> Result<(), TownError> {
    audit::write(tx, entry)?;
    tx.execute(
        "UPDATE town SET epoch = ?1, replica = ?2, cursor_secret = ?3, lines = lines + 1",
        (fresh.epoch, fresh.replica, &fresh.secret),
    )?;
    tx.execute("UPDATE replica SET token = NULL", [])?;
    tx.execute("UPDATE device SET root_at = 0", [])?;
    Ok(())
}

/// What the town is called by programs, whatever its line of history.
pub(in crate::storage) fn town_id(connection: &Connection) -> Result<Vec<u8>, TownError> {
    Ok(connection.query_row("SELECT id FROM town", [], |row| row.get("id"))?)
}

/// How far its line has come.
pub(in crate::storage) fn here(connection: &Connection) -> Result<Mark, TownError> {
    let sql = "SELECT epoch, position FROM town CROSS JOIN feed_head";
    Ok(connection.prepare_cached(sql)?.query_row([], |row| {
        Ok(Mark { epoch: Epoch::new(id16(row, "epoch")?), position: row.get("position")? })
    })?)
}
