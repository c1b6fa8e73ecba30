//! A field path names one register of a record: `title`, `photos.<sha256>`, `timeline.<uuid>`.

#[cfg(test)]
mod tests;

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::limits::MAX_PATH_BYTES;

/// The register that says a record is deleted (see [`crate::deletion`]).
pub const DELETED: &str = "$deleted";

/// A text is not a field path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a field path: letters, digits, `_`, `-`, `$`, joined by dots")]
pub struct BadPath(pub String);

/// Segments of `[A-Za-z0-9_$-]`, joined by dots. Whether a kind has the path is a question for its
/// schema: a phone keeps paths that it does not know. Clones share the text: merging copies many.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath(Arc<str>);

impl FieldPath {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A path of a flattened set: `photos` and `ab12…` become `photos.ab12…`.
    pub fn element(set: &str, key: &str) -> Result<Self, BadPath> {
        format!("{set}.{key}").parse()
    }

    /// `timeline` for `timeline.<uuid>`; the path itself when it has no dot.
    pub fn head(&self) -> &str {
        self.0.split_once('.').map_or(&self.0, |(head, _)| head)
    }

    /// What stands behind the first dot.
    pub fn key(&self) -> Option<&str> {
        self.0.split_once('.').map(|(_, key)| key)
    }

    pub fn is_deleted(&self) -> bool {
        &*self.0 == DELETED
    }
}

/// The path of [`DELETED`].
pub fn deleted() -> FieldPath {
    FieldPath(DELETED.into())
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl Borrow<str> for FieldPath {
    fn borrow(&self) -> &str {
        &self.0
    }
}
impl FromStr for FieldPath {
    type Err = BadPath;
    fn from_str(text: &str) -> Result<Self, BadPath> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'$');
        let good = text.len() <= MAX_PATH_BYTES
            && text.split('.').all(|part| !part.is_empty() && part.bytes().all(plain));
        if good { Ok(Self(text.into())) } else { Err(BadPath(text.to_owned())) }
    }
}
impl Serialize for FieldPath {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.0)
    }
}
impl<'de> Deserialize<'de> for FieldPath {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_str(PathVisitor)
    }
}

/// Takes the text where it stands: a record has many paths.
struct PathVisitor;

impl de::Visitor<'_> for PathVisitor {
    type Value = FieldPath;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field path")
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<FieldPath, E> {
        text.parse().map_err(E::custom)
    }
}
