//! Bytes of a row become text, strictly: a byte that fits no encoding is a reason, never U+FFFD.
//!
//! A named encoding is taken at its word. `auto` takes each row as UTF-8 where it is UTF-8. The rows
//! that are not are read in the one encoding that the file looks like (GBK or Windows-1252), unless
//! most rows with bytes outside ASCII are UTF-8: then the file is UTF-8 and the others are damaged.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{GBK, WINDOWS_1252};

use crate::mapping::Encoding;

/// What rows are read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Charset {
    Utf8,
    Gbk,
    Windows1252,
}

/// How the rows of one file are read: the first charset that fits a whole row.
#[derive(Debug, Clone)]
pub(super) struct Decoder {
    charsets: Vec<Charset>,
    /// Names what was used, for people.
    pub(super) label: String,
}

impl Decoder {
    pub(super) fn new(encoding: Encoding, bytes: &[u8]) -> Self {
        match encoding {
            Encoding::Auto => Self::detected(bytes),
            Encoding::Utf8 => Self::of(&[Charset::Utf8], "utf-8"),
            Encoding::Gbk => Self::of(&[Charset::Gbk], "gbk"),
            Encoding::Windows1252 => Self::of(&[Charset::Windows1252], "windows-1252"),
        }
    }

    fn of(charsets: &[Charset], label: &str) -> Self {
        Self { charsets: charsets.to_vec(), label: label.to_owned() }
    }

    fn detected(bytes: &[u8]) -> Self {
        let lines = bytes.split(|b| *b == b'\n').filter(|line| !line.is_ascii());
        let (utf8, other): (Vec<&[u8]>, Vec<&[u8]>) =
            lines.partition(|line| std::str::from_utf8(line).is_ok());
        if other.is_empty() || utf8.len() > other.len() {
            return Self::of(&[Charset::Utf8], "utf-8");
        }
        let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
        for line in &other {
            detector.feed(line, false);
            detector.feed(b"\n", false);
        }
        detector.feed(b"", true);
        let guess = detector.guess(Some(b"cn"), Utf8Detection::Deny);
        let both = if utf8.is_empty() { "" } else { "utf-8 and " };
        if guess == GBK {
            Self::of(&[Charset::Utf8, Charset::Gbk], &format!("{both}gbk"))
        } else if guess == WINDOWS_1252 {
            Self::of(&[Charset::Utf8, Charset::Windows1252], &format!("{both}windows-1252"))
        } else {
            let name = guess.name().to_lowercase();
            Self::of(&[Charset::Utf8], &format!("utf-8 ({name} is not read)"))
        }
    }

    /// The cells of a row as text with the charset used, or, when no charset fits all of them, as
    /// text with the odd bytes written `\x83`.
    pub(super) fn row<'a>(
        &self,
        cells: impl Iterator<Item = &'a [u8]> + Clone,
    ) -> Result<(Vec<String>, Charset), Vec<String>> {
        for charset in &self.charsets {
            let row: Option<Vec<String>> =
                cells.clone().map(|cell| decode(*charset, cell)).collect();
            if let Some(row) = row {
                return Ok((row, *charset));
            }
        }
        Err(cells.map(escaped).collect())
    }
}

fn decode(charset: Charset, cell: &[u8]) -> Option<String> {
    let by = |encoding: &'static encoding_rs::Encoding| {
        encoding.decode_without_bom_handling_and_without_replacement(cell).map(String::from)
    };
    match charset {
        Charset::Utf8 => std::str::from_utf8(cell).ok().map(str::to_owned),
        Charset::Gbk => by(GBK),
        // The WHATWG table turns the five bytes without a character into control characters.
        Charset::Windows1252 => {
            let unused = |b: &u8| matches!(b, 0x81 | 0x8D | 0x8F | 0x90 | 0x9D);
            if cell.iter().any(unused) { None } else { by(WINDOWS_1252) }
        }
    }
}

fn escaped(cell: &[u8]) -> String {
    let mut text = String::new();
    for chunk in cell.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}
