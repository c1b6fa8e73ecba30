//! Values on their way into a statement and out of a row.

use std::borrow::Cow;

use super::error::{Error, Result};

/// Of which type a value is that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Bool,
    Integer,
    Real,
    Text,
    Blob,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    Null(Kind),
    /// An integer where the engine has no truth values.
    Bool(bool),
    Integer(i64),
    Real(f64),
    Text(&'a str),
    Blob(&'a [u8]),
}

/// A value for a place of a statement.
#[derive(Debug, Clone, Copy)]
pub struct Param<'a> {
    /// `:name`; without one it stands at its place.
    pub name: Option<&'a str>,
    pub value: Value<'a>,
}

/// What can be a value of a statement.
pub trait ToSql {
    fn to_value(&self) -> Result<Value<'_>>;
}

/// Of which type it is, also when it is not there.
pub trait Kinded {
    const KIND: Kind;
}

/// What can be read from a row.
pub trait FromSql: Sized {
    fn from_value(value: Value<'_>) -> Result<Self>;
}

fn other(wanted: &str, found: Value<'_>) -> Error {
    Error::Value(format!("{wanted} was expected, not {found:?}"))
}

macro_rules! integers {
    ($($type:ty),+) => {$(
        impl Kinded for $type {
            const KIND: Kind = Kind::Integer;
        }
        impl ToSql for $type {
            fn to_value(&self) -> Result<Value<'_>> {
                let number = i64::try_from(*self).map_err(|e| Error::Value(e.to_string()))?;
                Ok(Value::Integer(number))
            }
        }
        impl FromSql for $type {
            fn from_value(value: Value<'_>) -> Result<Self> {
                let number = match value {
                    Value::Integer(number) => number,
                    Value::Bool(is) => i64::from(is),
                    Value::Null(_) | Value::Real(_) | Value::Text(_) | Value::Blob(_) => {
                        return Err(other("a number", value));
                    }
                };
                Self::try_from(number).map_err(|_| other("a smaller number", value))
            }
        }
    )+};
}
integers!(i64, i32, u64, u32, usize);

impl Kinded for bool {
    const KIND: Kind = Kind::Bool;
}
impl ToSql for bool {
    fn to_value(&self) -> Result<Value<'_>> {
        Ok(Value::Bool(*self))
    }
}
impl FromSql for bool {
    fn from_value(value: Value<'_>) -> Result<Self> {
        Ok(i64::from_value(value)? != 0)
    }
}

macro_rules! texts {
    ($($type:ty),+) => {$(
        impl Kinded for $type {
            const KIND: Kind = Kind::Text;
        }
        impl ToSql for $type {
            fn to_value(&self) -> Result<Value<'_>> {
                Ok(Value::Text(self))
            }
        }
    )+};
}
texts!(str, String);

impl FromSql for String {
    fn from_value(value: Value<'_>) -> Result<Self> {
        match value {
            Value::Text(text) => Ok(text.to_owned()),
            Value::Null(_) | Value::Bool(_) | Value::Integer(_) => Err(other("text", value)),
            Value::Real(_) | Value::Blob(_) => Err(other("text", value)),
        }
    }
}

fn blob(value: Value<'_>) -> Result<&[u8]> {
    match value {
        Value::Blob(bytes) => Ok(bytes),
        Value::Null(_) | Value::Bool(_) | Value::Integer(_) => Err(other("bytes", value)),
        Value::Real(_) | Value::Text(_) => Err(other("bytes", value)),
    }
}

impl Kinded for [u8] {
    const KIND: Kind = Kind::Blob;
}
impl ToSql for [u8] {
    fn to_value(&self) -> Result<Value<'_>> {
        Ok(Value::Blob(self))
    }
}
impl Kinded for Vec<u8> {
    const KIND: Kind = Kind::Blob;
}
impl ToSql for Vec<u8> {
    fn to_value(&self) -> Result<Value<'_>> {
        Ok(Value::Blob(self))
    }
}
impl FromSql for Vec<u8> {
    fn from_value(value: Value<'_>) -> Result<Self> {
        Ok(blob(value)?.to_vec())
    }
}
impl<const N: usize> Kinded for [u8; N] {
    const KIND: Kind = Kind::Blob;
}
impl<const N: usize> ToSql for [u8; N] {
    fn to_value(&self) -> Result<Value<'_>> {
        Ok(Value::Blob(self))
    }
}
impl<const N: usize> FromSql for [u8; N] {
    fn from_value(value: Value<'_>) -> Result<Self> {
        blob(value)?.try_into().map_err(|_| other("bytes of another length", value))
    }
}

impl<T: Kinded + ?Sized> Kinded for &T {
    const KIND: Kind = T::KIND;
}
impl<T: ToSql + ?Sized> ToSql for &T {
    fn to_value(&self) -> Result<Value<'_>> {
        (**self).to_value()
    }
}
impl<T: ToSql + Kinded> ToSql for Option<T> {
    fn to_value(&self) -> Result<Value<'_>> {
        self.as_ref().map_or(Ok(Value::Null(T::KIND)), ToSql::to_value)
    }
}
impl<T: FromSql> FromSql for Option<T> {
    fn from_value(value: Value<'_>) -> Result<Self> {
        match value {
            Value::Null(_) => Ok(None),
            Value::Bool(_)
            | Value::Integer(_)
            | Value::Real(_)
            | Value::Text(_)
            | Value::Blob(_) => T::from_value(value).map(Some),
        }
    }
}

/// The values of one run of a statement.
pub trait Params {
    fn list(&self) -> Result<Vec<Param<'_>>>;
}

