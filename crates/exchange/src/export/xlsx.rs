//! XLSX: texts as strings, numbers as numbers, a frozen header with a filter.
//!
//! A string cell is never evaluated, so nothing has to be neutralised here.

use std::borrow::Borrow;
use std::io::Write;

use rust_xlsxwriter::{Format, Workbook, Worksheet};
use yaoguan_model::{Kind, Record};

use super::{Cell, Column, Lang, column_label, columns, exported, word_label};
use crate::error::ExportError;
use crate::limits::{MAX_SHEET_CELL_CHARS, MAX_SHEET_ROWS};

/// Characters that a column is wide at most.
const MAX_WIDTH: usize = 40;

/// Writes records of one kind, in the order given, as a workbook of one sheet.
pub fn write_xlsx<R: Borrow<Record>>(
    kind: &Kind,
    records: impl Iterator<Item = R>,
    lang: Lang,
    out: &mut impl Write,
) -> Result<(), ExportError> {
    if kind.spec().is_none() {
        return Err(ExportError::UnknownKind(kind.to_string()));
    }
    let columns = columns(kind);
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.set_name(kind.as_str())?;
    let mut widths = Vec::new();
    for (at, column) in (0_u16..).zip(&columns) {
        let label = column_label(lang, kind, &column.key).unwrap_or(&column.key);
        sheet.write_string_with_format(0, at, label, &Format::new().set_bold())?;
        widths.push(width(label));
    }
    let mut last = 0;
    for (row, record) in (1_u32..).zip(exported(records)) {
        if usize::try_from(row).unwrap_or(usize::MAX) >= MAX_SHEET_ROWS {
            return Err(ExportError::TooManyRows { max: MAX_SHEET_ROWS });
        }
        for ((at, column), wide) in (0_u16..).zip(&columns).zip(&mut widths) {
            *wide = (*wide).max(write_cell(sheet, row, at, column, record.borrow(), kind, lang)?);
        }
        last = row;
    }
    for (at, wide) in (0_u16..).zip(widths) {
        sheet.set_column_width(at, u32::try_from(wide.min(MAX_WIDTH) + 2).unwrap_or(10))?;
    }
    let columns = u16::try_from(columns.len()).unwrap_or(u16::MAX);
    sheet.set_freeze_panes(1, 0)?;
    sheet.autofilter(0, 0, last, columns.saturating_sub(1))?;
    out.write_all(&book.save_to_buffer()?)?;
    Ok(())
}

/// Writes one cell and says how wide it is.
fn write_cell(
    sheet: &mut Worksheet,
    row: u32,
    at: u16,
    column: &Column,
    record: &Record,
    kind: &Kind,
    lang: Lang,
) -> Result<usize, ExportError> {
    let text = match column.cell(record) {
        Cell::Empty => return Ok(0),
        Cell::Int(n) => {
            sheet.write_number(row, at, n as f64)?;
            return Ok(n.to_string().len());
        }
        Cell::Fixed { value, decimals } => {
            let format = Format::new().set_num_format(format!("0.{}", "0".repeat(decimals)));
            let number = value as f64 / 10_f64.powi(i32::try_from(decimals).unwrap_or(0));
            sheet.write_number_with_format(row, at, number, &format)?;
            return Ok(decimals + 5);
        }
        Cell::Bool(b) => {
            sheet.write_boolean(row, at, b)?;
            return Ok(5);
        }
        Cell::Word(word) => word_label(lang, kind, &column.key, &word).map_or(word, str::to_owned),
        Cell::Text(text) => text,
    };
    let text: String = if text.chars().count() > MAX_SHEET_CELL_CHARS {
        text.chars().take(MAX_SHEET_CELL_CHARS - 1).chain(['…']).collect()
    } else {
        text
    };
    sheet.write_string(row, at, &text)?;
    Ok(width(&text))
}

/// Han characters are twice as wide as Latin ones.
fn width(text: &str) -> usize {
    let first = text.lines().next().unwrap_or_default();
    first.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum()
}
