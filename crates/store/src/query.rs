//! Reading: one record, lists, search, neighbourhood, counts.
//!
//! Every query here names the index it walks; a test reads `EXPLAIN QUERY PLAN` and holds it.

use std::collections::{BTreeMap, HashSet};

use rusqlite::{OptionalExtension, Row, params};
use yaoguan_model::{Kind, Position, Record, RecordId, geodesy};
use yaoguan_sync::SyncState;

use crate::error::StoreError;
use crate::open::Store;
use crate::projection::{self, Table};
use crate::search;
use crate::tx::{self, id16};

/// What a list shows.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub status: Option<String>,
    pub grid: Option<String>,
    /// Also what was deleted.
    pub deleted: bool,
}

/// A part of a list.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    pub limit: u32,
    pub offset: u32,
}

/// A record and where it stands.
#[derive(Debug, Clone)]
pub struct Stored {
    pub record: Record,
    /// It has saves that the town has not confirmed.
    pub unsent: bool,
}

/// What `status` tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    pub pending: u64,
    pub quarantined: u64,
    /// Records with several values on a path, or deleted by one and edited by another.
    pub siblings: u64,
    pub alarms: u64,
    /// Live records by kind.
    pub records: BTreeMap<String, u64>,
}

impl Store {
    pub fn state(&self) -> Result<SyncState, StoreError> {
        tx::read_state(&self.connection)
    }

    pub fn get(&self, id: RecordId) -> Result<Option<Stored>, StoreError> {
        let mut statement = self.connection.prepare_cached(GET)?;
        let row = statement.query_row([id.as_bytes()], body_and_unsent);
        row.optional()?.map(stored).transpose()
    }

    /// Records of a kind in the order of its list, newest (or first) first.
    pub fn list(
        &self,
        kind: &Kind,
        filter: &Filter,
        page: Page,
    ) -> Result<Vec<Stored>, StoreError> {
        let Some(table) = projection::table(kind) else { return Ok(Vec::new()) };
        let sql = list_sql(table, filter);
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map(
            params![filter.status, filter.grid, page.limit, page.offset],
            body_and_unsent,
        )?;
        rows.map(|row| stored(row?)).collect()
    }

    /// Every record of a kind in the order of its id, one at a time.
    pub fn each(
        &self,
        kind: &Kind,
        mut work: impl FnMut(Record) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(EACH)?;
        let mut rows = statement.query([kind.as_str()])?;
        while let Some(row) = rows.next()? {
            work(tx::decode(&row.get::<_, Vec<u8>>("body")?)?)?;
        }
        Ok(())
    }

    /// Records whose text holds every word, of one kind or of all.
    pub fn search(
        &self,
        words: &str,
        kind: Option<&Kind>,
        limit: u32,
    ) -> Result<Vec<Stored>, StoreError> {
        let Some(expression) = search::expression(words) else { return Ok(Vec::new()) };
        let mut statement = self.connection.prepare_cached(SEARCH)?;
        let rows = statement
            .query_map(params![expression, kind.map(Kind::as_str), limit], body_and_unsent)?;
        rows.map(|row| stored(row?)).collect()
    }

    /// Records of a kind within `radius_m` metres, nearest first, with their distance.
    pub fn nearby(
        &self,
        kind: &Kind,
        at: Position,
        radius_m: f64,
    ) -> Result<Vec<(Record, f64)>, StoreError> {
        let around = at.around(radius_m);
        let mut statement = self.connection.prepare_cached(NEARBY)?;
        let rows = statement.query_map(
            params![around.lat_min, around.lat_max, around.lon_min, around.lon_max, kind.as_str()],
            |row| row.get::<_, Vec<u8>>("body"),
        )?;
        let mut found = Vec::new();
        for body in rows {
            let record = tx::decode(&body?)?;
            let Some(place) = record.shown("position").and_then(Position::of) else { continue };
            let distance = geodesy::distance_m(at, place);
            if distance <= radius_m {
                found.push((record, distance));
            }
        }
        found.sort_by(|(a, x), (b, y)| x.total_cmp(y).then(a.id.cmp(&b.id)));
        Ok(found)
    }

