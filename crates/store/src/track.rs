//! The patrol that is under way: every fix is committed by itself, so that a phone that dies on the way
//! has lost at most the last second. It becomes a record when the person saves it.

use rusqlite::{Connection, OptionalExtension, Row};
use yaoguan_model::geodesy::{self, Doubt, Fix};
use yaoguan_model::patrol::POOR_ACCURACY_CM;
use yaoguan_model::{Position, RecordId};

use crate::error::StoreError;
use crate::open::Store;
use crate::tx::{SqliteTx, id16};

/// A patrol between its start and its save.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Track {
    /// Id of the record that it becomes.
    pub patrol: RecordId,
    /// The phone's clock, in milliseconds.
    pub started_at_ms: i64,
    /// None while it runs.
    pub ended_at_ms: Option<i64>,
    pub points: u64,
    /// Summed as fixes came in that are to be believed; [`geodesy::summarise`] has the last word.
    pub distance_mm: i64,
    /// The last fix is to be believed.
    pub on_line: bool,
}

const TRACK: &str = "SELECT patrol, started_at, ended_at, distance_mm, \
     (SELECT coalesce(max(number), 0) FROM track_fix) AS points FROM track";
/// The last accurate fixes, latest first.
const ACCURATE: &str = "SELECT number, lat_e7, lon_e7, at_ms, accuracy_cm, ele_cm FROM track_fix \
     WHERE coalesce(accuracy_cm, 0) <= ?1 ORDER BY number DESC LIMIT 2";
const FIXES: &str =
    "SELECT lat_e7, lon_e7, at_ms, accuracy_cm, ele_cm FROM track_fix ORDER BY number";

impl Store {
    /// The patrol that is under way, or stopped and not yet saved.
    pub fn track(&self) -> Result<Option<Track>, StoreError> {
        let mut statement = self.connection.prepare_cached(TRACK)?;
        let found = statement.query_row([], track).optional()?;
        let Some(track) = found else { return Ok(None) };
        let accurate = accurate(&self.connection)?;
        let on_line = match accurate.as_slice() {
            [(number, last), before @ ..] => {
                let before = before.first().map(|(_, before)| before);
                *number == track.points && !Doubt::of(before, last).is_any()
            }
            [] => track.points == 0,
        };
        Ok(Some(Track { on_line, ..track }))
    }

    /// Its fixes in the order they came.
    pub fn track_fixes(&self) -> Result<Vec<Fix>, StoreError> {
        let mut statement = self.connection.prepare_cached(FIXES)?;
        let fixes = statement.query_map([], fix)?;
        Ok(fixes.collect::<Result<_, _>>()?)
    }
}

impl SqliteTx<'_> {
    pub fn start_track(&mut self, patrol: RecordId, at_ms: i64) -> Result<(), StoreError> {
        self.drop_track()?;
        self.tx
            .prepare_cached("INSERT INTO track (one, patrol, started_at) VALUES (1, ?1, ?2)")?
            .execute((patrol.as_bytes(), at_ms))?;
        Ok(())
    }

    /// Adds a fix to the patrol that runs; false when none does.
    pub fn add_fix(&mut self, new: &Fix) -> Result<bool, StoreError> {
        let accurate = accurate(&self.tx)?;
        let step_m = match accurate.first() {
            Some((_, last)) if !Doubt::of(Some(last), new).is_any() => {
                geodesy::distance_m(last.position, new.position)
            }
            Some(_) | None => 0.0,
        };
        let running = self
            .tx
            .prepare_cached(
                "UPDATE track SET distance_mm = distance_mm + ?1 WHERE ended_at IS NULL",
            )?
            .execute([(step_m * 1000.0).round() as i64])?;
        if running == 0 {
            return Ok(false);
        }
        self.tx
            .prepare_cached(
                "INSERT INTO track_fix (lat_e7, lon_e7, at_ms, accuracy_cm, ele_cm) \
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((
                new.position.lat_e7,
                new.position.lon_e7,
                new.at_ms,
                new.accuracy_cm,
                new.ele_cm,
            ))?;
        Ok(true)
    }

    pub fn stop_track(&mut self, at_ms: i64) -> Result<(), StoreError> {
        self.tx
            .prepare_cached("UPDATE track SET ended_at = ?1 WHERE ended_at IS NULL")?
            .execute([at_ms])?;
        Ok(())
    }

    /// The patrol was saved or thrown away.
    pub fn drop_track(&mut self) -> Result<(), StoreError> {
        self.tx.execute("DELETE FROM track", [])?;
        self.tx.execute("DELETE FROM track_fix", [])?;
        Ok(())
    }
}

fn track(row: &Row<'_>) -> rusqlite::Result<Track> {
    Ok(Track {
        patrol: RecordId::from_bytes(id16(row, "patrol")?),
        started_at_ms: row.get("started_at")?,
        ended_at_ms: row.get("ended_at")?,
        points: row.get("points")?,
        distance_mm: row.get("distance_mm")?,
        on_line: true,
    })
}

fn accurate(connection: &Connection) -> Result<Vec<(u64, Fix)>, StoreError> {
    let mut statement = connection.prepare_cached(ACCURATE)?;
    let rows =
        statement.query_map([POOR_ACCURACY_CM], |row| Ok((row.get("number")?, fix(row)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn fix(row: &Row<'_>) -> rusqlite::Result<Fix> {
    Ok(Fix {
        position: Position { lat_e7: row.get("lat_e7")?, lon_e7: row.get("lon_e7")? },
        at_ms: row.get("at_ms")?,
        accuracy_cm: row.get("accuracy_cm")?,
        ele_cm: row.get("ele_cm")?,
    })
}
