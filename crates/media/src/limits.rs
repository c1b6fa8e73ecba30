//! Every limit of photos and tracks, named once.

/// A picture as it comes from a camera or a gallery.
pub const MAX_SOURCE_BYTES: usize = 64 * 1024 * 1024;
/// One side of a picture, in pixels.
pub const MAX_SIDE_PX: u32 = 8_192;
/// A picture once decoded.
pub const MAX_DECODED_BYTES: u64 = 64 * 1024 * 1024;
/// The longest side of a photo that is kept, in pixels, unless the person wants larger ones.
pub const PHOTO_PX: u32 = 1_600;
/// The same for a person who wants larger ones.
pub const LARGE_PHOTO_PX: u32 = 2_400;
/// JPEG quality of a photo.
pub const PHOTO_QUALITY: u8 = 80;
/// The longest side of a thumbnail, in pixels.
pub const THUMBNAIL_PX: u32 = 320;
/// JPEG quality of a thumbnail.
pub const THUMBNAIL_QUALITY: u8 = 70;
/// A file that travels: a photo, a thumbnail, a track.
pub const MAX_BLOB_BYTES: usize = 16 * 1024 * 1024;
/// Fixes of one track: five days at one a second. Read as a whole they take some 40 MB.
pub const MAX_FIXES: usize = 500_000;
/// A track once unpacked; a fix takes 53 bytes at the very most.
pub const MAX_TRACK_BYTES: u64 = 53 * MAX_FIXES as u64;
