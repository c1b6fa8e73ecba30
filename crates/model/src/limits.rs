//! Every limit of a record, named once. Limits bind writes, never merges.

/// The largest integer that every JSON reader keeps exactly: 2^53 − 1 (RFC 8785, appendix D).
pub const MAX_INTEGER: i64 = 9_007_199_254_740_991;
/// A record after a save, in canonical form.
pub const MAX_RECORD_BYTES: usize = 256 * 1024;
/// Free text, in characters.
pub const MAX_TEXT_CHARS: usize = 4_000;
/// One-line text (titles, addresses), in characters.
pub const MAX_LINE_CHARS: usize = 200;
/// Names and codes, in characters.
pub const MAX_NAME_CHARS: usize = 60;
/// Photos that a save may bring a record to.
pub const MAX_PHOTOS: usize = 64;
/// Timeline entries that a save may bring a record to.
pub const MAX_TIMELINE: usize = 256;
/// Bytes of one field path.
pub const MAX_PATH_BYTES: usize = 160;
/// Entries of a list inside one value (rings, parts of a line, template items).
pub const MAX_LIST: usize = 4_096;
