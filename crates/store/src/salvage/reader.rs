//! Reads the rows of a broken file that can be read.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};

use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OpenFlags, OptionalExtension};

use crate::error::StoreError;
use crate::open::{Key, prepare};

/// Column → value.
pub(super) type Row = BTreeMap<String, Sql>;

/// Gaps of one table that are halved before the rest is given up: each costs two connections.
const MOST_HALVINGS: u32 = 64;

/// A file that is only read, through as many connections as it takes.
pub(super) struct Broken {
    path: PathBuf,
    key: Key,
    connection: Option<Connection>,
    /// Reads that failed.
    pub failures: u64,
}

/// Where a table is entered: above `after`, below `before`, from the lower or the upper end.
struct Ask<'a> {
    table: &'a str,
    /// `rowid`, or the key of a table without one.
    key: &'a str,
    after: &'a Sql,
    before: &'a Sql,
    backwards: bool,
}

impl Broken {
    /// An error when nothing at all can be read.
    pub(super) fn open(path: &Path, key: &Key) -> Result<Self, StoreError> {
        let connection = connect(path, key)?;
        Ok(Self {
            path: path.to_owned(),
            key: key.clone(),
            connection: Some(connection),
            failures: 0,
        })
    }

    /// One read; none when it fails, and the next one has a new connection.
    pub(super) fn one<R>(
        &mut self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<R>,
    ) -> Option<R> {
        if self.connection.is_none() {
            self.connection = connect(&self.path, &self.key).ok();
        }
        let result = read(self.connection.as_ref()?);
        if result.is_err() {
            self.failures += 1;
            self.connection = None;
        }
        result.ok()
    }

    /// Whether the file is known to have no such table: an older program wrote it.
    pub(super) fn lacks(&mut self, table: &str) -> bool {
        let sql = "SELECT count(*) AS n FROM sqlite_schema WHERE type = 'table' AND name = ?1";
        let found =
            self.one(|connection| connection.query_row(sql, [table], |row| row.get::<_, i64>("n")));
        found == Some(0)
    }

    /// Visits every row that can be read, each once.
    pub(super) fn walk(
        &mut self,
        table: &str,
        visit: &mut impl FnMut(Row) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let key = match table {
            "former_replica" | "stub" => "id",
            "draft" => "id",
            "offer" => "record",
            _ => "rowid",
        };
        // A number is below every blob, and no key of 16 bytes above 17 of 0xFF.
        let top = if key == "rowid" { Sql::Integer(i64::MAX) } else { Sql::Blob(vec![0xFF; 17]) };
        let mut gaps = VecDeque::from([(Sql::Integer(-1), top)]);
        let mut halvings = 0;
        while let Some((low, high)) = gaps.pop_front() {
            let Some((low, high)) = self.ends(table, key, (low, high), visit)? else { continue };
            halvings += 1;
            if halvings > MOST_HALVINGS {
                break;
            }
            gaps.extend(halves(&low, &high));
        }
        Ok(())
    }

    /// Reads an open interval from its lower end, then from its upper end; what is left between them.
    fn ends(
        &mut self,
        table: &str,
        key: &str,
        (mut low, mut high): (Sql, Sql),
        visit: &mut impl FnMut(Row) -> Result<(), StoreError>,
    ) -> Result<Option<(Sql, Sql)>, StoreError> {
        for backwards in [false, true] {
            loop {
                let ask = Ask { table, key, after: &low, before: &high, backwards };
                match self.one(|connection| next(connection, &ask)) {
                    Some(Some((at, row))) => {
                        visit(row)?;
                        *(if backwards { &mut high } else { &mut low }) = at;
                    }
                    Some(None) => return Ok(None),
                    None => break,
                }
            }
        }
        Ok(Some((low, high)))
    }
}

/// The two halves of a gap between row numbers; none of one that holds no row.
fn halves(low: &Sql, high: &Sql) -> Vec<(Sql, Sql)> {
    let (Sql::Integer(low), Sql::Integer(high)) = (low, high) else { return Vec::new() };
    // Above the last row that can be read there are no billions more.
    let high = (*high).min(low.saturating_add(1 << 24));
    if high.saturating_sub(*low) <= 2 {
        return Vec::new();
    }
    let middle = low + (high - low) / 2;
    vec![(Sql::Integer(*low), Sql::Integer(middle + 1)), (Sql::Integer(middle), Sql::Integer(high))]
}

fn next(connection: &Connection, ask: &Ask<'_>) -> rusqlite::Result<Option<(Sql, Row)>> {
    let Ask { table, key, after, before, backwards } = ask;
    let way = if *backwards { "DESC" } else { "ASC" };
    let sql = format!(
        "SELECT {key} AS key_, * FROM {table} WHERE {key} > ?1 AND {key} < ?2 \
         ORDER BY {key} {way} LIMIT 1"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    statement
        .query_row((after, before), |row| {
            let mut values = Row::new();
            for (index, name) in names.iter().enumerate() {
                values.insert(name.clone(), row.get(index)?);
            }
            let at = values.remove("key_").unwrap_or(Sql::Null);
            Ok((at, values))
        })
        .optional()
}

/// Read-only: closing it leaves the file and its log as they are.
fn connect(path: &Path, key: &Key) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    prepare(&connection, key)?;
    Ok(connection)
}
