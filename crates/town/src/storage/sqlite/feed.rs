//! The feed: writing rows at the end of a transaction, reading pages within a reader's cells.

use std::collections::{BTreeMap, BTreeSet};

use yaoguan_model::cells::{self, Cell};
use yaoguan_model::faults::{Fault, is_broken};
use yaoguan_model::{Kind, Record, RecordId, ReplicaId, canonical};
use yaoguan_wire::body::PageBudget;

use super::id16;
use super::push::{CellIds, around, checks_of, load};
use crate::error::TownError;
use crate::pull::{Ask, Page, Row};
use crate::storage::sql::{Connection, OptionalExtension, Transaction, params};

/// Scope, as a condition of a statement about many records: the record of this column stands in one of these cells now. The cells are
/// looked up once in a statement, and each row is one step in an index. (The `+` keeps SQLite's planner from one
/// step for each cell. `OFFSET` and `IS TRUE` keep PostgreSQL's from joining the feed with the cells first.)
macro_rules! in_cells {
    ($record:literal, $cells:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM feed WHERE feed.record = ",
            $record,
            " AND feed.state = 0 AND (+feed.cell IN (SELECT id FROM cell \
             WHERE name IN (SELECT value FROM json_each(",
            $cells,
            ")))) IS TRUE LIMIT 1 OFFSET 0)"
        )
    };
}
pub(super) use in_cells;

/// Positions looked at in one go while a page is filled; more when there is little in them.
const WINDOW: u64 = 2_048;
const MAX_WINDOW: u64 = 1 << 20;

/// Feed rows to be written when everything else of the transaction is done.
#[derive(Debug, Default)]
pub(super) struct Placements {
    cells: BTreeMap<RecordId, (BTreeSet<String>, Option<ReplicaId>)>,
}

impl Placements {
    /// A record was written. A household takes its checks along.
    pub(super) fn add(
        &mut self,
        tx: &Transaction<'_>,
        record: &Record,
        origin: Option<ReplicaId>,
    ) -> Result<(), TownError> {
        let names = cells::of_record(record, &around(tx, record)?);
        self.cells.insert(record.id, (names.iter().map(ToString::to_string).collect(), origin));
        if record.kind == Kind::Household {
            for id in checks_of(tx, record.id)? {
                if let Some(check) = load(tx, id)? {
                    let names = cells::of_record(&check, &around(tx, &check)?);
                    let names = names.iter().map(ToString::to_string).collect();
                    self.cells.entry(id).or_insert((names, None));
                }
            }
        }
        Ok(())
    }

    /// Draws positions from the one counter row and writes the rows.
    pub(super) fn write(self, tx: &Transaction<'_>) -> Result<(), TownError> {
        if self.cells.is_empty() {
            return Ok(());
        }
        let count = i64::try_from(self.cells.len()).unwrap_or(i64::MAX);
        let sql = "UPDATE feed_head SET position = position + ?1 RETURNING position";
        let last: i64 = tx.prepare_cached(sql)?.query_row([count], |row| row.get("position"))?;
        let mut ids = CellIds::default();
        for (position, (record, (names, origin))) in (last - count + 1..).zip(self.cells) {
            // A cell that the record is no longer in says so, once.
            tx.prepare_cached(
                "UPDATE feed SET state = 1, position = ?2, origin = NULL WHERE record = ?1 AND state = 0 \
                 AND cell NOT IN (SELECT id FROM cell WHERE name IN (SELECT value FROM json_each(?3)))",
            )?
            .execute((record.as_bytes(), position, json_list(&names)))?;
            for name in names {
                let cell = ids.of(tx, name)?;
                tx.prepare_cached(
                    "INSERT OR REPLACE INTO feed (cell, record, position, state, origin) \
                     VALUES (?1, ?2, ?3, 0, ?4)",
                )?
                .execute((
                    cell,
                    record.as_bytes(),
                    position,
                    origin.map(|r| r.0),
                ))?;
            }
        }
        Ok(())
    }
}

fn json_list<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    let list: Vec<&String> = names.into_iter().collect();
    serde_json::to_string(&list).unwrap_or_default()
}

/// The names of cells, as the JSON list that a statement takes.
pub(super) fn names_of(cells: &[Cell]) -> String {
    let names: Vec<String> = cells.iter().map(ToString::to_string).collect();
    json_list(&names)
}

/// One row as read, before its record is.
pub(super) struct Found {
    pub(super) position: u64,
    pub(super) record: RecordId,
    state: i64,
    origin: Option<ReplicaId>,
}

/// A page of the feed within the reader's cells.
pub(super) fn pull(connection: &Connection, ask: &Ask) -> Result<Page, TownError> {
    let sql = "SELECT position FROM feed_head";
    let head: u64 = connection.prepare_cached(sql)?.query_row([], |row| row.get("position"))?;
    let end = ask.upto.map_or(head, |upto| upto.min(head));
    let cells = names_of(&ask.cells);
    let mut page = Page { rows: Vec::new(), position: ask.after, more: false, head };
    let mut budget = PageBudget::default();
    let mut window = WINDOW;
    while page.position < end {
        let upto = end.min(page.position.saturating_add(window));
        let mut found = next_rows(connection, &cells, page.position, upto)?;
        if is_broken(Fault::BareSequence) && head.is_multiple_of(4) {
            // As if a slower transaction with this position had not ended yet.
            found.retain(|row| row.position + 1 != head);
        }
        window = if found.is_empty() { (window * 2).min(MAX_WINDOW) } else { WINDOW };
        for row in found {
            if let Some((out, json)) = read_row(connection, &cells, ask, &row)? {
                if !budget.admit(&json) {
                    page.more = true;
                    return Ok(page);
                }
                page.rows.push(out);
            }
            page.position = row.position;
        }
        page.position = upto;
    }
    Ok(page)
}

