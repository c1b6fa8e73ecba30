//! Rows of a CSV file (RFC 4180; any of CRLF, LF, CR), with the physical line each starts on.

use csv::ByteRecord;

use super::encoding::{Charset, Decoder};
use super::{RawRow, Sheet, repair};
use crate::error::TableError;
use crate::limits;
use crate::mapping::{Delimiter, Layout, Repair};
use crate::reason::Reason;

pub(super) fn read(bytes: &[u8], layout: &Layout) -> Result<Sheet, TableError> {
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Err(TableError::Utf16);
    }
    let bytes = bytes.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(bytes);
    let decoder = Decoder::new(layout.encoding, bytes);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(match layout.delimiter {
            Delimiter::Comma => b',',
            Delimiter::Semicolon => b';',
            Delimiter::Tab => b'\t',
        })
        .from_reader(bytes);
    let mut lines = Lines { bytes, at: 0, line: 1 };
    let mut header: Option<Vec<String>> = None;
    let mut rows = Vec::new();
    let mut record = ByteRecord::new();
    let mut last = 0;
    while reader.read_byte_record(&mut record)? {
        last = record.position().map_or(0, |position| position.byte());
        let line = lines.of(last);
        if record.len() > limits::MAX_COLUMNS {
            return Err(TableError::TooManyColumns { max: limits::MAX_COLUMNS });
        }
        if line < layout.header || record.iter().all(<[u8]>::is_empty) {
            continue;
        }
        let row = row(&record, line, &decoder, layout.repair);
        if header.is_some() {
            rows.push(row);
        } else if row.broken.is_empty() {
            header = Some(row.cells);
        } else {
            return Err(TableError::HeaderEncoding);
        }
        if rows.len() > limits::MAX_ROWS {
            return Err(TableError::TooManyRows { max: limits::MAX_ROWS });
        }
    }
    mark_unclosed(bytes, last, rows.last_mut());
    Ok(Sheet { encoding: decoder.label, header: header.ok_or(TableError::Empty)?, rows })
}

fn row(record: &ByteRecord, line: u64, decoder: &Decoder, repair: Option<Repair>) -> RawRow {
    match decoder.row(record.iter()) {
        Ok((mut cells, charset)) => {
            if repair == Some(Repair::MacRoman) && charset == Charset::Windows1252 {
                cells = cells.iter().map(|cell| repair::mac_roman(cell)).collect();
            }
            RawRow { line, cells, broken: Vec::new() }
        }
        Err(cells) => {
            let bad =
                record.iter().zip(&cells).find(|(bytes, _)| std::str::from_utf8(bytes).is_err());
            let reason = Reason::new("encoding", bad.map_or("", |(_, cell)| cell));
            RawRow { line, cells, broken: vec![reason] }
        }
    }
}

/// A quotation mark that is never closed swallows the rest of the file into one row. That row has an
/// odd number of marks, which a sound row over several lines never has.
fn mark_unclosed(bytes: &[u8], start: u64, row: Option<&mut RawRow>) {
    let start = usize::try_from(start).unwrap_or(usize::MAX);
    let (Some(tail), Some(row)) = (bytes.get(start..), row) else { return };
    let odd = tail.iter().filter(|b| **b == b'"').count() % 2 == 1;
    if odd && tail.trim_ascii().contains(&b'\n') {
        row.broken.push(Reason::new("unclosed_quote", ""));
    }
}

/// Counts physical lines up to growing offsets.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line of the row that starts at `offset`, or behind the line ends that stand there.
    fn of(&mut self, offset: u64) -> u64 {
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        while let Some(byte) = self.bytes.get(self.at) {
            if self.at >= offset && !matches!(byte, b'\r' | b'\n') {
                break;
            }
            let of_crlf = *byte == b'\r' && self.bytes.get(self.at + 1) == Some(&b'\n');
            if *byte == b'\n' || (*byte == b'\r' && !of_crlf) {
                self.line += 1;
            }
            self.at += 1;
        }
        self.line
    }
}
