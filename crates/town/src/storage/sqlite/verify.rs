//! Recomputes what must hold of the town's storage.

use std::collections::{BTreeSet, HashMap};

use yaoguan_model::cells::{self, Around};
use yaoguan_model::{Dot, Kind, Record, RecordId, canonical};

use super::super::{Finding, Verified};
use super::{id16, walk};
use crate::error::TownError;
use crate::storage::sql::{Connection, OptionalExtension};

pub(in crate::storage) fn verify(connection: &Connection) -> Result<Verified, TownError> {
    let mut verified = Verified { records: 0, findings: integrity(connection)? };
    let mut dots: HashMap<Dot, RecordId> = HashMap::new();
    let mut rows = walk::records(connection, "");
    while let Some(row) = rows.next()? {
        verified.records += 1;
        let id = RecordId::from_bytes(id16(&row, "id")?);
        let (body, hash): (Vec<u8>, Vec<u8>) = (row.get("body")?, row.get("hash")?);
        let mut note = |sort, detail: String| {
            verified.findings.push(Finding { sort, record: Some(id), detail });
        };
        if canonical::hash(&body).as_slice() != hash {
            note("hash", "the hash is not that of the body".to_owned());
        }
        let record = match canonical::decode(&body) {
            Ok(record) => record,
            Err(canonical::BadRecord::NotCovered) => {
                note("coverage", "a sibling's dot is not covered by the context".to_owned());
                continue;
            }
            Err(error) => {
                note("record", error.to_string());
                continue;
            }
        };
        let row_author = id16(&row, "created_by")?;
        let same = record.id == id
            && record.kind.as_str() == row.get::<_, String>("kind")?
            && *record.created_by.as_bytes() == row_author;
        if !same {
            note("record", "id, kind or author of row and body differ".to_owned());
        }
        if canonical::encode(&record) != body {
            note("record", "the body is not in canonical form".to_owned());
        }
        for sibling in record.fields.values().flatten() {
            let first = *dots.entry(sibling.dot).or_insert(id);
            if first != id {
                note(
                    "dot",
                    format!(
                        "{}:{} also stands in {first}",
                        sibling.dot.replica, sibling.dot.counter
                    ),
                );
            }
        }
        if super::purge::is_back(connection, &record)? {
            note("purged", "it was purged and is here all the same".to_owned());
        }
        check_feed(connection, &record, &mut note)?;
        check_grid(connection, &record, &mut note)?;
    }
    check_head(connection, &mut verified.findings)?;
    Ok(verified)
}

fn integrity(connection: &Connection) -> Result<Vec<Finding>, TownError> {
    let damage = connection.damage()?.into_iter();
    Ok(damage.map(|detail| Finding { sort: "integrity", record: None, detail }).collect())
}

/// The cells that the feed has a record in are those that the record says.
fn check_feed(
    connection: &Connection,
    record: &Record,
    note: &mut impl FnMut(&'static str, String),
) -> Result<(), TownError> {
    let mut around = Around::default();
    if record.kind == Kind::HouseholdCheck {
        for sibling in record.siblings("household") {
            let id = sibling.value.as_text().and_then(|text| text.parse::<RecordId>().ok());
            let Some(id) = id else { continue };
            let mut statement =
                connection.prepare_cached("SELECT body FROM record WHERE id = ?1")?;
            let body: Option<Vec<u8>> =
                statement.query_row([id.as_bytes()], |row| row.get("body")).optional()?;
            // A household that cannot be read has its own finding.
            if let Some(Ok(household)) = body.map(|bytes| canonical::decode(&bytes)) {
                around.household_grids.extend(cells::grids_of(&household));
            }
            let sql = "SELECT 1 FROM check_of WHERE household = ?1 AND record = ?2";
            if !connection.prepare_cached(sql)?.exists((id.as_bytes(), record.id.as_bytes()))? {
                note("check", format!("is not listed with its household {id}"));
            }
        }
    }
    let expected: BTreeSet<String> =
        cells::of_record(record, &around).iter().map(ToString::to_string).collect();
    let mut statement = connection.prepare_cached(
        "SELECT cell.name FROM feed JOIN cell ON cell.id = feed.cell WHERE feed.record = ?1 AND feed.state = 0",
    )?;
    let rows = statement.query_map([record.id.as_bytes()], |row| row.get::<_, String>("name"))?;
    let found: BTreeSet<String> = rows.collect::<Result<_, _>>()?;
    if found != expected {
        note("feed", format!("the feed has it in {found:?}, the record says {expected:?}"));
    }
    Ok(())
}

fn check_grid(
    connection: &Connection,
    record: &Record,
    note: &mut impl FnMut(&'static str, String),
) -> Result<(), TownError> {
    if record.kind != Kind::Grid {
        return Ok(());
    }
    let listed = connection
        .prepare_cached("SELECT 1 FROM grid WHERE record = ?1")?
        .exists([record.id.as_bytes()])?;
    let deleted =
        yaoguan_model::deletion::state(record) == yaoguan_model::deletion::Deletion::Deleted;
    if listed == deleted {
        note("grid", "the list of grids does not agree with the record".to_owned());
    }
    Ok(())
}

/// No feed row stands above the counter, and none is without its record.
fn check_head(connection: &Connection, findings: &mut Vec<Finding>) -> Result<(), TownError> {
    let checks = [
        (
            "head",
            "SELECT count(*) AS n FROM feed WHERE position > (SELECT position FROM feed_head)",
            "rows stand above the counter",
        ),
        (
            "feed",
            "SELECT count(*) AS n FROM feed WHERE state = 0 AND NOT EXISTS (SELECT 1 FROM record WHERE record.id = feed.record)",
            "rows have no record",
        ),
        (
            "head",
            "SELECT count(*) AS n FROM feed JOIN feed AS other ON other.position = feed.position AND other.record <> feed.record",
            "rows share a position",
        ),
    ];
    for (sort, sql, what) in checks {
        let n: i64 = connection.query_row(sql, [], |row| row.get("n"))?;
        if n > 0 {
            findings.push(Finding { sort, record: None, detail: format!("{n} {what}") });
        }
    }
    Ok(())
}
