//! What is kept apart, and scopes: each method one transaction.

use std::collections::BTreeMap;

use async_trait::async_trait;
use yaoguan_model::authorise::Actor;
use yaoguan_model::cells::Cell;
use yaoguan_model::{AccountId, DeviceId, Record, RecordId};
use yaoguan_wire::{HoldId, HoldNews};

use super::super::held::{Apart, Held, HeldRow, HeldView, Reader, Recovered, Release};
use super::super::purge::{After, Erasure, Purged, Purging};
use super::super::scope::Scopes;
use super::{held, held_view, purge, scope};
use crate::audit::{Attribution, By};
use crate::error::TownError;
use crate::people::Account;
use crate::storage::sql::Engine;

#[async_trait]
impl<E: Engine> Apart for E {
    async fn held(&self) -> Result<Vec<Held>, TownError> {
        self.read(held::list).await
    }

    async fn held_rows(&self, reader: Reader) -> Result<Vec<HeldRow>, TownError> {
        self.read(move |connection| held_view::rows(connection, &reader)).await
    }

    async fn held_view(
        &self,
        hold: HoldId,
        reader: Reader,
        seen: Attribution,
    ) -> Result<Option<HeldView>, TownError> {
        self.write(move |tx| held_view::view(tx, hold, &reader, &seen)).await
    }

    async fn release(&self, release: Release, by: By) -> Result<RecordId, TownError> {
        self.write(move |tx| held::release(tx, &release, by.clone())).await
    }

    async fn refuse_held(
        &self,
        hold: HoldId,
        note: String,
        done: Attribution,
    ) -> Result<(), TownError> {
        self.write(move |tx| held::refuse(tx, hold, &note, &done)).await
    }

    async fn hold_news(
        &self,
        account: AccountId,
        holds: Vec<HoldId>,
    ) -> Result<Vec<HoldNews>, TownError> {
        self.read(move |connection| held::news(connection, account, &holds)).await
    }

    async fn recovered(&self) -> Result<Vec<Recovered>, TownError> {
        self.read(held::recovered).await
    }

    async fn take_recovered(
        &self,
        hashes: Option<Vec<[u8; 32]>>,
        done: Attribution,
    ) -> Result<u64, TownError> {
        self.write(move |tx| held::take_recovered(tx, hashes.as_deref(), &done)).await
    }
}

#[async_trait]
impl<E: Engine> Scopes for E {
    async fn note_scope(&self, account: Account) -> Result<(), TownError> {
        self.write(move |tx| scope::note(tx, &account)).await
    }

    async fn scope_at(&self, account: AccountId, version: u64) -> Result<Option<Actor>, TownError> {
        self.read(move |connection| scope::at(connection, account, version)).await
    }

    async fn hashes(&self, cells: Vec<Cell>) -> Result<(Vec<[u8; 32]>, u64), TownError> {
        self.read(move |connection| scope::hashes(connection, &cells)).await
    }

    async fn by_hashes(
        &self,
        cells: Vec<Cell>,
        hashes: Vec<[u8; 32]>,
    ) -> Result<Vec<Record>, TownError> {
        self.read(move |connection| scope::by_hashes(connection, &cells, &hashes)).await
    }

    async fn root_due(&self, device: DeviceId, now: i64, every_s: i64) -> Result<bool, TownError> {
        self.write(move |tx| scope::root_due(tx, device, now, every_s)).await
    }
}

#[async_trait]
impl<E: Engine> Purging for E {
    async fn keeps_days(&self) -> Result<i64, TownError> {
        self.read(purge::keeps_days).await
    }

    async fn set_keeps_days(&self, days: i64, done: Attribution) -> Result<(), TownError> {
        self.write(move |tx| purge::set_keeps_days(tx, days, &done)).await
    }

    async fn due(&self, days: i64, after: Option<After>, now: i64) -> Result<Purged, TownError> {
        self.read(move |connection| purge::would(connection, days, after, now)).await
    }

    async fn purge_due(&self, after: Option<After>, now: i64) -> Result<Purged, TownError> {
        let purged = self.write(move |tx| purge::due(tx, after, now)).await?;
        if !purged.counts.is_empty() {
            self.forget_log().await?;
        }
        Ok(purged)
    }

    async fn erase(
        &self,
        household: RecordId,
        with_open: bool,
        done: Attribution,
    ) -> Result<Erasure, TownError> {
        let erasure = self.write(move |tx| purge::erase(tx, household, with_open, &done)).await?;
        self.forget_log().await?;
        Ok(erasure)
    }

    async fn purged_counts(&self) -> Result<BTreeMap<String, u64>, TownError> {
        self.read(|connection| {
            let sql = "SELECT kind, count(*) AS n FROM purged GROUP BY kind";
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map([], |row| Ok((row.get("kind")?, row.get("n")?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }
}
