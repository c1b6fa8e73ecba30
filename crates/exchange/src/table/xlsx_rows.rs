//! Rows of a worksheet. Cells are read one by one, so that a stray cell in the last row or column
//! costs nothing; formulas give the value stored with them.

use std::collections::BTreeMap;
use std::io::Cursor;

use calamine::{DataRef, ExcelDateTime, Reader as _, Xlsx};

use super::{RawRow, Sheet};
use crate::error::TableError;
use crate::limits;
use crate::mapping::Layout;

pub(super) fn read(bytes: &[u8], layout: &Layout) -> Result<Sheet, TableError> {
    if unpacked_bytes(bytes).is_none_or(|size| size > limits::MAX_UNPACKED_BYTES) {
        return Err(TableError::TooLarge { max: limits::MAX_UNPACKED_BYTES });
    }
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes))?;
    let there = book.sheet_names();
    let name = match &layout.sheet {
        Some(wanted) if !there.contains(wanted) => {
            return Err(TableError::NoSuchSheet { wanted: wanted.clone(), there });
        }
        Some(wanted) => wanted.clone(),
        None => there.into_iter().next().ok_or(TableError::Empty)?,
    };
    let mut rows = cells(&mut book, &name)?;
    let first = rows.range(layout.header..).next().map(|(line, _)| *line);
    let header = first.and_then(|line| rows.remove(&line)).ok_or(TableError::Empty)?;
    let width = header.len();
    let after = rows.split_off(&first.unwrap_or(layout.header));
    let row = |(line, mut cells): (u64, Vec<String>)| {
        // A worksheet does not store the empty cells at a row's end.
        cells.resize(cells.len().max(width), String::new());
        RawRow { line, cells, broken: Vec::new() }
    };
    Ok(Sheet { encoding: "xlsx".to_owned(), header, rows: after.into_iter().map(row).collect() })
}

/// Worksheet row (from 1) → cells up to the last filled one.
fn cells(
    book: &mut Xlsx<Cursor<&[u8]>>,
    sheet: &str,
) -> Result<BTreeMap<u64, Vec<String>>, TableError> {
    let mut rows: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    let mut reader = book.worksheet_cells_reader(sheet)?;
    while let Some(cell) = reader.next_cell()? {
        let text = text(cell.get_value());
        if text.is_empty() {
            continue;
        }
        let (row, column) = cell.get_position();
        let column = usize::try_from(column).unwrap_or(usize::MAX);
        if column >= limits::MAX_COLUMNS {
            return Err(TableError::TooManyColumns { max: limits::MAX_COLUMNS });
        }
        let cells = rows.entry(u64::from(row) + 1).or_default();
        cells.resize(cells.len().max(column + 1), String::new());
        if let Some(place) = cells.get_mut(column) {
            *place = text;
        }
        if rows.len() > limits::MAX_ROWS + 1 {
            return Err(TableError::TooManyRows { max: limits::MAX_ROWS });
        }
    }
    Ok(rows)
}

fn text(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Int(n) => n.to_string(),
        DataRef::Float(x) => x.to_string(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            text.clone()
        }
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(b) => b.to_string(),
        DataRef::DateTime(when) => date_time(when),
        DataRef::Error(error) => error.to_string(),
        DataRef::Empty => String::new(),
    }
}

/// A date as ISO 8601; a time of day alone (before day 1) as `HH:MM:SS`.
fn date_time(when: &ExcelDateTime) -> String {
    let (year, month, day, hour, minute, second, _) = when.to_ymd_hms_milli();
    let time = format!("{hour:02}:{minute:02}:{second:02}");
    if when.as_f64() < 1.0 {
        time
    } else if when.as_f64().fract() == 0.0 {
        format!("{year:04}-{month:02}-{day:02}")
    } else {
        format!("{year:04}-{month:02}-{day:02}T{time}")
    }
}

/// What the central directory says its parts unpack to (APPNOTE.TXT 4.3.12); `None` when there is
/// no directory. A directory that lies is not found out here.
fn unpacked_bytes(zip: &[u8]) -> Option<u64> {
    let number = |at: usize, size: usize| -> Option<u64> {
        let bytes = zip.get(at..at.checked_add(size)?)?;
        Some(bytes.iter().rev().fold(0, |n, b| n << 8 | u64::from(*b)))
    };
    let last = zip.len().checked_sub(22)?;
    let end = (0..=last).rev().take(65_558).find(|at| number(*at, 4) == Some(0x0605_4B50))?;
    let mut at = usize::try_from(number(end + 16, 4)?).ok()?;
    let mut sum = 0_u64;
    for _ in 0..number(end + 10, 2)? {
        if number(at, 4)? != 0x0201_4B50 {
            return None;
        }
        sum = sum.checked_add(number(at + 24, 4)?)?;
        let tail = number(at + 28, 2)? + number(at + 30, 2)? + number(at + 32, 2)?;
        at = at.checked_add(46)?.checked_add(usize::try_from(tail).ok()?)?;
    }
    Some(sum)
}
