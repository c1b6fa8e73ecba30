//! The canonical form of a record: RFC 8785 JSON, the bytes that are stored and hashed.
//!
//! ```json
//! {"context":[[replica,counter],…],"created_by":…,"id":…,"kind":…,
//!  "writes":[[replica,counter,{path:value,…}],…]}
//! ```
//! `context` stands in the order of replica bytes, `writes` (the siblings, gathered by the save that
//! wrote them) in dot order. The wire has the same shape with indexes in place of replica ids.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::dot::Dot;
use crate::ids::{AccountId, RecordId, ReplicaId};
use crate::kind::Kind;
use crate::limits::MAX_INTEGER;
use crate::path::FieldPath;
use crate::record::{Record, Sibling};
use crate::value::Value;
use crate::version_vector::VersionVector;

/// A record with replicas named by `R`: the id itself (stored) or an index (on the wire).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "R: Deserialize<'de>"))]
pub struct Packed<R> {
    pub context: Vec<(R, u64)>,
    pub created_by: AccountId,
    pub id: RecordId,
    pub kind: Kind,
    #[serde(deserialize_with = "writes")]
    pub writes: Writes<R>,
}

/// Replica, counter and fields of each save.
pub type Writes<R> = Vec<(R, u64, BTreeMap<FieldPath, Value>)>;

fn writes<'de, D: Deserializer<'de>, R: Deserialize<'de>>(d: D) -> Result<Writes<R>, D::Error> {
    let writes = Vec::<(R, u64, Paths)>::deserialize(d)?;
    Ok(writes.into_iter().map(|(replica, counter, paths)| (replica, counter, paths.0)).collect())
}

/// The fields of a save while it is read; a path that stands twice is refused, as a key twice in a value is:
/// two readers might keep different ones.
struct Paths(BTreeMap<FieldPath, Value>);

impl<'de> Deserialize<'de> for Paths {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_map(PathsVisitor)
    }
}

struct PathsVisitor;

impl<'de> Visitor<'de> for PathsVisitor {
    type Value = Paths;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the fields of a save: an object")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Paths, A::Error> {
        let mut paths = BTreeMap::new();
        while let Some((path, value)) = access.next_entry::<FieldPath, Value>()? {
            if paths.insert(path, value).is_some() {
                return Err(de::Error::custom("a path stands twice in one save"));
            }
        }
        Ok(Paths(paths))
    }
}

/// Bytes that are not a record.
#[derive(Debug, thiserror::Error)]
pub enum BadRecord {
    #[error("not the JSON of a record: {0}")]
    Json(#[from] serde_json::Error),
    #[error("a counter is 0 or above 2^53 − 1")]
    Counter,
    #[error("a sibling's dot is not covered by the context")]
    NotCovered,
    #[error("a replica index is outside the table")]
    ReplicaIndex,
}

/// Siblings in the order of their paths, gathered by the save that wrote them, in dot order.
fn saves<P: Ord, V: Ord>(siblings: impl Iterator<Item = (Dot, P, V)>) -> Vec<(Dot, Vec<(P, V)>)> {
    let mut saves: Vec<(Dot, Vec<(P, V)>)> = Vec::new();
    for (dot, path, value) in siblings {
        // A dot that stands for two values on one path (an alarm, see merge) opens a second group.
        // Paths come in order: only the last one of a group can be this one.
        let other = |fields: &[(P, V)]| fields.last().is_none_or(|(last, _)| *last != path);
        match saves.iter_mut().find(|(d, fields)| *d == dot && other(fields)) {
            Some((_, fields)) => fields.push((path, value)),
            None => saves.push((dot, vec![(path, value)])),
        }
    }
    saves.sort();
    saves
}

/// Packs a record; `name` says how a replica is written.
pub fn pack<R>(record: Record, mut name: impl FnMut(ReplicaId) -> R) -> Packed<R> {
    let Record { id, kind, created_by, context, fields } = record;
    let siblings = fields.into_iter().flat_map(|(path, siblings)| {
        siblings.into_iter().map(move |Sibling { dot, value }| (dot, path.clone(), value))
    });
    let context = context.iter().map(|dot| (name(dot.replica), dot.counter)).collect();
    let writes = saves(siblings)
        .into_iter()
        .map(|(dot, fields)| (name(dot.replica), dot.counter, fields.into_iter().collect()))
        .collect();
    Packed { context, created_by, id, kind, writes }
}

/// Unpacks a record and checks its invariants; `find` turns a written replica into its id.
pub fn unpack<R>(
    packed: Packed<R>,
    mut find: impl FnMut(R) -> Option<ReplicaId>,
) -> Result<Record, BadRecord> {
    let mut dot = |replica: R, counter: u64| {
        let replica = find(replica).ok_or(BadRecord::ReplicaIndex)?;
        let fits = counter > 0 && counter <= MAX_INTEGER.unsigned_abs();
        if fits { Ok(Dot::new(replica, counter)) } else { Err(BadRecord::Counter) }
    };
    let mut context = VersionVector::new();
    for (replica, counter) in packed.context {
        context.join_dot(dot(replica, counter)?);
    }
    let mut record = Record::new(packed.id, packed.kind, packed.created_by);
    for (replica, counter, paths) in packed.writes {
        let dot = dot(replica, counter)?;
        for (path, value) in paths {
            record.fields.entry(path).or_default().push(Sibling { dot, value });
        }
    }
    for siblings in record.fields.values_mut() {
        siblings.sort();
        siblings.dedup();
    }
    record.context = context;
    if record.is_covered() { Ok(record) } else { Err(BadRecord::NotCovered) }
}

/// The shape of [`Packed`], written from the record itself.
#[derive(Serialize)]
struct Canonical<'a> {
    context: Vec<(ReplicaId, u64)>,
    created_by: AccountId,
    id: RecordId,
    kind: &'a Kind,
    writes: Vec<(ReplicaId, u64, Save<'a>)>,
}

/// The fields of a save as an object.
struct Save<'a>(Vec<(&'a FieldPath, &'a Value)>);

impl Serialize for Save<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_map(self.0.iter().copied())
    }
}

/// The canonical bytes.
pub fn encode(record: &Record) -> Vec<u8> {
    let siblings = record.fields.iter().flat_map(|(path, siblings)| {
        siblings.iter().map(move |sibling| (sibling.dot, path, &sibling.value))
    });
    let canonical = Canonical {
        context: record.context.iter().map(|dot| (dot.replica, dot.counter)).collect(),
        created_by: record.created_by,
        id: record.id,
        kind: &record.kind,
        writes: saves(siblings)
            .into_iter()
            .map(|(dot, fields)| (dot.replica, dot.counter, Save(fields)))
            .collect(),
    };
    // Serialising plain maps and integers into memory has no failing case.
    serde_json::to_vec(&canonical).unwrap_or_default()
}

/// Reads canonical bytes.
pub fn decode(bytes: &[u8]) -> Result<Record, BadRecord> {
    unpack(serde_json::from_slice::<Packed<ReplicaId>>(bytes)?, Some)
}

/// SHA-256 of canonical bytes: what reconciliation and `verify` compare.
pub fn hash(canonical: &[u8]) -> [u8; 32] {
    Sha256::digest(canonical).into()
}

/// What people and programs compare to see that two stores have the same record: its hash, 64 hexadecimal digits.
pub fn fingerprint(record: &Record) -> String {
    hash(&encode(record)).iter().map(|byte| format!("{byte:02x}")).collect()
}