    /// The record of a kind that was imported under this key.
    pub fn by_source(
        &self,
        kind: &Kind,
        source: &str,
        key: &str,
    ) -> Result<Option<RecordId>, StoreError> {
        let Some(sql) = by_source_sql(kind) else { return Ok(None) };
        let mut statement = self.connection.prepare_cached(sql)?;
        let id =
            statement.query_row([source, key], |row| id16(row, "id").map(RecordId::from_bytes));
        match id.optional()? {
            Some(id) => Ok(Some(id)),
            None => self.stub_by_source(kind.as_str(), source, key),
        }
    }

    /// Every key of a kind that was imported from this table.
    pub fn source_keys(&self, kind: &Kind, source: &str) -> Result<HashSet<String>, StoreError> {
        let Some(sql) = source_keys_sql(kind) else { return Ok(HashSet::new()) };
        let mut statement = self.connection.prepare_cached(sql)?;
        let keys = statement.query_map([source], |row| row.get("source_key"))?;
        let mut keys: HashSet<String> = keys.collect::<Result<_, _>>()?;
        keys.extend(self.stub_keys(kind.as_str(), source)?);
        Ok(keys)
    }

    /// Codes of the town's grids.
    pub fn grid_codes(&self) -> Result<Vec<String>, StoreError> {
        let mut statement = self.connection.prepare_cached(GRIDS)?;
        let codes = statement.query_map([], |row| row.get("code"))?;
        Ok(codes.collect::<Result<_, _>>()?)
    }

    /// Checks of one household, newest first.
    pub fn checks_of(&self, household: RecordId) -> Result<Vec<Record>, StoreError> {
        let mut statement = self.connection.prepare_cached(CHECKS)?;
        let rows =
            statement.query_map([household.to_string()], |row| row.get::<_, Vec<u8>>("body"))?;
        rows.map(|body| tx::decode(&body?)).collect()
    }

    pub fn counts(&self) -> Result<Counts, StoreError> {
        let count = |sql: &str| -> Result<u64, StoreError> {
            Ok(self.connection.prepare_cached(sql)?.query_row([], |row| row.get("n"))?)
        };
        let mut counts = Counts {
            pending: count("SELECT count(*) AS n FROM unsent")?,
            quarantined: count("SELECT count(*) AS n FROM quarantine")?,
            alarms: count("SELECT count(*) AS n FROM alarm")?,
            ..Counts::default()
        };
        for table in projection::TABLES {
            let name = table.name;
            counts.siblings += count(&format!(
                "SELECT count(*) AS n FROM {name} WHERE conflicts > 0 OR deletion = 2"
            ))?;
            let live = count(&format!("SELECT count(*) AS n FROM {name} WHERE deletion <> 1"))?;
            if live > 0 {
                counts.records.insert(name.to_owned(), live);
            }
        }
        Ok(counts)
    }
}

pub(crate) fn body_and_unsent(row: &Row<'_>) -> rusqlite::Result<(Vec<u8>, bool)> {
    Ok((row.get("body")?, row.get("unsent")?))
}

pub(crate) fn stored((body, unsent): (Vec<u8>, bool)) -> Result<Stored, StoreError> {
    Ok(Stored { record: tx::decode(&body)?, unsent })
}

const GET: &str = "SELECT record.body, unsent.record IS NOT NULL AS unsent FROM record \
     LEFT JOIN unsent ON unsent.record = record.seq WHERE record.id = ?1";
const EACH: &str = "SELECT body FROM record WHERE kind = ?1 ORDER BY id";
const SEARCH: &str = "SELECT record.body, unsent.record IS NOT NULL AS unsent FROM search CROSS \
     JOIN record ON record.seq = search.rowid \
     LEFT JOIN unsent ON unsent.record = record.seq \
     WHERE search.text MATCH ?1 AND (?2 IS NULL OR record.kind = ?2) LIMIT ?3";
const NEARBY: &str = "SELECT record.body FROM place CROSS JOIN record ON record.seq = place.record \
     WHERE place.lat_max >= ?1 AND place.lat_min <= ?2 AND place.lon_max >= ?3 \
     AND place.lon_min <= ?4 AND record.kind = ?5";
const CHECKS: &str = "SELECT record.body FROM household_check \
     JOIN record ON record.seq = household_check.record \
     WHERE household_check.household = ?1 AND household_check.deletion <> 1 \
     ORDER BY household_check.checked_at DESC, household_check.record DESC";
