//! Recomputes what must hold of the file: SQLite's integrity, projections, hashes, coverage of every
//! dot, and that no dot stands in two records.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OptionalExtension};
use yaoguan_model::{Dot, Record, RecordId, canonical};

use crate::error::StoreError;
use crate::media;
use crate::open::Store;
use crate::projection::{self, Table};
use crate::tx::{self, id16};

/// One thing that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What sort: `integrity`, `hash`, `record`, `coverage`, `dot`, `counter`, `unsent`, `projection`,
    /// `place`, `search`, `media`.
    pub sort: &'static str,
    pub record: Option<RecordId>,
    pub detail: String,
}

impl Store {
    /// Everything that does not hold; empty when all does. Reads the whole file.
    pub fn verify(&self) -> Result<Vec<Finding>, StoreError> {
        let mut findings = integrity(&self.connection)?;
        let own = tx::read_state(&self.connection)?;
        let mut dots: HashMap<Dot, RecordId> = HashMap::new();
        let mut statement = self.connection.prepare(
            "SELECT record.seq, record.id, record.kind, record.body, record.hash, \
             unsent.base, unsent.sent \
             FROM record LEFT JOIN unsent ON unsent.record = record.seq ORDER BY record.seq",
        )?;
        let mut rows = statement.query([])?;
        let mut count = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let (seq, id): (i64, _) = (row.get("seq")?, RecordId::from_bytes(id16(row, "id")?));
            let (body, hash): (Vec<u8>, Vec<u8>) = (row.get("body")?, row.get("hash")?);
            let mut note =
                |sort, detail: String| findings.push(Finding { sort, record: Some(id), detail });
            if canonical::hash(&body).as_slice() != hash {
                note("hash", "the hash is not that of the body".to_owned());
            }
            let kind: String = row.get("kind")?;
            // A record that cannot be read still has its row: one fault is not told as two.
            *count.entry(kind.clone()).or_insert(0_i64) += 1;
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
            if record.id != id || record.kind.as_str() != kind {
                note("record", "id or kind of row and body differ".to_owned());
            }
            if canonical::encode(&record) != body {
                note("record", "the body is not in canonical form".to_owned());
            }
            check_dots(&record, &mut dots, &mut note);
            if record.context.get(own.replica) > own.counter {
                note("counter", "holds a dot above the phone's own counter".to_owned());
            }
            if let Some(base) = row.get::<_, Option<Vec<u8>>>("base")? {
                check_unsent(&record, "base", &base, &mut note);
            }
            // Empty: as sent, it is the record itself.
            let sent: Option<Vec<u8>> = row.get("sent")?;
            if let Some(sent) = sent.filter(|bytes| !bytes.is_empty()) {
                check_unsent(&record, "sent", &sent, &mut note);
            }
            let mut expected: BTreeSet<_> = media::of_record(&record).into_keys().collect();
            if let Some(base) = row.get::<_, Option<Vec<u8>>>("base")?
                && let Ok(base) = canonical::decode(&base)
            {
                expected.extend(media::of_record(&base).into_keys());
            }
            if media::noted(&self.connection, seq)? != expected {
                note(
                    "media",
                    "the files noted for the record are not those it refers to".to_owned(),
                );
            }
            if let Some(table) = projection::table(&record.kind) {
                check_projection(&self.connection, table, seq, &record, &mut note)?;
            }
        }
        check_counts(&self.connection, &count, &mut findings)?;
        check_strays(&self.connection, &mut findings)?;
        Ok(findings)
    }
}

fn integrity(connection: &Connection) -> Result<Vec<Finding>, StoreError> {
    let mut findings = Vec::new();
    for pragma in
        ["PRAGMA integrity_check", "PRAGMA cipher_integrity_check", "PRAGMA foreign_key_check"]
    {
        let mut statement = connection.prepare(pragma)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let detail: String = row.get::<_, Sql>(0).map(|value| format!("{value:?}"))?;
            if detail != "Text(\"ok\")" {
                findings.push(Finding { sort: "integrity", record: None, detail });
            }
        }
    }
    let check = "INSERT INTO search (search) VALUES ('integrity-check')";
    if let Err(error) = connection.execute(check, [])
        && error.sqlite_error_code() != Some(rusqlite::ErrorCode::ReadOnly)
    {
        findings.push(Finding { sort: "search", record: None, detail: error.to_string() });
    }
    Ok(findings)
}

