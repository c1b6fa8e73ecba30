//! A mapping: which columns of a table become which fields of a record, and by which rules.
//!
//! Written in TOML (docs/IMPORT.md), checked once against the schema of its kind: a field that the
//! kind does not have cannot be mapped, and a column about what must not be recorded cannot be read.
//! Constants, defaults and value tables are checked here too, so that rows can only fail by their cells.

use std::collections::BTreeMap;
use std::str::FromStr;

use toml::Spanned;
use yaoguan_model::schema::{KindSpec, PathSpec, Shape, check};
use yaoguan_model::{FieldPath, Kind, Value};

use crate::error::MappingError;
use crate::forbidden::forbidden;
pub use crate::mapping_file::{Delimiter, Encoding, OtherTimes, Repair};
use crate::mapping_file::{FieldFile, MappingFile, PartFile};
use crate::time::TimeRule;

/// Fields that the mapping itself fills: its `source`, its key, the status of a new record.
const OWN: &[&str] = &["source", "source_key", "status", "recorded_at"];

/// A checked mapping.
#[derive(Debug, Clone)]
pub struct Mapping {
    pub kind: Kind,
    /// Name of the table; stands in the field `source` of every record.
    pub source: String,
    pub encoding: Encoding,
    pub repair: Option<Repair>,
    pub delimiter: Delimiter,
    /// The worksheet; without one the first.
    pub sheet: Option<String>,
    /// The physical line (or worksheet row) of the header, from 1.
    pub header: u64,
    pub key: Key,
    pub fields: Vec<Field>,
}

/// Where the key of a row stands. Several columns are joined by `/`.
#[derive(Debug, Clone)]
pub struct Key {
    pub columns: Vec<String>,
    pub strip: String,
}

/// One field of the record.
#[derive(Debug, Clone)]
pub struct Field {
    pub path: FieldPath,
    pub shape: Shape,
    pub columns: Vec<Part>,
    /// The value of every row; then there are no columns.
    pub constant: Option<Value>,
    /// The value of a row whose cells are empty.
    pub default: Option<Value>,
    pub required: bool,
    pub rule: Rule,
}

/// A column, and the words before its content when several columns make one text.
#[derive(Debug, Clone)]
pub struct Part {
    pub column: String,
    pub label: String,
}

/// How cells become a value.
#[derive(Debug, Clone)]
pub enum Rule {
    /// The cell names an entry; keys are in the form of [`table_key`]. Of several columns the first
    /// whose cell is in the table.
    Table(BTreeMap<String, Value>),
    /// Cells joined by `join`; with `cut` shortened to the field's limit, else too long is a reason.
    Text {
        join: String,
        cut: bool,
    },
    Int,
    Bool,
    Date(Vec<String>),
    Time(TimeRule),
    /// Two columns: latitude, longitude.
    Position,
}

/// The form in which a cell is looked up in a value table: trimmed, runs of white space as one
/// space, lower case.
pub fn table_key(cell: &str) -> String {
    cell.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

impl FromStr for Mapping {
    type Err = MappingError;

    /// Reads and checks a mapping.
    fn from_str(text: &str) -> Result<Self, MappingError> {
        let file: MappingFile = toml::from_str(text)?;
        let lines = Lines(text);
        let kind = file.kind.get_ref().parse().unwrap_or(Kind::Unknown("".into()));
        let spec = kind.spec().ok_or_else(|| lines.at(&file.kind, "is no kind of record"))?;
        if spec.find("source_key").is_none() {
            return Err(lines.at(&file.kind, "is not a kind that can be imported from tables"));
        }
        let mut fields = Vec::new();
        for (name, field) in file.field {
            fields.push(checked_field(spec, &name, field, &lines)?);
        }
        let is_own = |path: &str| OWN.contains(&path);
        let is_there = |path: &str| fields.iter().any(|field| field.path.as_str() == path);
        for must in spec.paths.iter().filter(|must| must.required && !is_own(must.path)) {
            if !is_there(must.path) {
                let problem = format!("has no [field.{}], which the kind requires", must.path);
                return Err(lines.at(&file.kind, &problem));
            }
        }
        check_key(&file.key, &lines)?;
        let key = file.key.into_inner();
        check(Shape::Line, &Value::text(file.source.get_ref().as_str()))
            .map_err(|problem| lines.at(&file.source, &problem.to_string()))?;
        Ok(Self {
            kind,
            source: file.source.into_inner(),
            encoding: file.table.encoding,
            repair: file.table.repair,
            delimiter: file.table.delimiter,
            sheet: file.table.sheet,
            header: file.table.header.unwrap_or(1).max(1),
            key: Key { columns: key.columns, strip: key.strip },
            fields,
        })
    }
}

/// How the cells of a file stand, whatever they mean.
#[derive(Debug, Clone, Default)]
pub(crate) struct Layout {
    pub(crate) encoding: Encoding,
    pub(crate) repair: Option<Repair>,
    pub(crate) delimiter: Delimiter,
    /// The worksheet; without one the first.
    pub(crate) sheet: Option<String>,
    /// The physical line (or worksheet row) before which nothing is looked at, from 1.
    pub(crate) header: u64,
}

impl Mapping {
    pub(crate) fn layout(&self) -> Layout {
        Layout {
            encoding: self.encoding,
            repair: self.repair,
            delimiter: self.delimiter,
            sheet: self.sheet.clone(),
            header: self.header,
        }
    }

    /// Every column that the mapping reads, each once.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        let parts = self.fields.iter().flat_map(|field| &field.columns);
        let all = self.key.columns.iter().chain(parts.map(|part| &part.column));
        all.map(String::as_str).collect::<std::collections::BTreeSet<_>>().into_iter()
    }
}

