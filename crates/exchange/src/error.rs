//! Errors of this crate: what stops a whole file. What is wrong with one row is a
//! [`crate::Reason`].

use std::io;

/// A mapping that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// Not TOML, or a key that mappings do not have; the message names line and column.
    #[error("the mapping cannot be read: {0}")]
    Toml(#[from] toml::de::Error),
    /// A rule that the schema or privacy does not allow. `line` counts from 1.
    #[error("mapping, line {line}: `{key}` {problem}")]
    Rule { line: usize, key: String, problem: String },
}

/// A file that is not a table this crate reads, or not the one the mapping is for.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    #[error("the file holds nothing")]
    Empty,
    #[error("the file is larger than {max} bytes")]
    TooLarge { max: u64 },
    #[error("the table has more than {max} rows")]
    TooManyRows { max: usize },
    #[error("the table has more than {max} columns")]
    TooManyColumns { max: usize },
    #[error("the file is in UTF-16; save it as UTF-8 or as .xlsx")]
    Utf16,
    #[error("the file is an old Excel workbook (.xls); save it as .xlsx")]
    OldWorkbook,
    #[error("no sheet is called `{wanted}`; there are: {}", .there.join(", "))]
    NoSuchSheet { wanted: String, there: Vec<String> },
    #[error("the header row cannot be read in any encoding the mapping allows")]
    HeaderEncoding,
    #[error("the table has no column `{column}`")]
    NoSuchColumn { column: String },
    #[error("the column `{column}` stands twice in the header")]
    ColumnTwice { column: String },
    #[error("the workbook cannot be read: {0}")]
    Workbook(#[from] calamine::XlsxError),
    #[error("the table cannot be read: {0}")]
    Csv(#[from] csv::Error),
}

/// A file that is not a track.
#[derive(Debug, thiserror::Error)]
pub enum GpxError {
    #[error("the file holds nothing")]
    Empty,
    #[error("the file is larger than {max} bytes")]
    TooLarge { max: usize },
    /// Waypoints or routes alone: places, not a way that somebody went.
    #[error("the file holds no track, only {waypoints} waypoints")]
    NoFixes { waypoints: usize },
    /// Not XML, or XML that is not GPX.
    #[error("the file is not readable GPX: {0}")]
    Broken(#[from] gpx::errors::GpxError),
    /// No track needs it, and the XML reader slows down with the square of the depth.
    #[error("the file is not readable GPX: elements are nested deeper than {max}")]
    TooDeep { max: usize },
}

/// An export that could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error("the export could not be written: {0}")]
    Io(#[from] io::Error),
    #[error("records of the unknown kind `{0}` cannot be exported")]
    UnknownKind(String),
    #[error("a worksheet holds {max} rows at most")]
    TooManyRows { max: usize },
    #[error("the workbook could not be written: {0}")]
    Workbook(#[from] rust_xlsxwriter::XlsxError),
}

impl From<csv::Error> for ExportError {
    fn from(error: csv::Error) -> Self {
        Self::Io(io::Error::other(error))
    }
}
impl From<serde_json::Error> for ExportError {
    fn from(error: serde_json::Error) -> Self {
        Self::Io(io::Error::other(error))
    }
}
