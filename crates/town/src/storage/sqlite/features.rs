//! Features of maps as SQL: a row for each hazard and patrol, derived from its record.

use async_trait::async_trait;
use yaoguan_model::cells::Cell;
use yaoguan_model::deletion::{self, Deletion};
use yaoguan_model::geodesy::line::decode;
use yaoguan_model::{Position, Record, RecordId, Value, canonical};

use super::super::features::{Bounds, Collection, Extent, FeatureAsk, FeaturePage, Features};
use super::feed::{in_cells, names_of};
use super::walk;
use crate::error::TownError;
use crate::storage::sql::{Connection, Engine, OptionalExtension, Transaction, named_params};

/// Decimals of the drawn line (docs/RECORDS.md, patrol).
const LINE_DECIMALS: u32 = 5;

/// Derives the row of a record that was just written.
pub(super) fn project(tx: &Transaction<'_>, record: &Record) -> Result<(), TownError> {
    let collection = Collection::ALL.into_iter().find(|one| one.kind() == record.kind);
    let Some(collection) = collection else { return Ok(()) };
    if deletion::state(record) == Deletion::Deleted {
        let sql = "DELETE FROM feature WHERE record = ?1";
        tx.prepare_cached(sql)?.execute([record.id.as_bytes()])?;
        return Ok(());
    }
    let edge = match collection {
        Collection::Hazards => around(record.shown("position").and_then(Position::of)),
        Collection::PatrolLines => around(line(record)),
    };
    let time = |path: &str| record.shown(path).and_then(Value::as_int);
    let (begins, ends) = match collection {
        Collection::Hazards => (time("seen_at"), None),
        Collection::PatrolLines => (time("started_at"), time("ended_at")),
    };
    let begins = begins.unwrap_or_default();
    tx.prepare_cached(
        "INSERT OR REPLACE INTO feature (record, collection, south, west, north, east, begins, ends) \
         VALUES (:record, :collection, :south, :west, :north, :east, :begins, :ends)",
    )?
    .execute(named_params! {
        ":record": record.id.as_bytes(), ":collection": collection.as_str(),
        ":south": edge.map(|e| e.south), ":west": edge.map(|e| e.west),
        ":north": edge.map(|e| e.north), ":east": edge.map(|e| e.east),
        ":begins": begins, ":ends": ends.unwrap_or(begins).max(begins),
    })?;
    Ok(())
}

/// Every point of a patrol's line.
fn line(record: &Record) -> Vec<Position> {
    let parts = record.shown("line").and_then(Value::as_list).unwrap_or_default();
    let points = parts.iter().filter_map(|part| decode(part.as_text()?, LINE_DECIMALS).ok());
    points.flatten().collect()
}

fn around(points: impl IntoIterator<Item = Position>) -> Option<Bounds> {
    points.into_iter().fold(None, |edge, at| {
        let Position { lat_e7, lon_e7 } = at;
        Some(match edge {
            None => Bounds { west: lon_e7, south: lat_e7, east: lon_e7, north: lat_e7 },
            Some(Bounds { west, south, east, north }) => Bounds {
                west: west.min(lon_e7),
                south: south.min(lat_e7),
                east: east.max(lon_e7),
                north: north.max(lat_e7),
            },
        })
    })
}

/// Derives every row anew.
pub(super) fn rebuild(tx: &Transaction<'_>) -> Result<(), TownError> {
    tx.execute("DELETE FROM feature", [])?;
    for kind in ["hazard", "patrol"] {
        let mut rows = walk::records(tx, kind);
        while let Some(row) = rows.next()? {
            let body: Vec<u8> = row.get("body")?;
            project(tx, &canonical::decode(&body)?)?;
        }
    }
    Ok(())
}

/// Scope is in the statement itself. A feature without a place is in no box.
macro_rules! wanted {
    () => {
        concat!(
            "feature WHERE collection = :collection AND ",
            in_cells!("feature.record", ":cells"),
            " AND (:west IS NULL OR (north >= :south AND south <= :north AND CASE WHEN :west <= :east \
             THEN east >= :west AND west <= :east ELSE east >= :west OR west <= :east END)) \
             AND (:from IS NULL OR ends >= :from) AND (:until IS NULL OR begins <= :until)"
        )
    };
}
pub(super) const PAGE: &str = concat!(
    "SELECT record.body AS body FROM (SELECT feature.record AS record FROM ",
    wanted!(),
    " AND feature.record > :after ORDER BY feature.record LIMIT :limit OFFSET :offset) AS page \
     CROSS JOIN record ON record.id = page.record ORDER BY record.id"
);
pub(super) const MATCHED: &str = concat!("SELECT count(*) AS n FROM ", wanted!());

