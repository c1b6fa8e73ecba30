//! Statements on SQLite: as they are written.

use rusqlite::types::{ToSqlOutput, Value as Owned, ValueRef};
use rusqlite::{CachedStatement, Connection};

use super::super::sql::{Columns, Dialect, Each, Error, Kind, Param, Result, Row, Sql, Value};

impl Sql for Connection {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn change(&self, sql: &str, params: &[Param<'_>]) -> Result<usize> {
        Ok(bound(self, sql, params)?.raw_execute()?)
    }

    fn ask(&self, sql: &str, params: &[Param<'_>], each: Each<'_>) -> Result<()> {
        let mut statement = bound(self, sql, params)?;
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            each(&Row(row))?;
        }
        Ok(())
    }

    fn all(&self, sql: &str) -> Result<()> {
        Ok(self.execute_batch(sql)?)
    }

    fn damage(&self) -> Result<Vec<String>> {
        let mut found = Vec::new();
        for pragma in
            ["PRAGMA integrity_check", "PRAGMA cipher_integrity_check", "PRAGMA foreign_key_check"]
        {
            let mut statement = self.prepare(pragma)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let value: Owned = row.get(0)?;
                if value != Owned::Text("ok".to_owned()) {
                    found.push(format!("{value:?}"));
                }
            }
        }
        Ok(found)
    }
}

fn bound<'c>(
    connection: &'c Connection,
    sql: &str,
    params: &[Param<'_>],
) -> Result<CachedStatement<'c>> {
    let mut statement = connection.prepare_cached(sql)?;
    let named = params.iter().any(|param| param.name.is_some());
    if !named && statement.parameter_count() != params.len() {
        let wanted = statement.parameter_count();
        return Err(rusqlite::Error::InvalidParameterCount(params.len(), wanted).into());
    }
    for (place, param) in (1..).zip(params) {
        let place = match param.name {
            None => place,
            Some(name) => statement
                .parameter_index(name)?
                .ok_or_else(|| rusqlite::Error::InvalidParameterName(name.to_owned()))?,
        };
        statement.raw_bind_parameter(place, output(param.value))?;
    }
    Ok(statement)
}

fn output(value: Value<'_>) -> ToSqlOutput<'_> {
    match value {
        Value::Null(_) => ToSqlOutput::Owned(Owned::Null),
        Value::Bool(is) => ToSqlOutput::Owned(Owned::Integer(i64::from(is))),
        Value::Integer(number) => ToSqlOutput::Owned(Owned::Integer(number)),
        Value::Real(number) => ToSqlOutput::Owned(Owned::Real(number)),
        Value::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        Value::Blob(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
    }
}

impl Columns for rusqlite::Row<'_> {
    fn value(&self, column: &str) -> Result<Value<'_>> {
        Ok(match self.get_ref(column)? {
            ValueRef::Null => Value::Null(Kind::Text),
            ValueRef::Integer(number) => Value::Integer(number),
            ValueRef::Real(number) => Value::Real(number),
            ValueRef::Text(text) => {
                let text = std::str::from_utf8(text);
                Value::Text(text.map_err(|e| Error::Value(format!("{column}: {e}")))?)
            }
            ValueRef::Blob(bytes) => Value::Blob(bytes),
        })
    }

    fn names(&self) -> Vec<String> {
        self.as_ref().column_names().map(str::to_owned).collect()
    }
}
