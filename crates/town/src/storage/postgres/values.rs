//! Values as PostgreSQL's binary protocol carries them.

use std::error::Error as StdError;

use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use super::super::sql::{Columns, Error, Kind, Result, Value};

type Failed = Box<dyn StdError + Sync + Send>;

/// The type that a place is told to have; truth takes the one that its place has.
pub(super) fn type_of(value: Value<'_>) -> Type {
    match value {
        Value::Null(Kind::Bool) | Value::Bool(_) => Type::UNKNOWN,
        Value::Null(Kind::Integer) | Value::Integer(_) => Type::INT8,
        Value::Null(Kind::Real) | Value::Real(_) => Type::FLOAT8,
        Value::Null(Kind::Text) | Value::Text(_) => Type::TEXT,
        Value::Null(Kind::Blob) | Value::Blob(_) => Type::BYTEA,
    }
}

/// A value on its way in.
#[derive(Debug)]
pub(super) struct In<'a>(pub Value<'a>);

impl ToSql for In<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Failed> {
        match self.0 {
            Value::Null(_) => Ok(IsNull::Yes),
            Value::Bool(is) if *ty == Type::BOOL => is.to_sql(ty, out),
            Value::Bool(is) => number(i64::from(is), ty, out),
            Value::Integer(it) => number(it, ty, out),
            Value::Real(it) => it.to_sql(ty, out),
            // PostgreSQL's texts have no U+0000.
            Value::Text(text) if text.contains('\0') => {
                text.replace('\0', "\u{fffd}").to_sql(ty, out)
            }
            Value::Text(text) => text.to_sql(ty, out),
            Value::Blob(bytes) => bytes.to_sql(ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn number(value: i64, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Failed> {
    match *ty {
        Type::INT2 => i16::try_from(value)?.to_sql(ty, out),
        Type::INT4 => i32::try_from(value)?.to_sql(ty, out),
        _ => value.to_sql(ty, out),
    }
}

/// A value on its way out.
struct Out<'a>(Value<'a>);

impl<'a> FromSql<'a> for Out<'a> {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Failed> {
        Ok(Self(match *ty {
            Type::BOOL => Value::Bool(bool::from_sql(ty, raw)?),
            Type::INT2 => Value::Integer(i64::from(i16::from_sql(ty, raw)?)),
            Type::INT4 => Value::Integer(i64::from(i32::from_sql(ty, raw)?)),
            Type::INT8 => Value::Integer(i64::from_sql(ty, raw)?),
            Type::NUMERIC => Value::Integer(whole(raw).ok_or("a number that is no integer")?),
            Type::FLOAT8 => Value::Real(f64::from_sql(ty, raw)?),
            Type::BYTEA => Value::Blob(raw),
            _ => Value::Text(<&str>::from_sql(ty, raw)?),
        }))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Failed> {
        Ok(Self(Value::Null(Kind::Text)))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// A numeric that is an integer, as sums of bigints are: count, weight, sign and scale, then digits to the base
/// of 10,000 (PostgreSQL, `numeric_send`).
fn whole(raw: &[u8]) -> Option<i64> {
    let mut words = raw.chunks_exact(2).filter_map(|pair| <[u8; 2]>::try_from(pair).ok());
    let mut word = || words.next().map(i16::from_be_bytes);
    let (count, weight, sign, _scale) = (word()?, word()?, word()?, word()?);
    let mut value = 0_i64;
    for place in 0..=weight {
        let digit = if place < count { word()? } else { 0 };
        value = value.checked_mul(10_000)?.checked_add(i64::from(digit))?;
    }
    let is_whole = count <= weight.checked_add(1)?;
    is_whole.then_some(if sign == 0x4000 { -value } else { value })
}

impl Columns for tokio_postgres::Row {
    fn value(&self, column: &str) -> Result<Value<'_>> {
        let out: Out<'_> =
            self.try_get(column).map_err(|e| Error::Value(format!("{column}: {e}")))?;
        Ok(out.0)
    }

    fn names(&self) -> Vec<String> {
        self.columns().iter().map(|column| column.name().to_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::whole;

    #[test]
    fn a_numeric_without_fraction_is_an_integer() {
        let raw = |words: &[i16]| words.iter().flat_map(|w| w.to_be_bytes()).collect::<Vec<u8>>();
        assert_eq!(whole(&raw(&[0, 0, 0, 0])), Some(0));
        assert_eq!(whole(&raw(&[1, 0, 0, 0, 7])), Some(7));
        assert_eq!(whole(&raw(&[1, 1, 0, 0, 3])), Some(30_000));
        assert_eq!(whole(&raw(&[2, 1, 0x4000, 0, 1, 2])), Some(-10_002));
        assert_eq!(whole(&raw(&[1, -1, 0, 1, 5_000])), None, "a half");
        assert_eq!(whole(&raw(&[2, 0, 0, 1, 1, 5_000])), None, "one and a half");
    }
}
