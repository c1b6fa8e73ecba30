//! Files beside records: named by the SHA-256 of their bytes, and referred to from registers.
//!
//! What refers to a file is read off the schema: the key of `photos.*` and every value of the shape
//! [`Shape::Hash`]. A kind that gets such a field later needs nothing here.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};

use crate::changes::Changes;
use crate::ids::BadId;
use crate::kind::Kind;
use crate::path::FieldPath;
use crate::record::Record;
use crate::schema::{self, Shape};
use crate::value::Value;

/// The set of a record's photos; the key of an element is the photo's [`BlobHash`].
pub const PHOTOS: &str = "photos";

/// The name of a file: SHA-256 of its bytes, 64 lower-case hexadecimal digits as text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobHash(pub [u8; 32]);

impl BlobHash {
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl fmt::Display for BlobHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
impl fmt::Debug for BlobHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl FromStr for BlobHash {
    type Err = BadId;
    fn from_str(text: &str) -> Result<Self, BadId> {
        let bad = || BadId { text: text.to_owned(), expected: "SHA-256 (64 hexadecimal digits)" };
        if !schema::is_hash(text) {
            return Err(bad());
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| bad())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| bad())?;
        }
        Ok(Self(bytes))
    }
}
impl Serialize for BlobHash {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for BlobHash {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(de::Error::custom)
    }
}

/// Every file that a record refers to, over all its siblings.
pub fn references(record: &Record) -> BTreeSet<BlobHash> {
    let siblings =
        record.fields.iter().flat_map(|(path, list)| list.iter().map(move |s| (path, s)));
    references_of_values(&record.kind, siblings.map(|(path, sibling)| (path, &sibling.value)))
}

/// Every file that a save kept apart would refer to.
pub fn references_of_changes(kind: &Kind, changes: &Changes) -> BTreeSet<BlobHash> {
    let added = changes.paths.iter().flat_map(|(path, c)| c.added.iter().map(move |s| (path, s)));
    references_of_values(kind, added.map(|(path, sibling)| (path, &sibling.value)))
}

/// Every file that these values of a kind refer to.
pub fn references_of_values<'a>(
    kind: &Kind,
    values: impl Iterator<Item = (&'a FieldPath, &'a Value)>,
) -> BTreeSet<BlobHash> {
    let mut found = BTreeSet::new();
    values.for_each(|(path, value)| collect(kind, path, value, &mut found));
    found
}

fn collect(kind: &Kind, path: &FieldPath, value: &Value, found: &mut BTreeSet<BlobHash>) {
    if path.head() == PHOTOS {
        found.extend(path.key().and_then(|key| key.parse::<BlobHash>().ok()));
    }
    if let Some(line) = kind.spec().and_then(|spec| spec.find(path.as_str())) {
        of_value(line.shape, value, found);
    }
}

fn of_value(shape: Shape, value: &Value, found: &mut BTreeSet<BlobHash>) {
    match shape {
        Shape::Hash => found.extend(value.as_text().and_then(|text| text.parse::<BlobHash>().ok())),
        Shape::List(of) => {
            value.as_list().unwrap_or_default().iter().for_each(|v| of_value(*of, v, found));
        }
        Shape::Object(entries) => {
            for entry in entries {
                if let Some(inner) = value.get(entry.name) {
                    of_value(entry.shape, inner, found);
                }
            }
        }
        Shape::Word(_)
        | Shape::Text
        | Shape::Line
        | Shape::Name
        | Shape::Int { .. }
        | Shape::Bool
        | Shape::Time
        | Shape::Date
        | Shape::Position
        | Shape::Grid
        | Shape::Record
        | Shape::Account
        | Shape::Context => {}
    }
}

#[cfg(test)]
mod tests;
