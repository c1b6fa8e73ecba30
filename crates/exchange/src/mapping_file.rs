//! The TOML of a mapping as it is written, before it is checked. Not public: [`crate::mapping`]
//! turns it into rules.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MappingFile {
    pub(crate) kind: Spanned<String>,
    pub(crate) source: Spanned<String>,
    #[serde(default)]
    pub(crate) table: TableFile,
    pub(crate) key: Spanned<KeyFile>,
    pub(crate) field: BTreeMap<Spanned<String>, FieldFile>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TableFile {
    #[serde(default)]
    pub(crate) encoding: Encoding,
    #[serde(default)]
    pub(crate) repair: Option<Repair>,
    #[serde(default)]
    pub(crate) delimiter: Delimiter,
    pub(crate) sheet: Option<String>,
    pub(crate) header: Option<u64>,
}

/// The encoding of a CSV file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// UTF-8 where a row is UTF-8, else what the file looks like.
    #[default]
    Auto,
    #[serde(rename = "utf-8")]
    Utf8,
    Gbk,
    #[serde(rename = "windows-1252")]
    Windows1252,
}

/// What an earlier program did to the text, and can be undone without a guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Repair {
    /// UTF-8 was read as Mac OS Roman and written as Windows-1252.
    MacRoman,
}

/// What stands between two cells of a CSV file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum Delimiter {
    #[default]
    #[serde(rename = ",")]
    Comma,
    #[serde(rename = ";")]
    Semicolon,
    #[serde(rename = "\t")]
    Tab,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyFile {
    pub(crate) columns: Vec<String>,
    /// Signs to leave out of the key: `,` makes `1,365` and `1365` one key.
    #[serde(default)]
    pub(crate) strip: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FieldFile {
    #[serde(default)]
    pub(crate) columns: Vec<PartFile>,
    pub(crate) constant: Option<toml::Value>,
    pub(crate) default: Option<toml::Value>,
    pub(crate) values: Option<BTreeMap<String, toml::Value>>,
    #[serde(default)]
    pub(crate) required: bool,
    #[serde(default)]
    pub(crate) cut: bool,
    pub(crate) join: Option<String>,
    #[serde(default)]
    pub(crate) dates: Vec<String>,
    #[serde(default)]
    pub(crate) times: Vec<String>,
    #[serde(default)]
    pub(crate) other_times: OtherTimes,
    pub(crate) timezone: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum PartFile {
    Column(String),
    Labelled(Labelled),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Labelled {
    pub(crate) column: String,
    pub(crate) label: String,
}

/// What a time cell that is filled, but no time of day, does to its row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OtherTimes {
    #[default]
    Reject,
    /// `Morning`, `about noon`: the day is known, the hour is not.
    StartOfDay,
}
