//! The skeleton of a JPEG (ITU-T T.81 annex B): its size, its segments, and where it ends. No pixel is
//! decoded, so that a file that lies about itself costs nothing.

/// What the segments of a JPEG say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skeleton {
    pub width: u32,
    pub height: u32,
    /// Codes of the segments that carry something, in order: APPn, COM, DQT, SOF …
    pub segments: Vec<u8>,
    /// Bytes up to and with the end-of-image mark.
    pub end: usize,
}

/// The bytes break off, or are no JPEG.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the JPEG breaks off or is damaged at byte {0}")]
pub struct Damaged(pub usize);

const SOI: u8 = 0xD8;
const EOI: u8 = 0xD9;
const SOS: u8 = 0xDA;
/// Segments of a file: a thousand scans and tables are far more than any encoder writes.
const MAX_SEGMENTS: usize = 1_000;

/// Walks from start to end of image.
pub fn skeleton(bytes: &[u8]) -> Result<Skeleton, Damaged> {
    if bytes.get(..2) != Some(&[0xFF, SOI]) {
        return Err(Damaged(0));
    }
    let mut found = Skeleton { width: 0, height: 0, segments: Vec::new(), end: 0 };
    let mut at = 2;
    loop {
        let (code, after) = marker(bytes, at)?;
        at = after;
        match code {
            EOI if found.width == 0 || found.height == 0 => return Err(Damaged(at)),
            EOI => return Ok(Skeleton { end: at, ..found }),
            // Restart marks and TEM stand alone.
            0xD0..=0xD7 | 0x01 => continue,
            0x00 | SOI => return Err(Damaged(at)),
            _ => {}
        }
        found.segments.push(code);
        if found.segments.len() > MAX_SEGMENTS {
            return Err(Damaged(at));
        }
        let length = usize::from(be16(bytes, at)?);
        if length < 2 || bytes.len() - at < length {
            return Err(Damaged(at));
        }
        // C4, C8 and CC are tables and extensions, the other C codes frames.
        if matches!(code, 0xC0..=0xCF) && !matches!(code, 0xC4 | 0xC8 | 0xCC) {
            found.height = u32::from(be16(bytes, at + 3)?);
            found.width = u32::from(be16(bytes, at + 5)?);
        }
        at += length;
        if code == SOS {
            at = after_scan(bytes, at)?;
        }
    }
}

/// The code of a marker and where it ends; filling bytes FF may stand before it.
fn marker(bytes: &[u8], mut at: usize) -> Result<(u8, usize), Damaged> {
    if bytes.get(at) != Some(&0xFF) {
        return Err(Damaged(at));
    }
    while bytes.get(at) == Some(&0xFF) {
        at += 1;
    }
    bytes.get(at).map(|code| (*code, at + 1)).ok_or(Damaged(at))
}

/// Where the marker behind the entropy-coded bytes of a scan begins.
fn after_scan(bytes: &[u8], from: usize) -> Result<usize, Damaged> {
    let scan = bytes.get(from..).unwrap_or_default();
    let pairs = scan.iter().zip(scan.iter().skip(1));
    let end = pairs
        .enumerate()
        .find(|(_, (a, b))| **a == 0xFF && !matches!(**b, 0x00 | 0xFF | 0xD0..=0xD7));
    end.map(|(offset, _)| from + offset).ok_or(Damaged(bytes.len()))
}

fn be16(bytes: &[u8], at: usize) -> Result<u16, Damaged> {
    let pair = bytes.get(at..at + 2).and_then(|pair| pair.try_into().ok());
    pair.map(u16::from_be_bytes).ok_or(Damaged(at))
}
