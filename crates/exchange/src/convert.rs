//! One row of cells becomes the fields of one record, or every reason why not.
//!
//! Pure: the same mapping and the same cells give the same result. Whether a record with this key is
//! already there is a question for the store.

use std::collections::{BTreeMap, HashMap};

use yaoguan_model::schema::{Shape, check};
use yaoguan_model::{FieldPath, Position, Value, limits};

use crate::mapping::{Field, Mapping, Rule, table_key};
use crate::reason::Reason;
use crate::table::Imported;
use crate::time::NotATime;

/// The cells of a row by column name; trimmed when read.
#[derive(Debug, Clone, Copy)]
pub struct Cells<'a> {
    names: &'a HashMap<String, usize>,
    cells: &'a [String],
}

impl<'a> Cells<'a> {
    pub fn new(names: &'a HashMap<String, usize>, cells: &'a [String]) -> Self {
        Self { names, cells }
    }
    fn get(&self, column: &str) -> &'a str {
        let cell = self.names.get(column).and_then(|at| self.cells.get(*at));
        cell.map_or("", |cell| cell.trim())
    }
}

/// Converts a row. Every value given back has passed the schema's check.
pub fn convert(mapping: &Mapping, cells: Cells<'_>) -> Result<Imported, Vec<Reason>> {
    let mut reasons = Vec::new();
    let source_key = key(mapping, cells).map_err(|reason| reasons.push(reason)).unwrap_or_default();
    let mut fields = BTreeMap::new();
    for field in &mapping.fields {
        match value(field, cells) {
            Ok(Some(value)) => _ = fields.insert(field.path.clone(), value),
            Ok(None) => {}
            Err(reason) => reasons.push(about(reason, field)),
        }
    }
    if !reasons.is_empty() {
        return Err(reasons);
    }
    let own = [("source", mapping.source.as_str()), ("source_key", source_key.as_str())];
    let start = mapping.kind.spec().map_or("", |spec| spec.start);
    for (path, text) in own.into_iter().chain([("status", start)]) {
        if let Ok(path) = path.parse::<FieldPath>()
            && !text.is_empty()
        {
            fields.insert(path, Value::text(text));
        }
    }
    Ok(Imported { source: mapping.source.clone(), source_key, fields })
}

fn key(mapping: &Mapping, cells: Cells<'_>) -> Result<String, Reason> {
    let columns = &mapping.key.columns;
    let strip = |text: &str| text.replace(|c| mapping.key.strip.contains(c), "");
    let parts: Vec<String> = columns.iter().map(|column| strip(cells.get(column))).collect();
    let key = parts.join("/");
    let reason = |code| Reason::new(code, &key).column(columns.join(" + "));
    if parts.iter().any(String::is_empty) {
        return Err(reason("key_missing"));
    }
    check(Shape::Line, &Value::text(key.as_str())).map_err(|_| reason("key_invalid"))?;
    Ok(key)
}

fn about(reason: Reason, field: &Field) -> Reason {
    let reason = reason.field(field.path.as_str());
    if reason.column.is_some() || field.columns.is_empty() {
        return reason;
    }
    let names: Vec<&str> = field.columns.iter().map(|part| part.column.as_str()).collect();
    reason.column(names.join(" + "))
}

/// The value of a field; `None` when its cells are empty and it is not required.
fn value(field: &Field, cells: Cells<'_>) -> Result<Option<Value>, Reason> {
    if let Some(constant) = &field.constant {
        return Ok(Some(constant.clone()));
    }
    let texts: Vec<&str> = field.columns.iter().map(|part| cells.get(&part.column)).collect();
    let given = texts.iter().any(|text| !text.is_empty());
    let value = if given { Some(converted(field, &texts)?) } else { field.default.clone() };
    match value {
        None if field.required => Err(Reason::new("missing", "")),
        None => Ok(None),
        Some(value) => match check(field.shape, &value) {
            Ok(()) => Ok(Some(value)),
            Err(problem) => Err(Reason::of_problem(&problem, &texts.join(" "))),
        },
    }
}