/// The next changed records in these cells: one row each, whichever of their cells changed last.
pub(super) fn next_rows(
    connection: &Connection,
    cells: &str,
    after: u64,
    upto: u64,
) -> Result<Vec<Found>, TownError> {
    let mut statement = connection.prepare_cached(PULL)?;
    let rows = statement.query_map(params![cells, after, upto], |row| {
        Ok(Found {
            position: row.get("position")?,
            record: RecordId::from_bytes(id16(row, "record")?),
            state: row.get("state")?,
            origin: row.get::<_, Option<[u8; 16]>>("origin")?.map(ReplicaId),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Scope is in the statement itself: rows of other cells are never looked at. A record that left one
/// cell and is in another of the reader's has state 0 (the smallest).
pub(super) const PULL: &str = "SELECT max(feed.position) AS position, feed.record AS record, \
     min(feed.state) AS state, max(feed.origin) AS origin FROM cell CROSS JOIN feed ON feed.cell = cell.id \
     WHERE cell.name IN (SELECT value FROM json_each(?1)) AND feed.position > ?2 \
     AND feed.position <= ?3 GROUP BY feed.record ORDER BY position";

/// Records of a kind within these cells, by id. Scope is in the statement, as in [`PULL`].
pub(super) fn readable(
    connection: &Connection,
    cells: &[Cell],
    kind: &Kind,
    after: Option<RecordId>,
    limit: u32,
) -> Result<Vec<Record>, TownError> {
    let after = after.map_or([0; 16], |id| *id.as_bytes());
    let mut statement = connection.prepare_cached(READABLE)?;
    let asked = params![names_of(cells), after, kind.as_str(), limit];
    let rows = statement.query_map(asked, |row| row.get::<_, Vec<u8>>("body"))?;
    rows.map(|body| Ok(canonical::decode(&body?)?)).collect()
}

pub(super) const READABLE: &str = concat!(
    "SELECT record.body AS body FROM record WHERE record.kind = ?3 AND record.id > ?2 AND ",
    in_cells!("record.id", "?1"),
    " ORDER BY record.id LIMIT ?4"
);

fn read_row(
    connection: &Connection,
    cells: &str,
    ask: &Ask,
    found: &Found,
) -> Result<Option<(Row, Vec<u8>)>, TownError> {
    let id = found.record;
    if found.state == 0 {
        let own = found.origin.is_some() && found.origin == ask.skip_origin;
        if own || ask.skip_records.contains(&id) {
            return Ok(None);
        }
        let mut statement = connection.prepare_cached("SELECT body FROM record WHERE id = ?1")?;
        let body: Vec<u8> = statement.query_row([id.as_bytes()], |row| row.get("body"))?;
        let mut record = canonical::decode(&body)?;
        if is_broken(Fault::PartialRecord) {
            record.fields.remove("description");
        }
        return Ok(Some((Row::Record(Box::new(record)), body)));
    }
    // `left` only goes to a reader who does not hold the record by another cell.
    let mut statement = connection.prepare_cached(
        "SELECT 1 FROM feed JOIN cell ON cell.id = feed.cell WHERE feed.record = ?1 \
         AND feed.state = 0 AND cell.name IN (SELECT value FROM json_each(?2))",
    )?;
    let held = statement.query_row((id.as_bytes(), cells), |_| Ok(())).optional()?.is_some();
    if held {
        return Ok(None);
    }
    let row = if found.state == 2 { Row::Purged(id) } else { Row::Left(id) };
    Ok(Some((row, id.to_string().into_bytes())))
}

#[cfg(test)]
mod tests {
    use crate::storage::sqlite::Sqlite;

    #[test]
    fn a_page_walks_the_readers_cells_by_position() {
        let dir = tempfile::tempdir().unwrap();
        let town = Sqlite::open(&dir.path().join("town.db"), &[1; 32]).unwrap();
        let plan = town.with_raw(|connection| {
            let sql = format!("EXPLAIN QUERY PLAN {}", super::PULL);
            let mut statement = connection.prepare(&sql).unwrap();
            let rows = statement.query_map(("[]", 1, 2), |row| row.get::<_, String>("detail"));
            rows.unwrap().map(Result::unwrap).collect::<Vec<_>>().join("\n")
        });
        assert!(
            plan.contains(
                "SEARCH feed USING INDEX feed_position (cell=? AND position>? AND position<?)"
            ),
            "{plan}"
        );
        assert!(plan.contains("SEARCH cell"), "{plan}");
        assert!(!plan.contains("SCAN feed"), "{plan}");
    }
}
