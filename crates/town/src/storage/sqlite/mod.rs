//! The embedded storage: SQLite with SQLCipher, one writer, readers beside it.
//!
//! The statements stand here too, each written once for every engine: whoever is an [`Engine`] is a storage by
//! them ([`super::sql`]). What is SQLite's own is in `connection`, `statements`, `migrations`, `journal`, `line`
//! and [`examine`].

mod apart;
pub(super) mod audit;
mod blobs;
mod connection;
mod decide;
mod desk;
mod desk_task;
mod directory;
mod enrolled;
pub mod examine;
mod exports;
mod facts;
mod features;
mod feed;
mod figures;
mod health;
mod held;
mod held_view;
pub(super) mod identity;
pub(super) mod inbox;
mod journal;
mod line;
mod map;
mod migrations;
mod notices;
mod own;
mod people;
#[cfg(test)]
mod plans;
mod purge;
mod push;
mod saved_views;
mod scope;
mod search_index;
mod sessions;
mod sign_in;
mod standing;
mod statements;
mod tiles;
mod tokens;
pub(super) mod verify;
mod walk;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use yaoguan_model::cells::Cell;
use yaoguan_model::{DeviceId, Env, GridCode, Kind, Record, RecordId, ReplicaId, canonical};
use yaoguan_wire::Epoch;

pub use connection::Sqlite;
pub use line::{Snapshot, check_journal};

use super::{Batch, Health, OwnWrite, Pushed, Storage, TownInfo, Verified};
use crate::audit::Attribution;
use crate::error::TownError;
use crate::people::{Account, Device, Enrolment, NewDevice, Seen};
use crate::pull;
use crate::storage::sql::{self, Engine, OptionalExtension, Row};

/// Sixteen bytes of a column.
fn id16(row: &Row<'_>, column: &str) -> sql::Result<[u8; 16]> {
    row.get(column)
}

impl Sqlite {
    /// Writes the one row that makes a file a town.
    pub async fn found(&self, name: &str, demo: bool, env: &dyn Env) -> Result<(), TownError> {
        let (name, now, id) = (name.to_owned(), env.now_s(), env.random_16());
        let fresh = identity::Fresh::new(env);
        self.write(move |tx| identity::found(tx, (id, &name, demo), &fresh, now)).await
    }
}

#[async_trait]
impl<E: Engine> Storage for E {
    async fn info(&self) -> Result<TownInfo, TownError> {
        self.read(|connection| {
            let sql =
                "SELECT name, epoch, replica, cursor_secret, demo, address, own_tls, position \
                 FROM town CROSS JOIN feed_head";
            let info = connection.prepare_cached(sql)?.query_row([], |row| {
                Ok(TownInfo {
                    name: row.get("name")?,
                    epoch: Epoch::new(id16(row, "epoch")?),
                    replica: ReplicaId(id16(row, "replica")?),
                    head: row.get("position")?,
                    cursor_secret: row.get("cursor_secret")?,
                    demo: row.get("demo")?,
                    address: row.get("address")?,
                    own_tls: row.get("own_tls")?,
                })
            })?;
            Ok(info)
        })
        .await
    }

    async fn renew(&self, env: &dyn Env) -> Result<(), TownError> {
        self.renew_line(env).await
    }

    async fn set_address(&self, address: String, own_tls: bool) -> Result<(), TownError> {
        self.write(move |tx| {
            let sql = "UPDATE town SET address = ?1, own_tls = ?2";
            tx.execute(sql, (&address, own_tls))?;
            Ok(())
        })
        .await
    }

    async fn secret(&self, name: &'static str) -> Result<Option<String>, TownError> {
        self.read(move |connection| {
            let mut statement =
                connection.prepare_cached("SELECT value FROM secret WHERE name = ?1")?;
            Ok(statement.query_row([name], |row| row.get("value")).optional()?)
        })
        .await
    }

    async fn set_secret(&self, name: &'static str, value: String) -> Result<(), TownError> {
        self.write(move |tx| {
            let sql = "INSERT OR REPLACE INTO secret (name, value) VALUES (?1, ?2)";
            tx.execute(sql, (name, &value))?;
            Ok(())
        })
        .await
    }

    async fn accounts(&self) -> Result<Vec<Account>, TownError> {
        self.read(people::accounts).await
    }

    async fn enrol(
        &self,
        code_hash: [u8; 32],
        device: NewDevice,
        now: i64,
    ) -> Result<Enrolment, TownError> {
        self.write(move |tx| enrolled::enrol(tx, &code_hash, &device, now)).await
    }

    async fn device(&self, id: DeviceId) -> Result<Option<Device>, TownError> {
        self.read(move |connection| enrolled::device(connection, id)).await
    }

    async fn saw_device(&self, id: DeviceId, seen: Seen) -> Result<(), TownError> {
        self.write(move |tx| enrolled::saw_device(tx, id, &seen)).await
    }

    async fn grids(&self) -> Result<BTreeSet<GridCode>, TownError> {
        self.read(people::grids).await
    }

    async fn push(&self, batch: Batch) -> Result<Pushed, TownError> {
        self.write(move |tx| push::push(tx, &batch)).await
    }

    async fn push_all(&self, batches: Vec<Batch>) -> Result<Vec<Pushed>, TownError> {
        self.write(move |tx| batches.iter().map(|batch| push::push(tx, batch)).collect()).await
    }

    async fn pull(&self, ask: pull::Ask) -> Result<pull::Page, TownError> {
        self.read(move |connection| feed::pull(connection, &ask)).await
    }

    async fn readable(
        &self,
        cells: Vec<Cell>,
        kind: Kind,
        after: Option<RecordId>,
        limit: u32,
    ) -> Result<Vec<Record>, TownError> {
        self.read(move |connection| feed::readable(connection, &cells, &kind, after, limit)).await
    }

    async fn write_own(&self, writes: Vec<OwnWrite>, done: Attribution) -> Result<(), TownError> {
        self.write(move |tx| own::write(tx, &writes, &done)).await
    }

    async fn records(&self, kind: Kind) -> Result<Vec<Record>, TownError> {
        self.read(move |connection| {
            let sql = "SELECT body FROM record WHERE kind = ?1 ORDER BY id";
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map([kind.as_str()], |row| row.get::<_, Vec<u8>>("body"))?;
            rows.map(|body| Ok(canonical::decode(&body?)?)).collect()
        })
        .await
    }

    async fn counts(&self) -> Result<BTreeMap<String, u64>, TownError> {
        self.read(|connection| {
            let sql = "SELECT kind, count(*) AS n FROM record GROUP BY kind";
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map([], |row| Ok((row.get("kind")?, row.get("n")?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn health(&self, now: i64) -> Result<Health, TownError> {
        self.write(move |tx| health::probe(tx, now)).await
    }

    async fn verify(&self) -> Result<Verified, TownError> {
        self.read(verify::verify).await
    }
}