fn check_dots(
    record: &Record,
    dots: &mut HashMap<Dot, RecordId>,
    note: &mut impl FnMut(&'static str, String),
) {
    for sibling in record.fields.values().flatten() {
        let first = *dots.entry(sibling.dot).or_insert(record.id);
        if first != record.id {
            note(
                "dot",
                format!("{}:{} also stands in {first}", sibling.dot.replica, sibling.dot.counter),
            );
        }
    }
}

/// The record goes on from `base` and from `sent`: older states of itself.
fn check_unsent(
    record: &Record,
    what: &str,
    state: &[u8],
    note: &mut impl FnMut(&'static str, String),
) {
    let about = |r: &Record| (r.id, r.kind.clone(), r.created_by);
    match canonical::decode(state) {
        Ok(state) if about(&state) != about(record) => {
            note("unsent", format!("the state `{what}` is of another record"));
        }
        Ok(state) if record.context.covers(&state.context) => {}
        Ok(_) => note("unsent", format!("the state `{what}` has seen more than the record")),
        Err(error) => note("unsent", format!("the state `{what}` cannot be read: {error}")),
    }
}

fn check_projection(
    connection: &Connection,
    table: &Table,
    seq: i64,
    record: &Record,
    note: &mut impl FnMut(&'static str, String),
) -> Result<(), StoreError> {
    let expected = projection::derive(table, record);
    let names: Vec<&str> = ["deletion", "conflicts"]
        .into_iter()
        .chain(table.columns.iter().map(|column| column.name()))
        .collect();
    let sql = format!("SELECT {} FROM {} WHERE record = ?1", names.join(", "), table.name);
    let mut statement = connection.prepare_cached(&sql)?;
    let row = statement
        .query_row([seq], |row| {
            names.iter().map(|n| row.get::<_, Sql>(*n)).collect::<Result<Vec<_>, _>>()
        })
        .optional()?;
    if row.as_ref() != Some(&expected.values) {
        note("projection", format!("the row in {} is not the record's", table.name));
    }
    let mut statement = connection
        .prepare_cached("SELECT lat_min, lat_max, lon_min, lon_max FROM place WHERE record = ?1")?;
    let place: Option<[i64; 4]> = statement
        .query_row([seq], |row| {
            Ok([row.get("lat_min")?, row.get("lat_max")?, row.get("lon_min")?, row.get("lon_max")?])
        })
        .optional()?;
    if place != expected.place.map(|at| [at.lat_e7, at.lat_e7, at.lon_e7, at.lon_e7]) {
        note("place", "the place in the map's index is not the record's".to_owned());
    }
    let mut statement = connection.prepare_cached("SELECT 1 FROM search_docsize WHERE id = ?1")?;
    if statement.exists([seq])? == expected.text.is_empty() {
        note("search", "the search index does not agree with the record".to_owned());
    }
    Ok(())
}

fn check_counts(
    connection: &Connection,
    expected: &BTreeMap<String, i64>,
    findings: &mut Vec<Finding>,
) -> Result<(), StoreError> {
    for table in projection::TABLES {
        let sql = format!("SELECT count(*) AS n FROM {}", table.name);
        let found: i64 = connection.query_row(&sql, [], |row| row.get("n"))?;
        if found != expected.get(table.name).copied().unwrap_or(0) {
            let detail = format!("{} holds {found} rows", table.name);
            findings.push(Finding { sort: "projection", record: None, detail });
        }
    }
    Ok(())
}

/// Rows of the virtual tables, which no foreign key holds, that belong to no record.
fn check_strays(connection: &Connection, findings: &mut Vec<Finding>) -> Result<(), StoreError> {
    let kinds = projection::TABLES.map(|table| format!("'{}'", table.name)).join(", ");
    for (sort, rows, key) in [("place", "place", "record"), ("search", "search_docsize", "id")] {
        let sql = format!(
            "SELECT count(*) AS n FROM {rows} \
             WHERE {key} NOT IN (SELECT seq FROM record WHERE kind IN ({kinds}))"
        );
        let strays: i64 = connection.query_row(&sql, [], |row| row.get("n"))?;
        if strays > 0 {
            let detail = format!("{strays} rows belong to no record");
            findings.push(Finding { sort, record: None, detail });
        }
    }
    Ok(())
}
