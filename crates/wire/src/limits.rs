//! Every limit of a message, named once.

/// A body as it travels, either way.
pub const MAX_WIRE_BYTES: usize = 1024 * 1024;
/// A body after decompression, either way.
pub const MAX_DECODED_BYTES: usize = 16 * 1024 * 1024;
/// What a page of records is filled to as it travels; the rest of [`MAX_WIRE_BYTES`] is for what stands
/// around the records.
pub const PAGE_WIRE_BYTES: usize = MAX_WIRE_BYTES - 128 * 1024;
/// What a page of records is filled to before compression.
pub const PAGE_DECODED_BYTES: usize = MAX_DECODED_BYTES - 1024 * 1024;
/// Bodies under this size are sent as they are: compression would not shorten them.
pub const COMPRESS_FROM_BYTES: usize = 400;
/// zstd's level: what is gained above 3 costs a phone more time than the line.
pub const ZSTD_LEVEL: i32 = 3;
/// A body up to this size (before compression) is compressed harder: it costs milliseconds, and a usual
/// sync gets some 5 % shorter.
pub const SMALL_BODY_BYTES: usize = 64 * 1024;
/// zstd's level for small bodies.
pub const SMALL_ZSTD_LEVEL: i32 = 19;
/// Push tokens in one request: the acknowledged one and the attempts since.
pub const MAX_PUSH_TOKENS: usize = 64;
/// Held saves that one request asks about.
pub const MAX_HOLDS: usize = 256;
/// A proof's time may differ from the town's by this many seconds.
pub const PROOF_SKEW_S: i64 = 300;
/// How long an invite holds by default, in minutes.
pub const INVITE_MINUTES: i64 = 10;
/// How long an invite may hold that is bound to an account, in minutes.
pub const INVITE_MINUTES_BOUND: i64 = 72 * 60;
