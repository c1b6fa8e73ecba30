//! Bodies: JSON, compressed with zstd where that is shorter, within the limits both ways.

use std::borrow::Cow;
use std::io::{Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::limits::{
    COMPRESS_FROM_BYTES, MAX_DECODED_BYTES, MAX_JSON_DEPTH, MAX_RECORDS, MAX_WINDOW_LOG,
    MAX_WIRE_BYTES, PAGE_DECODED_BYTES, PAGE_JSON_VALUES, PAGE_WIRE_BYTES, SMALL_BODY_BYTES,
    SMALL_ZSTD_LEVEL, ZSTD_LEVEL,
};
use crate::shape::{Shape, Unfit};

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
    #[error("lists and objects stand more than {MAX_JSON_DEPTH} deep in one another")]
    TooDeep,
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

/// What a body says it decodes to; none when a compressed one does not say.
pub fn decoded_size(bytes: &[u8], zstd: bool) -> Option<u64> {
    if !zstd {
        return Some(bytes.len() as u64);
    }
    zstd::zstd_safe::get_frame_content_size(bytes).ok().flatten()
}

/// Decompresses within the limits; `zstd` is what `Content-Encoding` says. A body is one frame, and
/// nothing stands before or after it.
pub fn decompress(bytes: &[u8], zstd: bool) -> Result<Cow<'_, [u8]>, BadBody> {
    if bytes.len() > MAX_WIRE_BYTES {
        return Err(BadBody::TooLarge);
    }
    if !zstd {
        return Ok(Cow::Borrowed(bytes));
    }
    let limit = MAX_DECODED_BYTES as u64;
    let declared = decoded_size(bytes, true);
    if declared.is_some_and(|size| size > limit) {
        return Err(BadBody::TooLarge);
    }
    let mut decoder = zstd::stream::Decoder::with_buffer(bytes).map_err(BadBody::Zstd)?;
    decoder.window_log_max(MAX_WINDOW_LOG).map_err(BadBody::Zstd)?;
    let mut decoder = decoder.single_frame();
    // What a frame says of its size is checked by zstd at its end.
    let mut out = Vec::with_capacity(usize::try_from(declared.unwrap_or(0)).unwrap_or(0));
    decoder.by_ref().take(limit + 1).read_to_end(&mut out).map_err(BadBody::Zstd)?;
    if out.len() > MAX_DECODED_BYTES {
        return Err(BadBody::TooLarge);
    }
    if !decoder.get_ref().is_empty() {
        return Err(BadBody::Zstd(std::io::Error::other("something stands behind the frame")));
    }
    Ok(Cow::Owned(out))
}

/// Decompresses and reads a message. Depth and number of values are measured before anything is built.
pub fn decode<T: DeserializeOwned>(bytes: &[u8], zstd: bool) -> Result<T, BadBody> {
    let json = decompress(bytes, zstd)?;
    Shape::of(&json).check().map_err(|unfit| match unfit {
        Unfit::TooDeep => BadBody::TooDeep,
        Unfit::TooMany => BadBody::TooLarge,
    })?;
    serde_json::from_slice(&json).map_err(BadBody::Json)
}

/// Counts how far a page is filled. Compression is measured as it goes, since only the compressor
/// knows how short the next record gets.
pub struct PageBudget {
    encoder: Option<zstd::stream::Encoder<'static, Counted>>,
    decoded: usize,
    values: usize,
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
        Self { encoder, decoded: 0, values: 0, records: 0, wire_limit }
    }

    /// Whether a record of these JSON bytes still fits; counts it if so. The first always fits, so that
    /// a page is never empty for a large record.
    pub fn admit(&mut self, json: &[u8]) -> bool {
        let wire = self.encoder.as_ref().map_or(self.decoded, |encoder| encoder.get_ref().0);
        let values = self.values + Shape::of(json).values;
        let full = self.decoded + json.len() > PAGE_DECODED_BYTES
            || wire > self.wire_limit
            || values > PAGE_JSON_VALUES
            || self.records >= MAX_RECORDS;
        if full && self.records > 0 {
            return false;
        }
        self.decoded += json.len();
        self.values = values;
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

    /// Skippable frame (RFC 8878 §3.1.2) with four bytes in it.
    const SKIPPABLE: [u8; 12] = [0x50, 0x2A, 0x4D, 0x18, 4, 0, 0, 0, b'n', b'o', b'n', b'e'];

    #[test]
    fn a_body_is_one_frame_and_nothing_else() {
        let frame = zstd::bulk::compress(br#""x""#, 3).unwrap();
        assert_eq!(decode::<String>(&frame, true).unwrap(), "x");
        let bad = [
            ("two frames", [frame.clone(), frame.clone()].concat()),
            ("garbage behind", [frame.clone(), b"garbage".to_vec()].concat()),
            ("skippable behind", [frame.clone(), SKIPPABLE.to_vec()].concat()),
            ("skippable before", [SKIPPABLE.to_vec(), frame.clone()].concat()),
            ("skippable alone", SKIPPABLE.to_vec()),
            ("cut", frame[..frame.len() - 1].to_vec()),
            ("nothing", Vec::new()),
        ];
        for (what, bytes) in bad {
            let result = decode::<String>(&bytes, true);
            assert!(
                matches!(result, Err(BadBody::Zstd(_) | BadBody::Json(_))),
                "{what}: {result:?}"
            );
        }
    }

    #[test]
    fn a_frame_that_lies_about_its_size_is_refused() {
        let text = vec![b' '; 1000];
        let mut frame = zstd::bulk::compress(&text, 3).unwrap();
        assert_eq!(decoded_size(&frame, true), Some(1000));
        // Magic number, descriptor, then the size less 256 in two bytes (RFC 8878 §3.1.1).
        frame[5..7].copy_from_slice(&(2000_u16 - 256).to_le_bytes());
        assert_eq!(decoded_size(&frame, true), Some(2000));
        assert!(matches!(decompress(&frame, true), Err(BadBody::Zstd(_))));
    }

    #[test]
    fn a_window_beyond_the_limit_is_refused() {
        let mut encoder = zstd::stream::Encoder::new(Vec::new(), 3).unwrap();
        encoder.window_log(MAX_WINDOW_LOG + 1).unwrap();
        encoder.write_all(br#""x""#).unwrap();
        assert!(matches!(decompress(&encoder.finish().unwrap(), true), Err(BadBody::Zstd(_))));
    }

    #[test]
    fn depth_and_number_of_values_are_limited_before_anything_is_built() {
        let deep = "[".repeat(100_000);
        assert!(matches!(decode::<Vec<u8>>(deep.as_bytes(), false), Err(BadBody::TooDeep)));
        let many = format!("[{}1]", "1,".repeat(crate::limits::MAX_JSON_VALUES));
        let many = zstd::bulk::compress(many.as_bytes(), 3).unwrap();
        assert!(matches!(decode::<Vec<u8>>(&many, true), Err(BadBody::TooLarge)));
    }

    #[test]
    fn a_page_holds_no_more_values_and_records_than_its_reader_takes() {
        let (mut budget, record) = (PageBudget::default(), format!("[{}1]", "1,".repeat(5_000)));
        while budget.admit(record.as_bytes()) {}
        assert!(budget.values <= PAGE_JSON_VALUES && budget.values > PAGE_JSON_VALUES - 10_000);
        let mut budget = PageBudget::default();
        while budget.admit(b"{}") {}
        assert_eq!(budget.records, MAX_RECORDS);
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