/// Converts cells of which at least one is filled.
fn converted(field: &Field, texts: &[&str]) -> Result<Value, Reason> {
    let first = texts.first().copied().unwrap_or_default();
    let second = texts.get(1).copied().unwrap_or_default();
    match &field.rule {
        Rule::Table(table) => {
            let found = texts.iter().find_map(|text| table.get(&table_key(text)));
            let shown = texts.iter().copied().find(|text| !text.is_empty()).unwrap_or_default();
            found.cloned().ok_or_else(|| Reason::new("not_in_table", shown))
        }
        Rule::Text { join, cut } => {
            let parts = field.columns.iter().zip(texts).filter(|(_, text)| !text.is_empty());
            let parts: Vec<String> =
                parts.map(|(part, text)| format!("{}{text}", part.label)).collect();
            let text = parts.join(join);
            // A cell may hold a line break where the field is one line: it becomes a space.
            let one_line = matches!(field.shape, Shape::Line | Shape::Name);
            let text = if one_line { text.lines().collect::<Vec<_>>().join(" ") } else { text };
            Ok(Value::Text(if *cut { shortened(&text, max_chars(field.shape)) } else { text }))
        }
        Rule::Int => {
            let number = first.parse::<i64>().ok();
            number.map(Value::Int).ok_or_else(|| Reason::new("not_a_number", first))
        }
        Rule::Bool => match table_key(first).as_str() {
            "true" | "yes" | "1" | "是" | "有" => Ok(Value::Bool(true)),
            "false" | "no" | "0" | "否" | "无" => Ok(Value::Bool(false)),
            _ => Err(Reason::new("not_in_table", first)),
        },
        Rule::Date(formats) => crate::time::day(formats, first)
            .map(|day| Value::Text(day.format("%Y-%m-%d").to_string()))
            .ok_or_else(|| Reason::new("not_a_date", first)),
        Rule::Time(rule) => rule.seconds(first, second).map(Value::Int).map_err(|which| {
            let at = |n: usize| field.columns.get(n).map_or("", |part| part.column.as_str());
            match which {
                NotATime::Date if first.is_empty() => Reason::new("missing", "").column(at(0)),
                NotATime::Date => Reason::new("not_a_date", first).column(at(0)),
                NotATime::Time => Reason::new("not_a_time", second).column(at(1)),
            }
        }),
        Rule::Position => position(first, second)
            .map(|position| position.to_value("import"))
            .ok_or_else(|| Reason::new("not_a_position", &format!("{first} {second}"))),
    }
}

/// Latitude and longitude within range, not 0,0.
fn position(lat: &str, lon: &str) -> Option<Position> {
    let position = Position { lat_e7: degrees_e7(lat, 90)?, lon_e7: degrees_e7(lon, 180)? };
    (position.lat_e7 != 0 || position.lon_e7 != 0).then_some(position)
}

/// Decimal degrees in 1e-7, halves away from zero, reckoned in whole numbers: a binary fraction would
/// take some halves down. No sign but `-` and `+`, no exponent, no degree sign, decimal point only.
fn degrees_e7(text: &str, most: i64) -> Option<i64> {
    const DECIMALS: usize = 7;
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let kept: String =
        fraction.chars().chain("0".repeat(DECIMALS).chars()).take(DECIMALS).collect();
    let up = fraction.as_bytes().get(DECIMALS).is_some_and(|digit| *digit >= b'5');
    let e7 = format!("{whole}{kept}").parse::<i64>().ok()?.checked_add(i64::from(up))?;
    if e7 > most * 10_000_000 {
        return None;
    }
    Some(if text.starts_with('-') { -e7 } else { e7 })
}

fn max_chars(shape: Shape) -> usize {
    match shape {
        Shape::Line => limits::MAX_LINE_CHARS,
        Shape::Name => limits::MAX_NAME_CHARS,
        Shape::Word(_)
        | Shape::Text
        | Shape::Int { .. }
        | Shape::Bool
        | Shape::Time
        | Shape::Date
        | Shape::Position
        | Shape::Grid
        | Shape::Record
        | Shape::Account
        | Shape::Hash
        | Shape::Context
        | Shape::List(_)
        | Shape::Object(_) => limits::MAX_TEXT_CHARS,
    }
}

/// The text itself, or its beginning and `…`, `max` characters in all.
fn shortened(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    text.chars().take(max.saturating_sub(1)).chain(['…']).collect()
}
