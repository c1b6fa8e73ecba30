//! Records on the wire: packed, with indexes in place of replica ids.

use std::collections::HashMap;

use yaoguan_model::canonical::{self, BadRecord, Packed};
use yaoguan_model::{Dot, Record, ReplicaId, VersionVector};

/// A record as it travels.
pub type PackedRecord = Packed<u32>;
/// A context as it travels.
pub type PackedContext = Vec<(u32, u64)>;

/// The table of one message, while it is written.
#[derive(Debug, Default)]
pub struct ReplicaTable {
    ids: Vec<ReplicaId>,
    index: HashMap<ReplicaId, u32>,
}

impl ReplicaTable {
    pub fn index(&mut self, replica: ReplicaId) -> u32 {
        *self.index.entry(replica).or_insert_with(|| {
            self.ids.push(replica);
            u32::try_from(self.ids.len() - 1).unwrap_or(u32::MAX)
        })
    }

    pub fn pack(&mut self, record: &Record) -> PackedRecord {
        self.pack_owned(record.clone())
    }

    /// Packs a record that is not needed any more: a page has thousands.
    pub fn pack_owned(&mut self, record: Record) -> PackedRecord {
        canonical::pack(record, |replica| self.index(replica))
    }

    pub fn pack_context(&mut self, context: &VersionVector) -> PackedContext {
        context.iter().map(|dot| (self.index(dot.replica), dot.counter)).collect()
    }

    pub fn into_ids(self) -> Vec<ReplicaId> {
        self.ids
    }
}

/// Unpacks a record with the table of its message.
pub fn unpack(table: &[ReplicaId], record: PackedRecord) -> Result<Record, BadRecord> {
    canonical::unpack(record, |index| table.get(index as usize).copied())
}

/// Unpacks a context; `None` when an index is outside the table.
pub fn unpack_context(table: &[ReplicaId], context: &PackedContext) -> Option<VersionVector> {
    let dot = |(index, counter): &(u32, u64)| {
        table.get(*index as usize).map(|replica| Dot::new(*replica, *counter))
    };
    context.iter().map(dot).collect()
}
