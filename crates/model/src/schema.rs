//! What a kind may hold: its paths, their shapes, who may write them, and why they exist.
//!
//! The table of every kind (docs/RECORDS.md) is generated from here. What has no line here cannot be
//! recorded: privacy is part of the schema.

#[cfg(test)]
mod tests;

use std::str::FromStr;

use crate::deletion;
use crate::ids::{AccountId, GridCode, RecordId};
use crate::limits;
use crate::path::{DELETED, FieldPath};
use crate::record::Record;
use crate::value::Value;

/// Who may write a path, as a relation between the actor and the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writer {
    Author,
    /// The account in `assignee`, or, for a task of a grid, its chiefs.
    Assignee,
    /// A chief of the record's grid.
    Chief,
    /// A supervisor of the record's grid.
    Supervisor,
    Admin,
    /// Whoever may read the record.
    Reader,
}

/// The form of a value.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// One word of a closed enumeration.
    Word(&'static [&'static str]),
    /// Free text up to [`limits::MAX_TEXT_CHARS`].
    Text,
    /// One line up to [`limits::MAX_LINE_CHARS`].
    Line,
    /// A name or code up to [`limits::MAX_NAME_CHARS`].
    Name,
    Int {
        min: i64,
        max: i64,
    },
    Bool,
    /// Seconds since 1970-01-01 UTC; may be negative, is never corrected.
    Time,
    /// `YYYY-MM-DD`, a day of the town's calendar.
    Date,
    /// `{lat, lon, accuracy_cm?, source, fixed_at?}`, see [`crate::position`].
    Position,
    Grid,
    Record,
    Account,
    /// SHA-256 in 64 lower-case hexadecimal digits.
    Hash,
    /// A causal context (`$deleted`).
    Context,
    List(&'static Shape),
    Object(&'static [Entry]),
}

/// An entry of an object.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    pub name: &'static str,
    pub shape: Shape,
    pub required: bool,
}

/// An entry that must be there.
pub const fn must(name: &'static str, shape: Shape) -> Entry {
    Entry { name, shape, required: true }
}
/// An entry that may be there.
pub const fn may(name: &'static str, shape: Shape) -> Entry {
    Entry { name, shape, required: false }
}

/// One path of a kind; `photos.*` stands for every element of a flattened set. Its key is a SHA-256 for
/// `photos`, a uuid for `timeline`, and one segment for any other set.
#[derive(Debug, Clone, Copy)]
pub struct PathSpec {
    pub path: &'static str,
    pub shape: Shape,
    /// A record cannot be created without it, and it cannot be removed.
    pub required: bool,
    /// Once written, never changed or removed.
    pub immutable: bool,
    pub writers: &'static [Writer],
    /// Who may take away or replace what stands there, where that is fewer than may add.
    pub removers: &'static [Writer],
    /// Why it is recorded (privacy.md: each field carries its purpose).
    pub purpose: &'static str,
}

impl PathSpec {
    pub const fn new(
        path: &'static str,
        shape: Shape,
        writers: &'static [Writer],
        purpose: &'static str,
    ) -> Self {
        Self { path, shape, required: false, immutable: false, writers, removers: writers, purpose }
    }
    pub const fn required(self) -> Self {
        Self { required: true, ..self }
    }
    pub const fn immutable(self) -> Self {
        Self { immutable: true, ..self }
    }
    pub const fn removed_by(self, removers: &'static [Writer]) -> Self {
        Self { removers, ..self }
    }
    fn matches(&self, path: &str) -> bool {
        let Some(set) = self.path.strip_suffix(".*") else { return path == self.path };
        let key = path.strip_prefix(set).and_then(|rest| rest.strip_prefix('.'));
        key.is_some_and(|key| match set {
            "photos" => is_hash(key),
            "timeline" => is_id::<uuid::Uuid>(key),
            // A path has no empty segment; one more dot would be a set inside a set.
            _ => !key.contains('.'),
        })
    }
}

/// The register that deletes a record of this kind.
pub const fn deletion_by(writers: &'static [Writer]) -> PathSpec {
    PathSpec::new(DELETED, Shape::Context, writers, "deletion, with what the deleter had seen")
}
/// The phone's own clock at creation: evidence, never order.
pub const RECORDED_AT: PathSpec = PathSpec::new(
    "recorded_at",
    Shape::Object(&[
        must("at", Shape::Time),
        may("boot_s", Shape::Int { min: 0, max: limits::MAX_INTEGER }),
    ]),
    &[Writer::Author],
    "evidence of when it was recorded, by the phone's clock",
)
.immutable();

