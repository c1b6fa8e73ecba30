//! Drafts: what a person has typed and not yet saved. Kept from the first tap, so that killing the app
//! loses nothing; with them the siblings that were in view when the form was opened.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension};
use uuid::Uuid;
use yaoguan_model::{Dot, FieldPath, Kind, RecordId, ReplicaId, Value, VersionVector};

use crate::error::StoreError;
use crate::open::Store;
use crate::tx::{SqliteTx, id16};

/// A form that is open, or was when the app was killed.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    pub id: Uuid,
    pub kind: Kind,
    /// The record being edited; none for a new one.
    pub record: Option<RecordId>,
    /// Path → value, only what was altered; no value is a removal.
    pub values: BTreeMap<FieldPath, Option<Value>>,
    /// Path → dots in view when the form was opened.
    pub replaces: BTreeMap<FieldPath, Vec<Dot>>,
    /// The phone's clock, in milliseconds.
    pub updated_at: i64,
}

type Plain = BTreeMap<FieldPath, Vec<(ReplicaId, u64)>>;

impl SqliteTx<'_> {
    pub fn put_draft(&mut self, draft: &Draft) -> Result<(), StoreError> {
        let corrupt = |e: serde_json::Error| StoreError::Corrupt(e.to_string());
        let pair = |dot: &Dot| (dot.replica, dot.counter);
        let pairs =
            |(path, dots): (&FieldPath, &Vec<Dot>)| (path.clone(), dots.iter().map(pair).collect());
        let replaces: Plain = draft.replaces.iter().map(pairs).collect();
        self.tx
            .prepare_cached(
                "INSERT OR REPLACE INTO draft (id, kind, record, values_, replaces, updated_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute((
                draft.id.as_bytes(),
                draft.kind.as_str(),
                draft.record.as_ref().map(RecordId::as_bytes),
                serde_json::to_string(&draft.values).map_err(corrupt)?,
                serde_json::to_string(&replaces).map_err(corrupt)?,
                draft.updated_at,
            ))?;
        Ok(())
    }

    /// See [`yaoguan_sync::Tx::narrow_drafts`].
    pub(crate) fn keep_confirmed(
        &mut self,
        record: RecordId,
        confirmed: &VersionVector,
    ) -> Result<(), StoreError> {
        for mut draft in read(&self.tx, Some(record))? {
            for dots in draft.replaces.values_mut() {
                dots.retain(|dot| confirmed.covers_dot(*dot));
            }
            self.put_draft(&draft)?;
        }
        Ok(())
    }

    /// The form was saved or thrown away.
    pub fn remove_draft(&mut self, id: Uuid) -> Result<(), StoreError> {
        self.tx.prepare_cached("DELETE FROM draft WHERE id = ?1")?.execute([id.as_bytes()])?;
        Ok(())
    }
}

impl Store {
    /// The forms that are open, latest first.
    pub fn drafts(&self) -> Result<Vec<Draft>, StoreError> {
        read(&self.connection, None)
    }

    /// One form that is open.
    pub fn draft(&self, id: Uuid) -> Result<Option<Draft>, StoreError> {
        Ok(self.drafts()?.into_iter().find(|draft| draft.id == id))
    }

    /// Whether a draft is still open.
    pub fn has_draft(&self, id: Uuid) -> Result<bool, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT 1 FROM draft WHERE id = ?1")?;
        Ok(statement.query_row([id.as_bytes()], |_| Ok(())).optional()?.is_some())
    }
}

/// Drafts, latest first; of one record or of all.
fn read(connection: &Connection, record: Option<RecordId>) -> Result<Vec<Draft>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, kind, record, values_, replaces, updated_at FROM draft \
             WHERE ?1 IS NULL OR record = ?1 ORDER BY updated_at DESC, id",
    )?;
    let rows = statement.query_map([record.as_ref().map(RecordId::as_bytes)], |row| {
        Ok((
            Uuid::from_bytes(id16(row, "id")?),
            row.get::<_, String>("kind")?,
            row.get::<_, Option<[u8; 16]>>("record")?,
            row.get::<_, String>("values_")?,
            row.get::<_, String>("replaces")?,
            row.get::<_, i64>("updated_at")?,
        ))
    })?;
    let corrupt = |e: serde_json::Error| StoreError::Corrupt(format!("draft: {e}"));
    let mut drafts = Vec::new();
    for row in rows {
        let (id, kind, record, values, replaces, updated_at) = row?;
        let replaces: Plain = serde_json::from_str(&replaces).map_err(corrupt)?;
        let dots =
            |list: Vec<(ReplicaId, u64)>| list.into_iter().map(|(r, c)| Dot::new(r, c)).collect();
        drafts.push(Draft {
            id,
            kind: kind.parse().unwrap_or_else(|never| match never {}),
            record: record.map(RecordId::from_bytes),
            values: serde_json::from_str(&values).map_err(corrupt)?,
            replaces: replaces.into_iter().map(|(path, list)| (path, dots(list))).collect(),
            updated_at,
        });
    }
    Ok(drafts)
}
