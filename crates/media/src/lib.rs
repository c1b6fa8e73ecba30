//! Photos, tracks, and files at rest (docs/MEDIA.md has the formats byte by byte).
//!
//! Bytes in, bytes out; no SQL, no HTTP, no clock. [`photo`] makes what a camera gave into what may be
//! kept: small, upright, without EXIF. [`track`] holds every fix of a patrol. [`seal`] encrypts a file so that
//! any part of it can be read by itself. [`pmtiles`] reads maps. [`check()`] is what the town asks of bytes before it keeps them.

pub mod check;
mod font;
pub mod jpeg;
pub mod limits;
pub mod photo;
pub mod pmtiles;
pub mod seal;
pub mod sniff;
pub mod track;
mod varint;
pub mod watermark;

pub use check::{MediaType, Unfit, check};
pub use photo::{Photo, PhotoError, Picture, Settings, prepare, thumbnail};
pub use seal::{Purpose, SealError, SealKey, Sealed};
pub use watermark::Watermark;
