//! What the town asks of bytes before it keeps them: are they a photo or a track, and nothing beside?
//!
//! Phones send what [`crate::photo`] and [`crate::track`] make. Anything else is refused, also where it
//! could be read: a picture with EXIF tells where a person lives, and bytes behind the end of a picture are
//! another file.

use crate::jpeg;
use crate::limits::{MAX_BLOB_BYTES, MAX_DECODED_BYTES, MAX_SIDE_PX};
use crate::sniff::{Content, sniff};
use crate::track;

/// What a kept file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaType {
    Jpeg,
    Track,
}

impl MediaType {
    /// As HTTP has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Track => "application/vnd.yaoguan.track",
        }
    }
    /// The ending of a name under which a person saves it.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Track => "ygt",
        }
    }
    /// Reads [`Self::as_str`].
    pub fn from_text(text: &str) -> Option<Self> {
        [Self::Jpeg, Self::Track].into_iter().find(|of| of.as_str() == text)
    }
}

/// Why bytes are not kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    #[error("longer than {MAX_BLOB_BYTES} bytes")]
    TooLarge,
    #[error("neither a JPEG nor a track")]
    OtherContent,
    #[error("{width}×{height} pixels are too many")]
    TooManyPixels { width: u32, height: u32 },
    #[error("it breaks off or is damaged")]
    Damaged,
    #[error("other bytes follow its end")]
    TrailingBytes,
    #[error("it carries metadata (segment {0:02X})")]
    Metadata(u8),
}

/// Judges bytes by what they are.
pub fn check(bytes: &[u8]) -> Result<MediaType, Unfit> {
    if bytes.len() > MAX_BLOB_BYTES {
        return Err(Unfit::TooLarge);
    }
    match sniff(bytes) {
        Content::Jpeg => check_jpeg(bytes).map(|()| MediaType::Jpeg),
        Content::Track => {
            track::check(bytes).map(|()| MediaType::Track).map_err(|_| Unfit::Damaged)
        }
        Content::Png | Content::WebP | Content::Heic | Content::Other => Err(Unfit::OtherContent),
    }
}

fn check_jpeg(bytes: &[u8]) -> Result<(), Unfit> {
    let skeleton = jpeg::skeleton(bytes).map_err(|_| Unfit::Damaged)?;
    if skeleton.end != bytes.len() {
        return Err(Unfit::TrailingBytes);
    }
    // APP0 is JFIF, APP14 Adobe's colour transform; every other APPn, and a comment, may hold anything.
    let free = |code: &&u8| matches!(**code, 0xE1..=0xED | 0xEF | 0xFE);
    if let Some(code) = skeleton.segments.iter().find(free) {
        return Err(Unfit::Metadata(*code));
    }
    check_pixels(skeleton.width, skeleton.height)
        .map_err(|(width, height)| Unfit::TooManyPixels { width, height })
}

/// Whether a picture of this size may be decoded (three bytes a pixel).
pub(crate) fn check_pixels(width: u32, height: u32) -> Result<(), (u32, u32)> {
    // A header may claim any size.
    let bytes = u64::from(width).saturating_mul(u64::from(height)).saturating_mul(3);
    let fits = width <= MAX_SIDE_PX && height <= MAX_SIDE_PX && bytes <= MAX_DECODED_BYTES;
    fits.then_some(()).ok_or((width, height))
}
