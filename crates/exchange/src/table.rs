//! Tables in: CSV or XLSX bytes and a mapping give one [`Row`] for each row of the table.
//!
//! A row is one record's fields or every reason why it is none; nothing is dropped silently and no
//! cell is altered but as the mapping says. A row whose key stood earlier in the file is passed on:
//! the store counts it as already there. Rows whose cells are all empty are not rows.

mod csv_rows;
mod encoding;
mod repair;
#[cfg(test)]
mod tests;
mod xlsx_rows;

use std::collections::{BTreeMap, HashMap};

use yaoguan_model::{FieldPath, Value};

use crate::convert::{Cells, convert};
use crate::error::TableError;
use crate::limits;
use crate::mapping::{Layout, Mapping};
use crate::reason::Reason;

/// A table that was read.
#[derive(Debug)]
pub struct Table {
    /// What the bytes were read as: `utf-8`, `gbk`, `utf-8 and gbk`, `xlsx` …
    pub encoding: String,
    pub header: Vec<String>,
    pub rows: Vec<Row>,
}

/// One row of a table.
#[derive(Debug)]
pub struct Row {
    /// The physical line on which the row starts (CSV) or the worksheet row; from 1.
    pub line: u64,
    pub outcome: Result<Imported, Vec<Reason>>,
    /// The cells as read; bytes of no encoding as `\x83`.
    pub cells: Vec<String>,
}

/// What a row becomes. `fields` holds `source`, `source_key` and the status of a new record too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    pub source: String,
    pub source_key: String,
    pub fields: BTreeMap<FieldPath, Value>,
}

/// A table whose cells mean nothing yet.
#[derive(Debug)]
pub struct Sheet {
    /// What the bytes were read as, as in [`Table`].
    pub encoding: String,
    pub header: Vec<String>,
    pub rows: Vec<RawRow>,
}

/// A row as text.
#[derive(Debug)]
pub struct RawRow {
    /// The physical line on which the row starts (CSV) or the worksheet row; from 1.
    pub line: u64,
    pub cells: Vec<String>,
    /// What is wrong with the row whatever its cells mean; then they are not converted.
    pub broken: Vec<Reason>,
}

/// Reads a table. CSV or XLSX is told by the content, never by a name.
pub fn read(bytes: &[u8], mapping: &Mapping) -> Result<Table, TableError> {
    let sheet = rows(bytes, &mapping.layout())?;
    let names = names(&sheet.header, mapping)?;
    let row = |raw: RawRow| {
        let outcome = match raw.broken {
            faults if faults.is_empty() => convert(mapping, Cells::new(&names, &raw.cells)),
            faults => Err(faults),
        };
        Row { line: raw.line, outcome, cells: raw.cells }
    };
    let rows = sheet.rows.into_iter().map(row).collect();
    Ok(Table { encoding: sheet.encoding, header: sheet.header, rows })
}

/// Reads a table of cells alone: UTF-8 or GBK with commas, or a workbook's first sheet, its first row the
/// header.
pub fn plain(bytes: &[u8]) -> Result<Sheet, TableError> {
    rows(bytes, &Layout { header: 1, ..Layout::default() })
}

fn rows(bytes: &[u8], layout: &Layout) -> Result<Sheet, TableError> {
    if bytes.is_empty() {
        return Err(TableError::Empty);
    }
    if bytes.len() > limits::MAX_FILE_BYTES {
        return Err(TableError::TooLarge { max: limits::MAX_FILE_BYTES as u64 });
    }
    let mut sheet = if bytes.starts_with(b"PK\x03\x04") {
        xlsx_rows::read(bytes, layout)?
    } else if bytes.starts_with(&[0xD0, 0xCF, 0x11, 0xE0]) {
        return Err(TableError::OldWorkbook);
    } else {
        csv_rows::read(bytes, layout)?
    };
    let width = sheet.header.len();
    for row in &mut sheet.rows {
        row.broken = faults(row, width);
    }
    Ok(sheet)
}

/// Column name → index, for the columns that the mapping reads.
fn names(header: &[String], mapping: &Mapping) -> Result<HashMap<String, usize>, TableError> {
    let mut names = HashMap::new();
    for column in mapping.columns() {
        let mut at = header.iter().enumerate().filter(|(_, name)| name.trim() == column);
        let Some((index, _)) = at.next() else {
            return Err(TableError::NoSuchColumn { column: column.to_owned() });
        };
        if at.next().is_some() {
            return Err(TableError::ColumnTwice { column: column.to_owned() });
        }
        names.insert(column.to_owned(), index);
    }
    Ok(names)
}

/// What is wrong with a row before its cells are looked at.
fn faults(raw: &RawRow, width: usize) -> Vec<Reason> {
    let mut faults = raw.broken.clone();
    if raw.cells.len() != width {
        let (found, expected) = (raw.cells.len(), width);
        faults.push(Reason::new("ragged", "").with("found", found).with("expected", expected));
    }
    if let Some(cell) = raw.cells.iter().find(|cell| cell.len() > limits::MAX_CELL_BYTES) {
        faults.push(Reason::new("cell_too_long", cell).with("max", limits::MAX_CELL_BYTES));
    }
    if let Some(cell) = raw.cells.iter().find(|cell| cell.contains(char::REPLACEMENT_CHARACTER)) {
        faults.push(Reason::new("lost_character", cell));
    }
    faults
}
