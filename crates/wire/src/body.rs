//! Bodies: JSON, compressed with zstd where that is shorter, within the limits both ways.

use std::io::{Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::limits::{
    COMPRESS_FROM_BYTES, MAX_DECODED_BYTES, MAX_WIRE_BYTES, PAGE_DECODED_BYTES, PAGE_WIRE_BYTES,
    SMALL_BODY_BYTES, SMALL_ZSTD_LEVEL, ZSTD_LEVEL,
};

/// A body ready to be sent.
#[derive(Debug, Clone)]
pub struct Encoded {
    pub bytes: Vec<u8>,
    /// True when `Content-Encoding: zstd` belongs to it.
    pub zstd: bool,
}

/// A body that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BadBody {
    #[error("the body is larger than {MAX_WIRE_BYTES} bytes, or than {MAX_DECODED_BYTES} decoded")]
    TooLarge,
    #[error("the body is not zstd: {0}")]
    Zstd(std::io::Error),
    #[error("the body is not the expected JSON: {0}")]
    Json(serde_json::Error),
}

/// Serialises and, where that is shorter, compresses.
pub fn encode<T: Serialize>(message: &T) -> Result<Encoded, serde_json::Error> {
    let json = serde_json::to_vec(message)?;
    if json.len() >= COMPRESS_FROM_BYTES
        && let Ok(bytes) = zstd::bulk::compress(&json, level(json.len()))
        && bytes.len() < json.len()
    {
        return Ok(Encoded { bytes, zstd: true });
    }
    Ok(Encoded { bytes: json, zstd: false })
}

fn level(bytes: usize) -> i32 {
    if bytes <= SMALL_BODY_BYTES { SMALL_ZSTD_LEVEL } else { ZSTD_LEVEL }
}

/// Decompresses within the limit; `zstd` is what `Content-Encoding` says.
pub fn decompress(bytes: &[u8], zstd: bool) -> Result<Vec<u8>, BadBody> {
    if bytes.len() > MAX_WIRE_BYTES {
        return Err(BadBody::TooLarge);
    }
    if !zstd {
        return Ok(bytes.to_vec());
    }
    let decoder = zstd::stream::Decoder::with_buffer(bytes).map_err(BadBody::Zstd)?;
    let mut out = Vec::new();
    let limit = MAX_DECODED_BYTES as u64 + 1;
    decoder.single_frame().take(limit).read_to_end(&mut out).map_err(BadBody::Zstd)?;
    if out.len() > MAX_DECODED_BYTES { Err(BadBody::TooLarge) } else { Ok(out) }
}

/// Decompresses and reads a message.
pub fn decode<T: DeserializeOwned>(bytes: &[u8], zstd: bool) -> Result<T, BadBody> {
    serde_json::from_slice(&decompress(bytes, zstd)?).map_err(BadBody::Json)
}

/// Counts how far a page is filled. Compression is measured as it goes, since only the compressor
/// knows how short the next record gets.
pub struct PageBudget {
    encoder: Option<zstd::stream::Encoder<'static, Counted>>,
    decoded: usize,
    records: usize,
    wire_limit: usize,
}

#[derive(Default)]
struct Counted(usize);
impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Default for PageBudget {
    fn default() -> Self {
        Self::new(PAGE_WIRE_BYTES)
    }
}

impl PageBudget {
    /// A page of at most `wire_limit` compressed bytes.
    pub fn new(wire_limit: usize) -> Self {
        let encoder = zstd::stream::Encoder::new(Counted::default(), ZSTD_LEVEL).ok();
        Self { encoder, decoded: 0, records: 0, wire_limit }
    }

    /// Whether a record of these JSON bytes still fits; counts it if so. The first always fits, so that
    /// a page is never empty for a large record.
    pub fn admit(&mut self, json: &[u8]) -> bool {
        let wire = self.encoder.as_ref().map_or(self.decoded, |encoder| encoder.get_ref().0);
        let full = self.decoded + json.len() > PAGE_DECODED_BYTES || wire > self.wire_limit;
        if full && self.records > 0 {
            return false;
        }
        self.decoded += json.len();
        self.records += 1;
        if let Some(encoder) = &mut self.encoder
            && encoder.write_all(json).is_err()
        {
            self.encoder = None;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_bodies_are_not_compressed() {
        let body = encode(&vec![1, 2, 3]).unwrap();
        assert!(!body.zstd);
        assert_eq!(decode::<Vec<u8>>(&body.bytes, body.zstd).unwrap(), [1, 2, 3]);
    }

    #[test]
    fn long_bodies_come_back_as_they_were() {
        let text = "姚关".repeat(1000);
        let body = encode(&text).unwrap();
        assert!(body.zstd && body.bytes.len() < 200);
        assert_eq!(decode::<String>(&body.bytes, true).unwrap(), text);
    }

    #[test]
    fn a_bomb_is_refused_at_the_limit() {
        let bomb = zstd::bulk::compress(&vec![b' '; MAX_DECODED_BYTES + 2], 3).unwrap();
        assert!(bomb.len() < MAX_WIRE_BYTES);
        assert!(matches!(decompress(&bomb, true), Err(BadBody::TooLarge)));
    }

    #[test]
    fn a_page_is_filled_within_the_wire_limit() {
        let mut budget = PageBudget::new(64 * 1024);
        let mut json = Vec::new();
        // Hardly compressible, so that the wire limit is what ends the page.
        let mut x = 1_u64;
        loop {
            let mut record = Vec::new();
            for _ in 0..40 {
                x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                record.extend_from_slice(format!("{x:x}").as_bytes());
            }
            if !budget.admit(&record) {
                break;
            }
            json.extend(record);
        }
        let wire = zstd::bulk::compress(&json, ZSTD_LEVEL).unwrap().len();
        assert!((64 * 1024..64 * 1024 + 140 * 1024).contains(&wire), "{wire}");
    }
}
