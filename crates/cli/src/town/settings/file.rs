//! The settings as a TOML file: flat keys, each one of the table; anything else is refused with its line.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::Problem;
use super::table::{self, Setting};

/// One setting of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub name: &'static str,
    pub value: String,
    pub line: usize,
}

/// Reads the text of a settings file; `file` is for what is said.
pub fn read(text: &str, file: &Path) -> Result<Vec<Line>, Problem> {
    let said = file.display().to_string();
    let bad = |error: toml::de::Error| {
        let line = error.span().map_or(1, |span| line_of(text, span.start));
        let detail = error.message().to_owned();
        Problem::File { file: format!("{said}:{line}"), detail }
    };
    let parsed = DeTable::parse(text).map_err(bad)?;
    let mut lines = Vec::new();
    for (key, value) in parsed.get_ref() {
        let line = line_of(text, key.span().start);
        let place = format!("{said}:{line}");
        let Some(setting) = table::find(key.get_ref()) else {
            return Err(Problem::Unknown { place, name: key.get_ref().to_string() });
        };
        lines.push(Line {
            name: setting.name,
            value: checked(setting, value.get_ref(), place)?,
            line,
        });
    }
    lines.sort_by_key(|line| line.line);
    Ok(lines)
}

fn checked(setting: &Setting, value: &DeValue<'_>, place: String) -> Result<String, Problem> {
    let text = match value {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(number) => number.as_str().to_owned(),
        DeValue::Boolean(yes) => yes.to_string(),
        DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
            String::new()
        }
    };
    super::checked(setting, text, place)
}

fn line_of(text: &str, byte: usize) -> usize {
    text.bytes().take(byte).filter(|b| *b == b'\n').count() + 1
}
