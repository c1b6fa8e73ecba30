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

use serde::{Deserialize, Deserializer, Serialize, de};
use sha2::{Digest, Sha256};

use crate::dot::Dot;
use crate::ids::{AccountId, RecordId, ReplicaId};
use crate::kind::Kind;
use crate::limits::MAX_INTEGER;
use crate::path::{BadPath, FieldPath};
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

/// Reads `writes`; a path that stands twice in one save is refused, as a key twice in a value is: two
/// readers might keep different ones.
fn writes<'de, D: Deserializer<'de>, R: Deserialize<'de>>(d: D) -> Result<Writes<R>, D::Error> {
    let writes = Vec::<(R, u64, Value)>::deserialize(d)?;
    let paths = |value: Value| {
        let Value::Map(map) = value else {
            return Err(de::Error::custom("the fields of a save are not an object"));
        };
        let parsed = |(path, value): (String, Value)| Ok((path.parse()?, value));
        map.into_iter().map(parsed).collect::<Result<_, BadPath>>().map_err(de::Error::custom)
    };
    writes.into_iter().map(|(replica, counter, map)| Ok((replica, counter, paths(map)?))).collect()
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

/// Packs a record; `name` says how a replica is written.
pub fn pack<R: Ord>(record: &Record, mut name: impl FnMut(ReplicaId) -> R) -> Packed<R> {
    let mut writes: Vec<(Dot, BTreeMap<FieldPath, Value>)> = Vec::new();
    for (path, siblings) in &record.fields {
        for Sibling { dot, value } in siblings {
            // A dot that stands for two values on one path (an alarm, see merge) opens a second group.
            let group =
                writes.iter_mut().find(|(d, paths)| d == dot && !paths.contains_key(path.as_str()));
            match group {
                Some((_, paths)) => _ = paths.insert(path.clone(), value.clone()),
                None => writes.push((*dot, BTreeMap::from([(path.clone(), value.clone())]))),
            }
        }
    }
    writes.sort();
    Packed {
        context: record.context.iter().map(|dot| (name(dot.replica), dot.counter)).collect(),
        created_by: record.created_by,
        id: record.id,
        kind: record.kind.clone(),
        writes: writes
            .into_iter()
            .map(|(dot, paths)| (name(dot.replica), dot.counter, paths))
            .collect(),
    }
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

/// The canonical bytes.
pub fn encode(record: &Record) -> Vec<u8> {
    // Serialising plain maps and integers into memory has no failing case.
    serde_json::to_vec(&pack(record, |replica| replica)).unwrap_or_default()
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