/// A photo of a record, under its SHA-256.
pub const PHOTO: Shape = Shape::Object(&[
    may("caption", Shape::Line),
    may("taken_at", Shape::Time),
    // The small picture that travels first.
    may("thumb", Shape::Hash),
]);

/// A kind as the town knows it.
#[derive(Debug, Clone, Copy)]
pub struct KindSpec {
    pub paths: &'static [PathSpec],
    /// Legal basis for keeping records of this kind.
    pub basis: &'static str,
    /// How long they are kept, counted from the town's receipt.
    pub retention: &'static str,
    /// The status of a new record; empty for a kind without a status.
    pub start: &'static str,
    /// The status steps; empty for a kind without a status.
    pub steps: &'static [crate::status::Step],
}

impl KindSpec {
    /// The line of the table that a path falls under.
    pub fn find(&self, path: &str) -> Option<&'static PathSpec> {
        self.paths.iter().find(|spec| spec.matches(path))
    }
}

/// What is wrong with a value. Closed: the screen has words for each.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("this kind has no such field")]
    UnknownField,
    #[error("must be there")]
    Missing,
    #[error("must be {0}")]
    WrongType(&'static str),
    #[error("must be one of: {}", .0.join(", "))]
    NotAWord(&'static [&'static str]),
    #[error("is longer than {0} characters")]
    TooLong(usize),
    #[error("must lie between {min} and {max}")]
    OutOfRange { min: i64, max: i64 },
    #[error("has more than {0} entries")]
    TooMany(usize),
    #[error("may not be changed once written")]
    Immutable,
    #[error("would make the record larger than {0} bytes")]
    TooLarge(usize),
}

/// A problem and the path it is at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct Invalid {
    pub path: FieldPath,
    pub problem: Problem,
}

/// Checks one value against its shape.
pub fn check(shape: Shape, value: &Value) -> Result<(), Problem> {
    let text = || value.as_text();
    match shape {
        Shape::Word(words) => match text() {
            Some(word) if words.contains(&word) => Ok(()),
            Some(_) | None => Err(Problem::NotAWord(words)),
        },
        Shape::Text => check_text(value, limits::MAX_TEXT_CHARS),
        Shape::Line => check_line(value, limits::MAX_LINE_CHARS),
        Shape::Name => check_line(value, limits::MAX_NAME_CHARS),
        Shape::Int { min, max } => match value.as_int() {
            Some(n) if (min..=max).contains(&n) => Ok(()),
            Some(_) => Err(Problem::OutOfRange { min, max }),
            None => Err(Problem::WrongType("a whole number")),
        },
        Shape::Bool => require(value.as_bool().is_some(), "true or false"),
        Shape::Time => require(value.as_int().is_some(), "a time in seconds"),
        Shape::Date => require(text().is_some_and(is_date), "a date YYYY-MM-DD"),
        Shape::Position => check_position(value),
        Shape::Grid => require(text().is_some_and(is_id::<GridCode>), "a grid code of 15 digits"),
        Shape::Record => require(text().is_some_and(is_id::<RecordId>), "the id of a record"),
        Shape::Account => require(text().is_some_and(is_id::<AccountId>), "the id of an account"),
        Shape::Hash => require(text().is_some_and(is_hash), "a SHA-256 in hexadecimal"),
        Shape::Context => require(deletion::context_of(value).is_some(), "a causal context"),
        Shape::List(of) => {
            let list = value.as_list().ok_or(Problem::WrongType("a list"))?;
            if list.len() > limits::MAX_LIST {
                return Err(Problem::TooMany(limits::MAX_LIST));
            }
            list.iter().try_for_each(|element| check(*of, element))
        }
        Shape::Object(entries) => check_object(entries, value),
    }
}

fn require(holds: bool, what: &'static str) -> Result<(), Problem> {
    if holds { Ok(()) } else { Err(Problem::WrongType(what)) }
}

/// An id as this program writes it: a uuid in braces or capitals names the same thing and compares as
/// another text.
fn is_id<T: FromStr + ToString>(text: &str) -> bool {
    text.parse::<T>().is_ok_and(|id| id.to_string() == text)
}

