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
/// Files that one request asks about.
pub const MAX_FILES_ASKED: usize = 1_000;
/// A proof's time may differ from the town's by this many seconds.
pub const PROOF_SKEW_S: i64 = 300;
/// How long an invite holds by default, in minutes.
pub const INVITE_MINUTES: i64 = 10;
/// How long an invite may hold that is bound to an account, in minutes.
pub const INVITE_MINUTES_BOUND: i64 = 72 * 60;
/// How deep lists and objects may stand in one another. A record needs 8; a parser that follows a text as
/// deep as it goes ends with its stack.
pub const MAX_JSON_DEPTH: usize = 32;
/// Names and values of one message: what is parsed costs memory by the value, not by the byte.
pub const MAX_JSON_VALUES: usize = 1 << 20;
/// What a page of records is filled to; the rest is for what stands around the records.
pub const PAGE_JSON_VALUES: usize = MAX_JSON_VALUES / 4 * 3;
/// Records in one message.
pub const MAX_RECORDS: usize = 16_384;
/// zstd's window, as a power of two: 8 MiB, what RFC 9659 allows for a content encoding.
pub const MAX_WINDOW_LOG: u32 = 23;
/// Former replica ids that one push names.
pub const MAX_FORMER: usize = 4_096;
/// A body of `POST /v1/enrol` and `POST /v1/password`.
pub const MAX_SMALL_BYTES: usize = 16 * 1024;
/// A token for tools holds this long.
pub const TOKEN_HOLDS_S: i64 = 15 * 60;
/// Tokens of one account that hold at the same time; a further one ends the oldest.
pub const MAX_TOKENS: u32 = 8;
