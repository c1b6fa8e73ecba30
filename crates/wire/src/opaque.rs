//! Sixteen random bytes with a meaning, 22 characters of base64url on the wire.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use yaoguan_model::ReplicaId;
use yaoguan_model::ids::BadId;

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
