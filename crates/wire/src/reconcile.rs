//! `POST /v1/reconcile`: finds what phone and town do not have alike, without sending either.
//!
//! Range-based set reconciliation (Meyer 2023; the protocol of crate `negentropy`) over the hashes of
//! all records in the person's scope: timestamp 0, id = SHA-256 of the record's canonical form. The
//! phone asks, the town answers from its present state and keeps nothing between two requests. What the
//! phone lacks it then asks for by hash; what the town lacks goes with the next pushes.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use yaoguan_model::ReplicaId;

use crate::opaque::Epoch;
use crate::packing::PackedRecord;
use crate::sync::Scope;

/// The hash of a record in canonical form.
pub type RecordHash = [u8; 32];

/// Hashes that one request asks for at most.
pub const MAX_WANTED: usize = 4_096;
/// A message of the set reconciliation, before base64: at most this long.
pub const MESSAGE_BYTES: usize = 128 * 1024;
/// A reconciliation that does not end after this many rounds is given up: each narrows the difference to
/// a sixteenth.
pub const MAX_ROUNDS: u32 = 64;

/// What a phone asks. Exactly one of `message` and `wanted` is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReconcileRequest {
    pub protocol: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<Epoch>,
    pub scope_version: u64,
    /// The phone's message, base64url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Hashes of records that the phone lacks, base64url each; at most [`MAX_WANTED`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wanted: Vec<String>,
}

/// What the town answers. In another epoch nothing but that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReconcileResponse {
    pub epoch: Epoch,
    /// The town's message, base64url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Where the feed goes on from the state that this was answered from.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cursor: String,
    /// The table that `records` index.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replicas: Vec<ReplicaId>,
    /// The first of the records asked for, as far as a page reaches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<PackedRecord>,
    /// How many of the hashes asked for are answered: some may be of records that have changed since or
    /// are not in scope.
    #[serde(default)]
    pub answered: usize,
    pub scope: Scope,
    /// The town's clock, in seconds.
    pub town_time: i64,
}

/// One hash over a whole scope: the first 16 bytes of SHA-256 over all record hashes in ascending order,
/// as hexadecimal.
pub fn root_of(hashes: impl IntoIterator<Item = RecordHash>) -> String {
    let mut sorted: Vec<RecordHash> = hashes.into_iter().collect();
    sorted.sort_unstable();
    let mut hasher = Sha256::new();
    for hash in &sorted {
        hasher.update(hash);
    }
    hasher.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::root_of;

    #[test]
    fn a_root_does_not_depend_on_the_order_and_notices_each_record() {
        let all = [[1; 32], [2; 32], [3; 32]];
        let backwards = [[3; 32], [2; 32], [1; 32]];
        assert_eq!(root_of(all), root_of(backwards));
        assert_ne!(root_of(all), root_of([[1; 32], [2; 32]]));
        assert_eq!(root_of(all).len(), 32);
    }
}