fn page(connection: &Connection, ask: &FeatureAsk) -> Result<FeaturePage, TownError> {
    let cells = names_of(&ask.cells);
    let after = ask.after.map_or([0; 16], |id| *id.as_bytes());
    // One more than asked for says whether there is another page.
    let limit = u64::from(ask.limit).saturating_add(1);
    let mut statement = connection.prepare_cached(PAGE)?;
    let rows = statement.query_map(
        named_params! {
            ":collection": ask.collection.as_str(), ":cells": cells,
            ":west": ask.bounds.map(|b| b.west), ":south": ask.bounds.map(|b| b.south),
            ":east": ask.bounds.map(|b| b.east), ":north": ask.bounds.map(|b| b.north),
            ":from": ask.from, ":until": ask.until, ":after": after, ":limit": limit,
            ":offset": i64::try_from(ask.offset).unwrap_or(i64::MAX),
        },
        |row| row.get::<_, Vec<u8>>("body"),
    )?;
    let mut records = Vec::new();
    for body in rows {
        records.push(canonical::decode(&body?)?);
    }
    let more = records.len() as u64 == limit;
    records.truncate(ask.limit as usize);
    let matched = connection.prepare_cached(MATCHED)?.query_row(
        named_params! {
            ":collection": ask.collection.as_str(), ":cells": cells,
            ":west": ask.bounds.map(|b| b.west), ":south": ask.bounds.map(|b| b.south),
            ":east": ask.bounds.map(|b| b.east), ":north": ask.bounds.map(|b| b.north),
            ":from": ask.from, ":until": ask.until,
        },
        |row| row.get("n"),
    )?;
    Ok(FeaturePage { records, matched, more })
}

/// Scope is in the statement itself.
pub(super) const ONE: &str = "SELECT record.body AS body FROM feature \
     CROSS JOIN record ON record.id = feature.record \
     WHERE feature.record = :record AND collection = :collection \
     AND EXISTS (SELECT 1 FROM feed JOIN cell ON cell.id = feed.cell WHERE feed.record = feature.record \
     AND feed.state = 0 AND cell.name IN (SELECT value FROM json_each(:cells)))";

/// Scope is in the statement itself.
pub(super) const EXTENT: &str = concat!(
    "SELECT min(south) AS south, min(west) AS west, max(north) AS north, max(east) AS east, \
     min(begins) AS begins, max(ends) AS ends FROM feature WHERE collection = :collection AND ",
    in_cells!("feature.record", ":cells")
);

#[async_trait]
impl<E: Engine> Features for E {
    async fn features(&self, ask: FeatureAsk) -> Result<FeaturePage, TownError> {
        self.read(move |connection| page(connection, &ask)).await
    }

    async fn feature(
        &self,
        cells: Vec<Cell>,
        collection: Collection,
        id: RecordId,
    ) -> Result<Option<Record>, TownError> {
        self.read(move |connection| {
            let asked = named_params! {
                ":record": id.as_bytes(), ":collection": collection.as_str(),
                ":cells": names_of(&cells),
            };
            let mut statement = connection.prepare_cached(ONE)?;
            let body =
                statement.query_row(asked, |row| row.get::<_, Vec<u8>>("body")).optional()?;
            Ok(body.map(|body| canonical::decode(&body)).transpose()?)
        })
        .await
    }

    async fn extent(
        &self,
        cells: Vec<Cell>,
        collection: Collection,
    ) -> Result<Option<Extent>, TownError> {
        self.read(move |connection| {
            let asked = named_params! {
                ":collection": collection.as_str(), ":cells": names_of(&cells),
            };
            let found = connection.prepare_cached(EXTENT)?.query_row(asked, |row| {
                let edges: [Option<i64>; 6] = [
                    row.get("west")?,
                    row.get("south")?,
                    row.get("east")?,
                    row.get("north")?,
                    row.get("begins")?,
                    row.get("ends")?,
                ];
                Ok(edges)
            })?;
            let [Some(west), Some(south), Some(east), Some(north), Some(begins), Some(ends)] =
                found
            else {
                return Ok(None);
            };
            Ok(Some(Extent { bounds: Bounds { west, south, east, north }, begins, ends }))
        })
        .await
    }
}
