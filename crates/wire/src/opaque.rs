//! Sixteen random bytes with a meaning, 22 characters of base64url on the wire.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use yaoguan_model::ids::BadId;
use yaoguan_model::{Changes, RecordId, ReplicaId};

macro_rules! opaque {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(ReplicaId);

        impl $name {
            pub fn new(bytes: [u8; 16]) -> Self {
                Self(ReplicaId(bytes))
            }
            pub fn as_bytes(&self) -> &[u8; 16] {
                &self.0.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                text.parse().map(Self)
            }
        }
    };
}

opaque!(
    /// A stretch of the town's own history; a restored town has another (sync.md, *Who writes*).
    Epoch
);
opaque!(
    /// A link of the push chain.
    PushToken
);
opaque!(
    /// A held save: the same save held twice has the same id (see [`HoldId::of`]).
    HoldId
);

impl HoldId {
    /// The first half of SHA-256 over the record's id and the dots that the save added and removed.
    pub fn of(record: RecordId, changes: &Changes) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(record.as_bytes());
        for change in changes.paths.values() {
            let added = change.added.iter().map(|sibling| sibling.dot);
            for (mark, dot) in
                added.map(|dot| (b'+', dot)).chain(change.removed.iter().map(|dot| (b'-', *dot)))
            {
                hasher.update([mark]);
                hasher.update(dot.replica.0);
                hasher.update(dot.counter.to_be_bytes());
            }
        }
        let mut id = [0; 16];
        for (byte, hashed) in id.iter_mut().zip(hasher.finalize()) {
            *byte = hashed;
        }
        Self::new(id)
    }
}
