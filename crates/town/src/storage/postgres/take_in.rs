//! A town comes from the embedded database: every table is copied in one transaction, compared by count and
//! hash, and goes on as a new line of history. What the lists show is derived anew.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::super::sql::{Connection, Kind, OwnedValue, Param, Row, Transaction, Value};
use super::super::sqlite::identity::{self, Fresh};
use super::super::sqlite::{Sqlite, inbox, verify};
use super::{Heads, Postgres, is_founded, line, ready};
use crate::audit::Entry;
use crate::error::TownError;
use crate::storage::postgres::DatabaseUrl;

/// Values in one statement; PostgreSQL counts its places in sixteen bits.
const MAX_PLACES: usize = 4_000;
const MAX_ROWS: usize = 200;
/// Rows looked at in one go.
const FETCHED: usize = 500;

/// What came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TakenIn {
    pub tables: u64,
    pub rows: u64,
    pub records: u64,
}

/// Where a town comes from and how it goes on.
pub(crate) struct Coming<'a> {
    pub(crate) from: &'a Sqlite,
    pub(crate) fresh: Fresh,
    /// Says in the log that it came.
    pub(crate) entry: Entry,
    /// Keeps everybody from the old place, from before the new one is there.
    pub(crate) fence: Box<dyn Fn() -> Result<(), TownError> + Send>,
}

struct Table {
    name: String,
    columns: Vec<(String, Kind)>,
}

/// Rows without their order: how many, and the sum of their hashes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Rows {
    count: u64,
    sum: [u64; 4],
}

impl Postgres {
    /// Takes a town in. Nothing of it is here before all of it is, and nobody else may change it meanwhile.
    pub(crate) async fn take_in(
        url: &DatabaseUrl,
        coming: Coming<'_>,
        heads: Heads<'_>,
    ) -> Result<TakenIn, TownError> {
        let this = Self::keyed(url, ready(url).await?, heads).await?;
        let Coming { from, fresh, entry, fence } = coming;
        let (from, there) = (from.clone(), url.to_string());
        let taken = this
            .commit(move |tx| {
                if is_founded(tx)? {
                    return Err(TownError::Exists(there.clone().into()));
                }
                let taken = from.with_raw(|source| copy(&Connection::of(source), tx))?;
                inbox::rebuild(tx)?;
                line::keep(tx)?;
                identity::renew(tx, &fresh, &entry)?;
                let verified = verify::verify(tx)?;
                if let Some(first) = verified.findings.first() {
                    let what = format!("{} {}", first.sort, first.detail);
                    return Err(TownError::Corrupt(format!("not as it was: {what}")));
                }
                fence()?;
                Ok(TakenIn { records: verified.records, ..taken })
            })
            .await?;
        this.settle().await?;
        Ok(taken)
    }
}

fn copy(from: &Connection<'_>, to: &Transaction<'_>) -> Result<TakenIn, TownError> {
    let mut taken = TakenIn::default();
    for table in tables(to)? {
        let given = give(from, to, &table)?;
        let found = look(to, &table)?;
        if given != found {
            let Table { name, .. } = table;
            let what = format!("{name}: {} rows left, {} came", given.count, found.count);
            return Err(TownError::Corrupt(what));
        }
        taken.tables += 1;
        taken.rows += given.count;
    }
    // Numbers that are drawn go on behind those that came. Whoever draws one waits meanwhile.
    for (table, column) in [("cell", "id"), ("alarm", "id")] {
        to.execute_batch(&format!(
            "LOCK TABLE {table} IN EXCLUSIVE MODE; \
             SELECT setval(sequence, greatest(nextval(sequence), (SELECT max({column}) FROM {table}))) \
             FROM (SELECT CAST(pg_get_serial_sequence('{table}', '{column}') AS regclass) AS sequence) AS own"
        ))?;
    }
    Ok(taken)
}

/// Every table that is not derived, in an order in which each refers to those before it.
fn tables(to: &Transaction<'_>) -> Result<Vec<Table>, TownError> {
    let sql = "SELECT relname AS name, attname AS field, typname AS type FROM pg_class \
         JOIN pg_attribute ON attrelid = pg_class.oid JOIN pg_type ON pg_type.oid = atttypid \
         WHERE relkind = 'r' AND relnamespace = CAST(current_schema() AS regnamespace) \
         AND attnum > 0 AND NOT attisdropped AND attname <> 'town' AND relname NOT IN \
         ('town_key', 'migration', 'former_line', 'inbox', 'inbox_text', 'desk_task') \
         ORDER BY pg_class.oid, attnum";
    let mut tables: Vec<Table> = Vec::new();
    to.prepare_cached(sql)?.for_each([], |row| {
        let kind = match row.get::<_, String>("type")?.as_str() {
            "bytea" => Kind::Blob,
            "text" => Kind::Text,
            "float8" => Kind::Real,
            "bool" => Kind::Bool,
            _ => Kind::Integer,
        };
        let (name, field): (String, String) = (row.get("name")?, row.get("field")?);
        match tables.last_mut().filter(|table| table.name == name) {
            Some(table) => table.columns.push((field, kind)),
            None => tables.push(Table { name, columns: vec![(field, kind)] }),
        }
        Ok(())
    })?;
    Ok(tables)
}

