//! A picture becomes a photo that may be kept: upright, at most so large, JPEG, nothing but pixels.
//!
//! Sizes are judged before anything is decoded. What a file is, its bytes say. The output depends on the
//! input and the settings alone, so that the same picture attached twice is one file. EXIF, GPS, embedded
//! previews, comments and whatever follows the picture are not copied: only pixels are.

use std::io::Cursor;

use image::codecs::jpeg::{JpegDecoder, JpegEncoder};
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder, ImageError, Limits, RgbImage};
use yaoguan_model::BlobHash;

use crate::check::check_pixels;
use crate::jpeg;
use crate::limits::{
    MAX_DECODED_BYTES, MAX_SIDE_PX, MAX_SOURCE_BYTES, PHOTO_PX, PHOTO_QUALITY, THUMBNAIL_PX,
    THUMBNAIL_QUALITY,
};
use crate::sniff::{Content, sniff};
use crate::watermark::{self, Watermark};

/// What a person may set.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The longest side, in pixels.
    pub longest_px: u32,
    /// Burnt in only where the person asks for it.
    pub watermark: Option<Watermark>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { longest_px: PHOTO_PX, watermark: None }
    }
}

/// A JPEG and its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    pub hash: BlobHash,
    pub jpeg: Vec<u8>,
    pub width: u32,
    pub height: u32,
}

/// What is kept of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Photo {
    pub full: Picture,
    pub thumbnail: Picture,
}

/// Why a picture is not taken. Each has its own remedy, so its own words on the screen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PhotoError {
    #[error("longer than {MAX_SOURCE_BYTES} bytes")]
    TooLarge,
    #[error("HEIC pictures are not read: set the camera to JPEG (\"most compatible\")")]
    Heic,
    #[error("not a JPEG, PNG or WebP picture")]
    OtherContent,
    #[error("{width}×{height} pixels are too many")]
    TooManyPixels { width: u32, height: u32 },
    #[error("the picture breaks off or is damaged: {0}")]
    Damaged(String),
}

/// Makes a photo and its thumbnail.
pub fn prepare(bytes: &[u8], settings: &Settings) -> Result<Photo, PhotoError> {
    if bytes.len() > MAX_SOURCE_BYTES {
        return Err(PhotoError::TooLarge);
    }
    let upright = decode(bytes)?;
    let mut pixels = scaled(upright, settings.longest_px).into_rgb8();
    if let Some(watermark) = &settings.watermark {
        watermark::burn(&mut pixels, watermark);
    }
    let full = picture(&pixels, PHOTO_QUALITY)?;
    let small = scaled(DynamicImage::ImageRgb8(pixels), THUMBNAIL_PX).into_rgb8();
    Ok(Photo { full, thumbnail: picture(&small, THUMBNAIL_QUALITY)? })
}

/// The thumbnail of a photo that has none of its own.
pub fn thumbnail(bytes: &[u8]) -> Result<Picture, PhotoError> {
    picture(&scaled(decode(bytes)?, THUMBNAIL_PX).into_rgb8(), THUMBNAIL_QUALITY)
}

fn decode(bytes: &[u8]) -> Result<DynamicImage, PhotoError> {
    let source = Cursor::new(bytes);
    match sniff(bytes) {
        Content::Jpeg => {
            // The decoder fills what is missing with grey; a picture that breaks off is to be taken anew.
            let skeleton = jpeg::skeleton(bytes).map_err(|e| PhotoError::Damaged(e.to_string()))?;
            judge(skeleton.width, skeleton.height)?;
            upright(JpegDecoder::new(source).map_err(damaged)?)
        }
        Content::Png => {
            let (width, height) = png_size(bytes)?;
            judge(width, height)?;
            upright(PngDecoder::with_limits(source, limits()).map_err(damaged)?)
        }
        Content::WebP => upright(WebPDecoder::new(source).map_err(damaged)?),
        Content::Heic => Err(PhotoError::Heic),
        Content::Track | Content::Other => Err(PhotoError::OtherContent),
    }
}

fn upright(mut decoder: impl ImageDecoder) -> Result<DynamicImage, PhotoError> {
    let (width, height) = decoder.dimensions();
    judge(width, height)?;
    if decoder.total_bytes() > MAX_DECODED_BYTES {
        return Err(PhotoError::TooManyPixels { width, height });
    }
    decoder.set_limits(limits()).map_err(damaged)?;
    let orientation = decoder.orientation().map_err(damaged)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

fn judge(width: u32, height: u32) -> Result<(), PhotoError> {
    check_pixels(width, height)
        .map_err(|(width, height)| PhotoError::TooManyPixels { width, height })
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE_PX);
    limits.max_image_height = Some(MAX_SIDE_PX);
    // The picture and the decoder's own tables.
    limits.max_alloc = Some(2 * MAX_DECODED_BYTES);
    limits
}

/// Width and height of a PNG's first chunk (RFC 2083 §11.2.1).
fn png_size(bytes: &[u8]) -> Result<(u32, u32), PhotoError> {
    let number = |at: usize| bytes.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes);
    let header = bytes.get(12..16).filter(|name| *name == b"IHDR");
    let size = header.and_then(|_| Some((number(16)?, number(20)?)));
    size.ok_or_else(|| PhotoError::Damaged("no IHDR".to_owned()))
}

/// So that the longest side has at most so many pixels; never enlarged.
fn scaled(picture: DynamicImage, longest_px: u32) -> DynamicImage {
    let longest = picture.width().max(picture.height());
    if longest <= longest_px {
        picture
    } else if longest >= longest_px.saturating_mul(2) {
        // A mean over whole pixels: as good as a filter at this ratio, and without its buffers.
        picture.thumbnail(longest_px, longest_px)
    } else {
        picture.resize(longest_px, longest_px, FilterType::Triangle)
    }
}

fn picture(pixels: &RgbImage, quality: u8) -> Result<Picture, PhotoError> {
    let mut jpeg = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut jpeg, quality);
    encoder.encode_image(pixels).map_err(damaged)?;
    let (width, height) = pixels.dimensions();
    Ok(Picture { hash: BlobHash::of(&jpeg), jpeg, width, height })
}

fn damaged(error: ImageError) -> PhotoError {
    PhotoError::Damaged(error.to_string())
}