fn check_text(value: &Value, max: usize) -> Result<(), Problem> {
    let text = value.as_text().ok_or(Problem::WrongType("text"))?;
    if text.chars().count() > max {
        return Err(Problem::TooLong(max));
    }
    let control = |c: char| c.is_control() && !matches!(c, '\n' | '\t' | '\r');
    require(!text.chars().any(control), "text without control characters")
}

fn check_line(value: &Value, max: usize) -> Result<(), Problem> {
    check_text(value, max)?;
    let broken = value.as_text().is_some_and(|text| text.contains(['\n', '\r']));
    require(!broken, "one line of text")
}

fn check_object(entries: &[Entry], value: &Value) -> Result<(), Problem> {
    let map = value.as_map().ok_or(Problem::WrongType("an object"))?;
    if map.keys().any(|key| !entries.iter().any(|entry| entry.name == key)) {
        return Err(Problem::UnknownField);
    }
    entries.iter().try_for_each(|entry| match map.get(entry.name) {
        Some(value) => check(entry.shape, value),
        None if entry.required => Err(Problem::Missing),
        None => Ok(()),
    })
}

fn check_position(value: &Value) -> Result<(), Problem> {
    let degrees = |max: i64| Shape::Int { min: -max * 10_000_000, max: max * 10_000_000 };
    let max = limits::MAX_INTEGER;
    check_object(
        &[
            must("lat", degrees(90)),
            must("lon", degrees(180)),
            may("accuracy_cm", Shape::Int { min: 0, max }),
            must("source", Shape::Word(crate::position::SOURCES)),
            may("fixed_at", Shape::Time),
        ],
        value,
    )?;
    let zero = |key| value.get(key).and_then(Value::as_int) == Some(0);
    require(!(zero("lat") && zero("lon")), "a position (0,0 is the mark of a missing fix)")
}

/// `YYYY-MM-DD` with a real month and day.
pub fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts.as_slice() else { return false };
    // Parsing takes a sign, a date has none.
    let digits = parts.iter().all(|part| part.bytes().all(|b| b.is_ascii_digit()));
    if year.len() != 4 || month.len() != 2 || day.len() != 2 || !digits {
        return false;
    }
    let (Ok(y), Ok(m), Ok(d)) = (year.parse::<u16>(), month.parse::<u8>(), day.parse::<u8>())
    else {
        return false;
    };
    let leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    let days = match m {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return false,
    };
    (1..=days).contains(&d)
}

pub(crate) fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// Checks everything a record holds: every path known, every value of its shape, what is required
/// there. `Unknown` kinds pass: a phone keeps them; the town refuses them before it comes here.
pub fn validate(record: &Record) -> Result<(), Invalid> {
    let Some(spec) = record.kind.spec() else { return Ok(()) };
    for (path, siblings) in &record.fields {
        let at = |problem| Invalid { path: path.clone(), problem };
        let line = spec.find(path.as_str()).ok_or(at(Problem::UnknownField))?;
        for sibling in siblings {
            check(line.shape, &sibling.value).map_err(at)?;
        }
    }
    for line in spec.paths.iter().filter(|line| line.required) {
        if record.siblings(line.path).is_empty()
            && let Ok(path) = line.path.parse()
        {
            return Err(Invalid { path, problem: Problem::Missing });
        }
    }
    Ok(())
}

/// Checks the limits that bind a save (a merge may exceed them).
pub fn check_limits(after: &Record, canonical_bytes: usize) -> Result<(), Invalid> {
    let sets = [("photos", limits::MAX_PHOTOS), ("timeline", limits::MAX_TIMELINE)];
    for (set, max) in sets {
        let path = after.fields.keys().filter(|path| path.head() == set).nth(max);
        if let Some(path) = path {
            return Err(Invalid { path: path.clone(), problem: Problem::TooMany(max) });
        }
    }
    if canonical_bytes > limits::MAX_RECORD_BYTES {
        let path = largest_path(after);
        return Err(Invalid { path, problem: Problem::TooLarge(limits::MAX_RECORD_BYTES) });
    }
    Ok(())
}

fn largest_path(record: &Record) -> FieldPath {
    let size = |list: &Vec<crate::Sibling>| {
        list.iter().map(|s| format!("{:?}", s.value).len()).sum::<usize>()
    };
    let largest = record.fields.iter().max_by_key(|(_, list)| size(list));
    largest.map_or_else(crate::path::deleted, |(path, _)| path.clone())
}
