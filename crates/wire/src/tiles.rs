//! `GET /v1/tiles`: the map that the town has for its phones.

use serde::{Deserialize, Serialize};
use yaoguan_model::BlobHash;

/// What a phone has to know before it fetches the file. Later fields are passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TilesNews {
    pub hash: BlobHash,
    /// Bytes.
    pub size: u64,
    /// West, south, east, north: WGS-84 in 1e-7 degrees.
    pub bounds: [i64; 4],
}
