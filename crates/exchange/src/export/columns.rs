//! The columns of a kind, flattened from its schema, and the cell of a record under each.
//!
//! An object gives a column for each entry, a position latitude, longitude and accuracy, a set its
//! count (`answers`: each key with its answer). Encoded geometry is for maps alone and has no column.

use yaoguan_model::deletion::{self, Deletion};
use yaoguan_model::limits::MAX_INTEGER;
use yaoguan_model::path::DELETED;
use yaoguan_model::schema::Shape;
use yaoguan_model::{Kind, Position, Record, Value};

use super::cell::Cell;

/// One column.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its name in GeoJSON and in the label tables: `title`, `position.lat`, `distance_m`.
    pub key: String,
    source: Source,
}

#[derive(Debug, Clone)]
enum Source {
    Id,
    Author,
    /// A register, or an entry inside it.
    Value {
        path: &'static str,
        entries: Vec<&'static str>,
        shape: Shape,
    },
    Degrees {
        path: &'static str,
        lat: bool,
    },
    /// Number of elements of a set.
    Count(&'static str),
    /// Elements of `answers` as `key=answer`.
    Answers(&'static str),
    Conflicts,
}

/// The columns of a kind: `id`, `created_by`, the schema's paths in its order, `conflicts`.
/// Empty for a kind that this program does not know.
pub fn columns(kind: &Kind) -> Vec<Column> {
    let Some(spec) = kind.spec() else { return Vec::new() };
    let column = |key: &str, source| Column { key: key.to_owned(), source };
    let mut columns = vec![column("id", Source::Id), column("created_by", Source::Author)];
    for line in spec.paths.iter().filter(|line| line.path != DELETED) {
        match line.path.strip_suffix(".*") {
            Some("answers") => columns.push(column("answers", Source::Answers("answers"))),
            Some(set) => columns.push(column(set, Source::Count(set))),
            None => flatten(line.path, &[], line.shape, &mut columns),
        }
    }
    columns.push(column("conflicts", Source::Conflicts));
    columns
}

fn flatten(path: &'static str, entries: &[&'static str], shape: Shape, columns: &mut Vec<Column>) {
    let key = std::iter::once(path).chain(entries.iter().copied()).collect::<Vec<_>>().join(".");
    match shape {
        Shape::Position => {
            for (name, lat) in [("lat", true), ("lon", false)] {
                let source = Source::Degrees { path, lat };
                columns.push(Column { key: format!("{key}.{name}"), source });
            }
            let accuracy = Source::Value {
                path,
                entries: vec!["accuracy_cm"],
                shape: Shape::Int { min: 0, max: MAX_INTEGER },
            };
            columns.push(Column { key: format!("{key}.accuracy_m"), source: accuracy });
        }
        Shape::Object(of) => {
            for entry in of {
                let entries: Vec<_> = entries.iter().copied().chain([entry.name]).collect();
                flatten(path, &entries, entry.shape, columns);
            }
        }
        Shape::List(Shape::Text) | Shape::Context => {}
        Shape::Word(_)
        | Shape::Text
        | Shape::Line
        | Shape::Name
        | Shape::Int { .. }
        | Shape::Bool
        | Shape::Time
        | Shape::Date
        | Shape::Grid
        | Shape::Record
        | Shape::Account
        | Shape::Hash
        | Shape::List(_) => {
            let key = key.strip_suffix("_cm").map_or(key.clone(), |length| format!("{length}_m"));
            let source = Source::Value { path, entries: entries.to_vec(), shape };
            columns.push(Column { key, source });
        }
    }
}

impl Column {
    /// The record's cell in this column.
    pub fn cell(&self, record: &Record) -> Cell {
        match &self.source {
            Source::Id => Cell::Text(record.id.to_string()),
            Source::Author => Cell::Text(record.created_by.to_string()),
            Source::Value { path, entries, shape } => {
                let start = record.shown(path);
                let found = entries.iter().fold(start, |value, entry| value?.get(entry));
                found.map_or(Cell::Empty, |value| of_shape(value, *shape, &self.key))
            }
            Source::Degrees { path, lat } => {
                let position = record.shown(path).and_then(Position::of);
                position.map_or(Cell::Empty, |at| Cell::Fixed {
                    value: if *lat { at.lat_e7 } else { at.lon_e7 },
                    decimals: 7,
                })
            }
            Source::Count(set) => match record.elements(set).count() {
                0 => Cell::Empty,
                count => Cell::Int(i64::try_from(count).unwrap_or(i64::MAX)),
            },
            Source::Answers(set) => {
                let answer = |value: &Value| value.get("answer")?.as_text().map(str::to_owned);
                let pair = |(key, value)| format!("{key}={}", answer(value).unwrap_or_default());
                text(record.elements(set).map(pair).collect())
            }
            Source::Conflicts => text(conflicts(record)),
        }
    }
}

/// Lists of hashes and objects show their number, other lists their elements.
fn of_shape(value: &Value, shape: Shape, key: &str) -> Cell {
    match (shape, value) {
        (Shape::List(Shape::Hash | Shape::Object(_)), Value::List(list)) => {
            Cell::Int(i64::try_from(list.len()).unwrap_or(i64::MAX))
        }
        _ => Cell::plain(value, shape, key),
    }
}

fn text(parts: Vec<String>) -> Cell {
    if parts.is_empty() { Cell::Empty } else { Cell::Text(parts.join("; ")) }
}

fn conflicts(record: &Record) -> Vec<String> {
    let mut paths: Vec<String> = record.conflicts().map(|path| path.to_string()).collect();
    if deletion::state(record) == Deletion::Contested {
        paths.push(DELETED.to_owned());
    }
    paths
}