fn check_key(
    key: &Spanned<crate::mapping_file::KeyFile>,
    lines: &Lines<'_>,
) -> Result<(), MappingError> {
    let at = |problem: String| lines.rule(key.span().start, "key", &problem);
    if key.get_ref().columns.is_empty() {
        return Err(at("names no column".to_owned()));
    }
    match key.get_ref().columns.iter().find_map(|column| forbidden(column)) {
        Some(word) => Err(at(format!("reads a column about `{word}`, which may not be recorded"))),
        None => Ok(()),
    }
}

fn checked_field(
    spec: &KindSpec,
    name: &Spanned<String>,
    file: FieldFile,
    lines: &Lines<'_>,
) -> Result<Field, MappingError> {
    let fail = |problem: String| lines.at(name, &problem);
    let path: FieldPath = name.get_ref().parse().map_err(|_| fail("is not a field path".into()))?;
    let Some(line) = spec.find(path.as_str()) else {
        return Err(fail(
            "is not a field of this kind; what has no field may not be recorded".into(),
        ));
    };
    if OWN.contains(&path.as_str()) {
        return Err(fail("is filled by the import itself".into()));
    }
    let columns: Vec<Part> = file.columns.iter().map(part).collect();
    for column in &columns {
        if let Some(word) = forbidden(&column.column) {
            let column = &column.column;
            return Err(fail(format!(
                "reads `{column}`: a column about `{word}` may not be recorded"
            )));
        }
    }
    let checked = |value: &toml::Value| -> Result<Value, MappingError> {
        let value = plain(value).ok_or_else(|| fail(format!("cannot hold `{value}`")))?;
        check(line.shape, &value).map_err(|problem| fail(format!("{problem}: {value:?}")))?;
        Ok(value)
    };
    let constant = file.constant.as_ref().map(checked).transpose()?;
    if constant.is_some() != columns.is_empty() {
        return Err(fail("needs either `columns` or `constant`".into()));
    }
    if constant.is_some() && (file.default.is_some() || file.values.is_some()) {
        return Err(fail("has a constant, so it needs no default and no values".into()));
    }
    let default = file.default.as_ref().map(checked).transpose()?;
    let mut table = None;
    for (word, value) in file.values.iter().flatten() {
        let entry = (table_key(word), checked(value)?);
        table.get_or_insert_with(BTreeMap::new).extend([entry]);
    }
    let rule = match table {
        Some(table) => Rule::Table(table),
        None if constant.is_some() => Rule::Text { join: String::new(), cut: false },
        None => rule(line, &file, columns.len()).map_err(fail)?,
    };
    let required = file.required || line.required;
    Ok(Field { path, shape: line.shape, columns, constant, default, required, rule })
}

/// The rule that the shape of the field asks for.
fn rule(line: &PathSpec, file: &FieldFile, columns: usize) -> Result<Rule, String> {
    let one = |rule| {
        if columns == 1 { Ok(rule) } else { Err("reads one column, or needs `values`".to_owned()) }
    };
    if line.path.ends_with(".*") {
        return Err("is a set; sets are not imported from tables".to_owned());
    }
    match line.shape {
        Shape::Text | Shape::Line | Shape::Name => {
            let join = file.join.clone().unwrap_or_else(|| "\n".to_owned());
            Ok(Rule::Text { join, cut: file.cut })
        }
        Shape::Word(_) | Shape::Grid => one(Rule::Text { join: String::new(), cut: false }),
        Shape::Int { .. } => one(Rule::Int),
        Shape::Bool => one(Rule::Bool),
        Shape::Date => {
            crate::time::check_formats(&file.dates)?;
            one(Rule::Date(file.dates.clone()))
        }
        Shape::Time if (1..=2).contains(&columns) => Ok(Rule::Time(TimeRule::new(
            &file.dates,
            &file.times,
            file.other_times,
            file.timezone.as_deref(),
        )?)),
        Shape::Time => Err("reads a date column, and perhaps a time column".to_owned()),
        Shape::Position if columns == 2 => Ok(Rule::Position),
        Shape::Position => Err("reads two columns: latitude, longitude".to_owned()),
        Shape::Record
        | Shape::Account
        | Shape::Hash
        | Shape::Context
        | Shape::List(_)
        | Shape::Object(_) => Err("is of a form that no table cell can hold".to_owned()),
    }
}

fn part(file: &PartFile) -> Part {
    match file {
        PartFile::Column(column) => Part { column: column.trim().to_owned(), label: String::new() },
        PartFile::Labelled(part) => {
            Part { column: part.column.trim().to_owned(), label: part.label.clone() }
        }
    }
}

fn plain(value: &toml::Value) -> Option<Value> {
    match value {
        toml::Value::String(text) => Some(Value::text(text.as_str())),
        toml::Value::Integer(n) => Some(Value::Int(*n)),
        toml::Value::Boolean(b) => Some(Value::Bool(*b)),
        toml::Value::Float(_)
        | toml::Value::Datetime(_)
        | toml::Value::Array(_)
        | toml::Value::Table(_) => None,
    }
}

/// The text of the mapping, to name lines by.
struct Lines<'a>(&'a str);

impl Lines<'_> {
    fn at(&self, key: &Spanned<String>, problem: &str) -> MappingError {
        self.rule(key.span().start, key.get_ref(), problem)
    }

    fn rule(&self, offset: usize, key: &str, problem: &str) -> MappingError {
        let line = 1 + self.0.bytes().take(offset).filter(|b| *b == b'\n').count();
        MappingError::Rule { line, key: key.to_owned(), problem: problem.to_owned() }
    }
}