const HAZARD_SOURCE: &str = "SELECT record.id FROM hazard JOIN record ON record.seq = hazard.record \
     WHERE hazard.source = ?1 AND hazard.source_key = ?2 AND hazard.source <> '' LIMIT 1";
const PATROL_SOURCE: &str = "SELECT record.id FROM patrol JOIN record ON record.seq = patrol.record \
     WHERE patrol.source = ?1 AND patrol.source_key = ?2 AND patrol.source <> '' LIMIT 1";

const HAZARD_KEYS: &str = "SELECT source_key FROM hazard WHERE source = ?1 AND source <> ''";
const PATROL_KEYS: &str = "SELECT source_key FROM patrol WHERE source = ?1 AND source <> ''";
const GRIDS: &str = "SELECT code FROM grid WHERE deletion = 0 ORDER BY code";

fn source_keys_sql(kind: &Kind) -> Option<&'static str> {
    match kind {
        Kind::Hazard => Some(HAZARD_KEYS),
        Kind::Patrol => Some(PATROL_KEYS),
        Kind::Household | Kind::HouseholdCheck | Kind::Task | Kind::Notice => None,
        Kind::Grid | Kind::Template | Kind::Unknown(_) => None,
    }
}

fn by_source_sql(kind: &Kind) -> Option<&'static str> {
    match kind {
        Kind::Hazard => Some(HAZARD_SOURCE),
        Kind::Patrol => Some(PATROL_SOURCE),
        Kind::Household | Kind::HouseholdCheck | Kind::Task | Kind::Notice => None,
        Kind::Grid | Kind::Template | Kind::Unknown(_) => None,
    }
}

/// A list; `?1` status, `?2` grid, `?3` limit, `?4` offset. A filter that the kind has no column for
/// matches nothing.
fn list_sql(table: &Table, filter: &Filter) -> String {
    if filter.status.is_none() && filter.grid.is_none() {
        return whole_list_sql(table, filter.deleted);
    }
    let name = table.name;
    let has = |column: &str| table.columns.iter().any(|c| c.name() == column);
    let filtered = |asked: bool, column: &str, number: u8| match (asked, has(column)) {
        (true, true) => format!("{name}.{column} = ?{number}"),
        (true, false) => "0".to_owned(),
        (false, _) => format!("?{number} IS NULL"),
    };
    let status = filtered(filter.status.is_some(), "status", 1);
    let grid = filtered(filter.grid.is_some(), "grid", 2);
    let live = if filter.deleted { "deletion IN (0, 1, 2)" } else { "deletion IN (0, 2)" };
    let (order, way) = order(table);
    format!(
        "SELECT record.body, unsent.record IS NOT NULL AS unsent FROM {name} \
         JOIN record ON record.seq = {name}.record \
         LEFT JOIN unsent ON unsent.record = record.seq \
         WHERE {name}.{live} AND {status} AND {grid} \
         ORDER BY {name}.{order} {way}, {name}.record {way} LIMIT ?3 OFFSET ?4"
    )
}

/// A list without a filter: the states of deletion are merged, each in the order of the index, and only the
/// page's own bodies are read.
fn whole_list_sql(table: &Table, deleted: bool) -> String {
    let (name, (order, way)) = (table.name, order(table));
    let states: &[u8] = if deleted { &[0, 1, 2] } else { &[0, 2] };
    let of = |state: &u8| {
        format!("SELECT record, {order} AS place FROM {name} WHERE deletion = {state}")
    };
    let states = states.iter().map(of).collect::<Vec<_>>().join(" UNION ALL ");
    format!(
        "SELECT record.body, unsent.record IS NOT NULL AS unsent \
         FROM ({states} ORDER BY place {way}, record {way} LIMIT ?3 OFFSET ?4) AS page \
         JOIN record ON record.seq = page.record \
         LEFT JOIN unsent ON unsent.record = record.seq \
         ORDER BY page.place {way}, page.record {way}"
    )
}

/// The column that a list is in the order of, and which way.
fn order(table: &Table) -> (&'static str, &'static str) {
    let order = table.order;
    (order, if matches!(order, "address" | "code") { "ASC" } else { "DESC" })
}

#[cfg(test)]
mod tests;