impl Table {
    fn fields(&self) -> String {
        self.columns.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
    }

    fn select(&self) -> String {
        // The log takes its entries in their order.
        let order = if self.name == "audit" { " ORDER BY sequence" } else { "" };
        format!("SELECT {} FROM {}{order}", self.fields(), self.name)
    }

    /// A row as this engine keeps it.
    fn row(&self, row: &Row<'_>) -> crate::storage::sql::Result<Vec<OwnedValue>> {
        let value = |(name, kind): &(String, Kind)| {
            Ok(match (row.0.value(name)?, *kind) {
                (Value::Null(_), kind) => OwnedValue::Null(kind),
                (Value::Integer(number), Kind::Bool) => OwnedValue::Bool(number != 0),
                // See `values`: there is no U+0000.
                (Value::Text(text), _) => OwnedValue::Text(text.replace('\0', "\u{fffd}")),
                (value, _) => OwnedValue::of(value),
            })
        };
        self.columns.iter().map(value).collect()
    }

    fn insert(&self, rows: usize) -> String {
        let mut sql = format!("INSERT INTO {} ({}) VALUES ", self.name, self.fields());
        let mut place = 1..;
        for row in 0..rows {
            let places = place.by_ref().take(self.columns.len());
            let places: Vec<String> = places.map(|place| format!("?{place}")).collect();
            let comma = if row == 0 { "" } else { ", " };
            // Writing to a text does not fail.
            _ = write!(sql, "{comma}({})", places.join(", "));
        }
        sql
    }
}

impl Rows {
    fn add(&mut self, row: &[OwnedValue]) {
        let mut hasher = Sha256::new();
        let mut part = |tag: u8, bytes: &[u8]| {
            hasher.update([tag]);
            hasher.update((bytes.len() as u64).to_be_bytes());
            hasher.update(bytes);
        };
        for value in row {
            match value {
                OwnedValue::Null(_) => part(0, &[]),
                OwnedValue::Bool(is) => part(1, &i64::from(*is).to_be_bytes()),
                OwnedValue::Integer(number) => part(1, &number.to_be_bytes()),
                OwnedValue::Real(number) => part(2, &number.to_be_bytes()),
                OwnedValue::Text(text) => part(3, text.as_bytes()),
                OwnedValue::Blob(bytes) => part(4, bytes),
            }
        }
        self.count += 1;
        let hash: [u8; 32] = hasher.finalize().into();
        for (sum, lane) in self.sum.iter_mut().zip(hash.chunks_exact(8)) {
            let lane = lane.try_into().map_or(0, u64::from_be_bytes);
            *sum = sum.wrapping_add(lane);
        }
    }
}

fn give(from: &Connection<'_>, to: &Transaction<'_>, table: &Table) -> Result<Rows, TownError> {
    let batch = (MAX_PLACES / table.columns.len().max(1)).clamp(1, MAX_ROWS);
    let (mut rows, mut waiting) = (Rows::default(), Vec::new());
    let put = |rows: &[OwnedValue]| {
        let params: Vec<Param<'_>> =
            rows.iter().map(|value| Param { name: None, value: value.lent() }).collect();
        let sql = table.insert(rows.len() / table.columns.len().max(1));
        to.execute(&sql, params.as_slice())
    };
    from.prepare_cached(&table.select())?.for_each([], |row| {
        let row = table.row(row)?;
        rows.add(&row);
        waiting.extend(row);
        if waiting.len() >= batch * table.columns.len() {
            put(&waiting)?;
            waiting.clear();
        }
        Ok(())
    })?;
    if !waiting.is_empty() {
        put(&waiting)?;
    }
    Ok(rows)
}

/// What is here now, read again.
fn look(to: &Transaction<'_>, table: &Table) -> Result<Rows, TownError> {
    let cursor = format!("came_{}", table.name);
    to.execute_batch(&format!("DECLARE {cursor} NO SCROLL CURSOR FOR {}", table.select()))?;
    let mut rows = Rows::default();
    loop {
        let before = rows.count;
        to.prepare_cached(&format!("FETCH {FETCHED} FROM {cursor}"))?.for_each([], |row| {
            rows.add(&table.row(row)?);
            Ok(())
        })?;
        if rows.count == before {
            to.execute_batch(&format!("CLOSE {cursor}"))?;
            return Ok(rows);
        }
    }
}
