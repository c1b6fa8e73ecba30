//! CSV for Excel and WPS: UTF-8 with a byte-order mark, CRLF, RFC 4180 quoting.

use std::borrow::Borrow;
use std::io::Write;

use yaoguan_model::{Kind, Record};

use super::{Cell, Lang, column_label, columns, exported, fixed, word_label};
use crate::error::ExportError;

/// Writes records of one kind, in the order given, under a header in the language.
pub fn write_csv<R: Borrow<Record>>(
    kind: &Kind,
    records: impl Iterator<Item = R>,
    lang: Lang,
    out: &mut impl Write,
) -> Result<(), ExportError> {
    if kind.spec().is_none() {
        return Err(ExportError::UnknownKind(kind.to_string()));
    }
    let columns = columns(kind);
    out.write_all("\u{FEFF}".as_bytes())?;
    let mut table =
        csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(&mut *out);
    table.write_record(
        columns.iter().map(|column| column_label(lang, kind, &column.key).unwrap_or(&column.key)),
    )?;
    for record in exported(records) {
        let cells = columns.iter().map(|column| match column.cell(record.borrow()) {
            Cell::Empty => String::new(),
            Cell::Text(text) => neutralised(text),
            Cell::Word(word) => match word_label(lang, kind, &column.key, &word) {
                Some(label) => label.to_owned(),
                None => neutralised(word),
            },
            Cell::Int(n) => n.to_string(),
            Cell::Fixed { value, decimals } => fixed(value, decimals),
            Cell::Bool(b) => b.to_string(),
        });
        table.write_record(cells)?;
    }
    table.flush()?;
    Ok(())
}

/// A text that a spreadsheet would take for a formula, with `'` before it (OWASP, *CSV injection*;
/// the full-width signs count as formula signs in East Asian Excel).
pub fn neutralised(text: String) -> String {
    const SIGNS: &[char] = &['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    if text.starts_with(SIGNS) { format!("'{text}") } else { text }
}
