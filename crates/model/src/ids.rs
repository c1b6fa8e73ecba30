//! Typed identifiers. None is derived from a device, a person or a place, except the grid code,
//! which is the town's own public numbering.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

/// A text is not an id of the wanted sort.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {expected}")]
pub struct BadId {
    pub text: String,
    pub expected: &'static str,
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// The 16 bytes, as they stand in a database.
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
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
                Uuid::try_parse(text)
                    .map(Self)
                    .map_err(|_| BadId { text: text.to_owned(), expected: $what })
            }
        }
    };
}

uuid_id!(
    /// A record, for ever and everywhere (uuid v7, made on the phone that first saved it).
    RecordId,
    "record id (uuid)"
);
uuid_id!(
    /// An account of a person. Several phones may hold it.
    AccountId,
    "account id (uuid)"
);
uuid_id!(
    /// An enrolled device with its own P-256 key.
    DeviceId,
    "device id (uuid)"
);

/// One line of writes: 128 random bits, never derived from device or person (sync.md, *Who writes*).
///
/// In JSON: 22 characters of base64url without padding.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplicaId(pub [u8; 16]);

impl fmt::Display for ReplicaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut buffer = [0_u8; 22];
        let written = B64.encode_slice(self.0, &mut buffer).map_err(|_| fmt::Error)?;
        let text = buffer.get(..written).and_then(|b| std::str::from_utf8(b).ok());
        f.write_str(text.ok_or(fmt::Error)?)
    }
}
impl fmt::Debug for ReplicaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl FromStr for ReplicaId {
    type Err = BadId;
    fn from_str(text: &str) -> Result<Self, BadId> {
        let mut bytes = [0_u8; 16];
        match B64.decode_slice(text, &mut bytes) {
            Ok(16) => Ok(Self(bytes)),
            Ok(_) | Err(_) => {
                Err(BadId { text: text.to_owned(), expected: "replica id (22 characters)" })
            }
        }
    }
}
impl Serialize for ReplicaId {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for ReplicaId {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// A grid: the village's statistical code (12 digits) and 3 digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct GridCode(String);

impl GridCode {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl fmt::Display for GridCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for GridCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl FromStr for GridCode {
    type Err = BadId;
    fn from_str(text: &str) -> Result<Self, BadId> {
        if text.len() == 15 && text.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadId { text: text.to_owned(), expected: "grid code (15 digits)" })
        }
    }
}
impl<'de> Deserialize<'de> for GridCode {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(de::Error::custom)
    }
}
