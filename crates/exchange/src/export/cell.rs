//! One cell of an export, before a format writes it.

use chrono::{DateTime, Datelike as _, FixedOffset};
use yaoguan_model::Value;
use yaoguan_model::schema::Shape;

/// Seconds that Asia/Shanghai is ahead of UTC.
const SHANGHAI_S: i32 = 8 * 3600;

/// A cell. Numbers are exact: `Fixed` is `value` / 10^`decimals`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    Empty,
    Text(String),
    /// A word of a closed enumeration; people see its label.
    Word(String),
    Int(i64),
    Fixed {
        value: i64,
        decimals: usize,
    },
    Bool(bool),
}

impl Cell {
    /// A plain value of the schema. Lengths (`key` ends in `_m`) come in centimetres, show in metres.
    pub(super) fn plain(value: &Value, shape: Shape, key: &str) -> Self {
        match (value, shape) {
            (Value::Text(text), Shape::Word(_)) => Self::Word(text.clone()),
            (Value::Text(text), _) => Self::Text(text.clone()),
            (Value::Int(seconds), Shape::Time) => Self::time(*seconds),
            (Value::Int(value), _) if key.ends_with("_m") => {
                Self::Fixed { value: *value, decimals: 2 }
            }
            (Value::Int(n), _) => Self::Int(*n),
            (Value::Bool(b), _) => Self::Bool(*b),
            (Value::List(list), _) => {
                let texts: Vec<&str> = list.iter().filter_map(Value::as_text).collect();
                Self::Text(texts.join("; "))
            }
            (Value::Null | Value::Map(_), _) => Self::Empty,
        }
    }

    /// Seconds since 1970 as ISO 8601 in Asia/Shanghai; the number itself beyond the years 0–9999.
    fn time(seconds: i64) -> Self {
        let local = DateTime::from_timestamp(seconds, 0)
            .zip(FixedOffset::east_opt(SHANGHAI_S))
            .map(|(utc, offset)| utc.with_timezone(&offset))
            .filter(|local| (0..=9999).contains(&local.year()));
        local.map_or(Self::Int(seconds), |local| {
            Self::Text(local.format("%Y-%m-%dT%H:%M:%S%:z").to_string())
        })
    }
}

/// `value` / 10^`decimals`, written out: `fixed(-1234567, 7)` is `-0.1234567`.
pub fn fixed(value: i64, decimals: usize) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let digits = format!("{:0width$}", value.unsigned_abs(), width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len().saturating_sub(decimals));
    if decimals == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}