fn unnamed<'a>(
    values: impl IntoIterator<Item = &'a (impl ToSql + ?Sized + 'a)>,
) -> Result<Vec<Param<'a>>> {
    values.into_iter().map(|one| Ok(Param { name: None, value: one.to_value()? })).collect()
}

impl Params for [&dyn ToSql; 0] {
    fn list(&self) -> Result<Vec<Param<'_>>> {
        Ok(Vec::new())
    }
}
macro_rules! arrays {
    ($($n:literal),+) => {$(
        impl<T: ToSql> Params for [T; $n] {
            fn list(&self) -> Result<Vec<Param<'_>>> {
                unnamed(self)
            }
        }
    )+};
}
arrays!(1, 2, 3, 4);
impl Params for &[Param<'_>] {
    fn list(&self) -> Result<Vec<Param<'_>>> {
        Ok(self.to_vec())
    }
}
impl Params for &[&dyn ToSql] {
    fn list(&self) -> Result<Vec<Param<'_>>> {
        self.iter().map(|one| Ok(Param { name: None, value: one.to_value()? })).collect()
    }
}
impl Params for &[(&str, &dyn ToSql)] {
    fn list(&self) -> Result<Vec<Param<'_>>> {
        let mut list = Vec::with_capacity(self.len());
        for (name, value) in *self {
            list.push(Param { name: Some(name), value: value.to_value()? });
        }
        Ok(list)
    }
}
macro_rules! tuples {
    ($(($($name:ident),+)),+ $(,)?) => {$(
        impl<$($name: ToSql),+> Params for ($($name,)+) {
            fn list(&self) -> Result<Vec<Param<'_>>> {
                #[allow(non_snake_case, reason = "a name for each type")]
                let ($($name,)+) = self;
                Ok(vec![$(Param { name: None, value: $name.to_value()? }),+])
            }
        }
    )+};
}
tuples!(
    (A),
    (A, B),
    (A, B, C),
    (A, B, C, D),
    (A, B, C, D, E),
    (A, B, C, D, E, F),
    (A, B, C, D, E, F, G),
    (A, B, C, D, E, F, G, H),
    (A, B, C, D, E, F, G, H, I),
    (A, B, C, D, E, F, G, H, I, J),
    (A, B, C, D, E, F, G, H, I, J, K),
);

/// Columns of a row of some engine.
pub trait Columns {
    fn value(&self, column: &str) -> Result<Value<'_>>;
    fn names(&self) -> Vec<String>;
}

/// What a column is named by: its name, or in a test its place.
pub trait Column {
    fn name(&self, columns: &dyn Columns) -> Result<Cow<'_, str>>;
}

impl Column for &str {
    fn name(&self, _: &dyn Columns) -> Result<Cow<'_, str>> {
        Ok(Cow::Borrowed(self))
    }
}

impl Column for usize {
    fn name(&self, columns: &dyn Columns) -> Result<Cow<'_, str>> {
        let name = columns.names().into_iter().nth(*self);
        name.map(Cow::Owned).ok_or_else(|| Error::Value(format!("no column {self}")))
    }
}

/// A row of an answer.
pub struct Row<'a>(pub &'a dyn Columns);

impl Row<'_> {
    /// The value of a column; the first parameter is what a column is named by.
    pub fn get<N: Column, T: FromSql>(&self, column: N) -> Result<T> {
        let name = column.name(self.0)?;
        let column = name.as_ref();
        let named = |error: Error| match error {
            Error::Value(what) => Error::Value(format!("{column}: {what}")),
            Error::NoRows | Error::Sqlite(_) | Error::Postgres(_) => error,
        };
        T::from_value(self.0.value(column)?).map_err(named)
    }

    /// Bytes of a column, where they lie.
    pub fn bytes(&self, column: &str) -> Result<&[u8]> {
        blob(self.0.value(column)?)
    }
}

/// A value that was taken out of its row.
#[derive(Debug, Clone)]
pub enum OwnedValue {
    Null(Kind),
    Bool(bool),
    Integer(i64),
    Real(f64),
    Text(String),
    Blob(Vec<u8>),
}

impl OwnedValue {
    pub fn of(value: Value<'_>) -> Self {
        match value {
            Value::Null(kind) => Self::Null(kind),
            Value::Bool(is) => Self::Bool(is),
            Value::Integer(number) => Self::Integer(number),
            Value::Real(number) => Self::Real(number),
            Value::Text(text) => Self::Text(text.to_owned()),
            Value::Blob(bytes) => Self::Blob(bytes.to_vec()),
        }
    }

    pub fn lent(&self) -> Value<'_> {
        match self {
            Self::Null(kind) => Value::Null(*kind),
            Self::Bool(is) => Value::Bool(*is),
            Self::Integer(number) => Value::Integer(*number),
            Self::Real(number) => Value::Real(*number),
            Self::Text(text) => Value::Text(text),
            Self::Blob(bytes) => Value::Blob(bytes),
        }
    }
}

/// A row that was taken out of its answer.
pub struct OwnedRow(Vec<(String, OwnedValue)>);

impl OwnedRow {
    pub fn of(row: &Row<'_>) -> Result<Self> {
        let value = |name: String| {
            let value = OwnedValue::of(row.0.value(&name)?);
            Ok((name, value))
        };
        row.0.names().into_iter().map(value).collect::<Result<_>>().map(Self)
    }
}

impl Columns for OwnedRow {
    fn value(&self, column: &str) -> Result<Value<'_>> {
        let found = self.0.iter().find(|(name, _)| name == column);
        let (_, value) = found.ok_or_else(|| Error::Value(format!("no column {column}")))?;
        Ok(value.lent())
    }

    fn names(&self) -> Vec<String> {
        self.0.iter().map(|(name, _)| name.clone()).collect()
    }
}
