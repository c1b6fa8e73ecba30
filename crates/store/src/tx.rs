//! One transaction on the phone's file.

use rusqlite::{OptionalExtension, Row, Transaction};
use yaoguan_model::authorise::Actor;
use yaoguan_model::{Alarm, GridCode, Record, RecordId, ReplicaId, Role, VersionVector, canonical};
use yaoguan_sync::{Local, Quarantined, Returned, SyncState, Tx, Unsent};
use yaoguan_wire::reconcile::RecordHash;
use yaoguan_wire::{Epoch, HoldId, PushToken};

use crate::error::StoreError;
use crate::identity::Identity;
use crate::projection::{self, Was, Words};

/// One transaction; rolled back unless committed.
pub struct SqliteTx<'a> {
    pub(crate) tx: Transaction<'a>,
    /// A record left the phone: nothing of it is to be found in the file afterwards.
    has_removed: bool,
    words: Words,
}

impl<'a> SqliteTx<'a> {
    pub(crate) fn new(tx: Transaction<'a>) -> Self {
        Self { tx, has_removed: false, words: Words::default() }
    }

    /// True when a record left the phone.
    pub(crate) fn commit(mut self) -> Result<bool, StoreError> {
        self.words.write(&self.tx)?;
        if self.has_removed {
            projection::forget(&self.tx)?;
        }
        self.tx.commit()?;
        Ok(self.has_removed)
    }

    /// Keeps a file by its SHA-256.
    pub fn put_blob(&mut self, media_type: &str, bytes: &[u8]) -> Result<[u8; 32], StoreError> {
        let hash = canonical::hash(bytes);
        let sql = "INSERT OR IGNORE INTO blob (hash, type, bytes) VALUES (?1, ?2, ?3)";
        self.tx.prepare_cached(sql)?.execute((hash, media_type, bytes))?;
        Ok(hash)
    }

    /// Names this installation anew; the marker outside names it too.
    pub fn set_install_id(&mut self, install: [u8; 16]) -> Result<(), StoreError> {
        self.tx.execute("UPDATE phone SET install_id = ?1", [install])?;
        Ok(())
    }

    fn seq(&self, id: RecordId) -> Result<Option<i64>, StoreError> {
        let mut statement = self.tx.prepare_cached("SELECT seq FROM record WHERE id = ?1")?;
        Ok(statement.query_row([id.as_bytes()], |row| row.get("seq")).optional()?)
    }

    /// A record that this phone has not: nothing hangs on it yet that would have to go first.
    fn put_new(&mut self, local: &Local, body: &[u8], hash: [u8; 32]) -> Result<(), StoreError> {
        let record = &local.record;
        let sql = "INSERT INTO record (id, kind, body, hash, confirmed_at) \
             VALUES (?1, ?2, ?3, ?4, coalesce((SELECT last_contact_s FROM phone), 0))";
        let row = (record.id.as_bytes(), record.kind.as_str(), body, hash);
        let seq = self.tx.prepare_cached(sql)?.insert(row)?;
        projection::write(&self.tx, seq, record, Was::Missing, &mut self.words)?;
        self.drop_stub(record.id)?;
        self.write_unsent(seq, local, Was::Missing)
    }

    fn write_unsent(&self, seq: i64, local: &Local, was: Was) -> Result<(), StoreError> {
        let base = local.unsent.as_ref().and_then(|unsent| unsent.base.as_ref());
        crate::media::refer(&self.tx, seq, [base, Some(&local.record)], was)?;
        let Some(unsent) = &local.unsent else {
            return if was == Was::There { self.confirm(seq) } else { Ok(()) };
        };
        let base = unsent.base.as_ref().map(canonical::encode);
        // The state as sent is almost always the record itself; then it is not stored twice.
        let sent = unsent
            .sent
            .as_ref()
            .map(|sent| if *sent == local.record { Vec::new() } else { canonical::encode(sent) });
        let mut statement = self.tx.prepare_cached(
            "INSERT INTO unsent (record, since, base, sent, parked) \
             VALUES (?1, (SELECT counter FROM phone), ?2, ?3, ?4) ON CONFLICT (record) DO UPDATE \
             SET base = excluded.base, sent = excluded.sent, parked = excluded.parked",
        )?;
        statement.execute((seq, base, sent, unsent.parked))?;
        Ok(())
    }

    /// Nothing of it waits any more.
    fn confirm(&self, seq: i64) -> Result<(), StoreError> {
        let mut statement = self.tx.prepare_cached("DELETE FROM unsent WHERE record = ?1")?;
        if statement.execute([seq])? > 0 {
            // All of it is confirmed now.
            let sql = "UPDATE record SET confirmed_at = \
                coalesce((SELECT last_contact_s FROM phone), 0) WHERE seq = ?1";
            self.tx.prepare_cached(sql)?.execute([seq])?;
        }
        Ok(())
    }
}

/// Sixteen bytes of a column.
pub(crate) fn id16(row: &Row<'_>, column: &str) -> rusqlite::Result<[u8; 16]> {
    row.get(column)
}

impl Tx for SqliteTx<'_> {
    type Error = StoreError;

    fn state(&mut self) -> Result<SyncState, StoreError> {
        read_state(&self.tx)
    }

    fn set_state(&mut self, state: &SyncState) -> Result<(), StoreError> {
        let attempts: Vec<u8> = state.attempts.iter().flat_map(|t| *t.as_bytes()).collect();
        let mut statement = self.tx.prepare_cached(
            "UPDATE phone SET replica = ?1, counter = ?2, epoch = ?3, cursor = ?4, \
             scope_version = ?5, acked = ?6, attempts = ?7, attempt_counter = ?8, \
             clock_offset_s = ?9, last_contact_s = ?10, reconcile = ?11, evict_owed = ?12, \
             returned = ?13",
        )?;
        let returned = state.returned.map(|returned| match returned {
            Returned::Asking { former, last_push } => {
                former.0.into_iter().chain(*last_push.as_bytes()).collect()
            }
            Returned::Known => Vec::new(),
        });
        statement.execute((
            state.replica.0,
            state.counter,
            state.epoch.map(|epoch| *epoch.as_bytes()),
            &state.cursor,
            state.scope_version,
            state.acked.map(|token| *token.as_bytes()),
            attempts,
            state.attempt_counter,
            state.clock_offset_s,
            state.last_contact_s,
            state.reconcile,
            state.evict_owed,
            returned,
        ))?;
        Ok(())
    }

    fn load(&mut self, id: RecordId) -> Result<Option<Local>, StoreError> {
        // Two steps by key: SQLite would prepare the two tables joined anew for each record.
        let mut statement = self.tx.prepare_cached("SELECT seq, body FROM record WHERE id = ?1")?;
        let found = statement
            .query_row([id.as_bytes()], |row| {
                Ok((row.get::<_, i64>("seq")?, canonical::decode(row.get_ref("body")?.as_blob()?)))
            })
            .optional()?;
        let Some((seq, record)) = found else { return Ok(None) };
        let record = record?;
        let mut statement =
            self.tx.prepare_cached("SELECT base, sent, parked FROM unsent WHERE record = ?1")?;
        let unsent = statement
            .query_row([seq], |row| {
                let base: Option<Vec<u8>> = row.get("base")?;
                let sent: Option<Vec<u8>> = row.get("sent")?;
                Ok((base, sent, row.get("parked")?))
            })
            .optional()?;
        let Some((base, sent, parked)) = unsent else {
            return Ok(Some(Local::confirmed(record)));
        };
        let base = base.map(|bytes| canonical::decode(&bytes)).transpose()?;
        let sent = match sent {
            Some(bytes) if bytes.is_empty() => Some(record.clone()),
            Some(bytes) => Some(canonical::decode(&bytes)?),
            None => None,
        };
        Ok(Some(Local { record, unsent: Some(Unsent { base, sent, parked }) }))
    }

    fn put(&mut self, local: &Local) -> Result<(), StoreError> {
        let body = canonical::encode(&local.record);
        let hash = canonical::hash(&body);
        let record = &local.record;
        let Some(seq) = self.seq(record.id)? else {
            return self.put_new(local, &body, hash);
        };
        let sql = "UPDATE record SET body = ?2, hash = ?3, \
             confirmed_at = coalesce((SELECT last_contact_s FROM phone), 0) WHERE seq = ?1";
        self.tx.prepare_cached(sql)?.execute((seq, &body, hash))?;
        projection::write(&self.tx, seq, record, Was::There, &mut self.words)?;
        self.write_unsent(seq, local, Was::There)
    }

    fn put_unsent(&mut self, local: &Local) -> Result<(), StoreError> {
        match self.seq(local.record.id)? {
            Some(seq) => self.write_unsent(seq, local, Was::There),
            None => self.put(local),
        }
    }

    fn remove(&mut self, id: RecordId) -> Result<(), StoreError> {
        let Some(seq) = self.seq(id)? else { return Ok(()) };
        self.words.forget(seq);
        projection::erase(&self.tx, seq)?;
        self.withdraw_offer(id)?;
        let mut statement = self.tx.prepare_cached("DELETE FROM record WHERE seq = ?1")?;
        statement.execute([seq])?;
        drop(statement);
        self.has_removed = true;
        Ok(())
    }

    fn outbox(&mut self) -> Result<Vec<RecordId>, StoreError> {
        let mut statement = self.tx.prepare_cached(
            "SELECT record.id FROM unsent JOIN record ON record.seq = unsent.record \
             WHERE NOT unsent.parked ORDER BY unsent.since, unsent.record",
        )?;
        let ids = statement.query_map([], record_id)?;
        Ok(ids.collect::<Result<_, _>>()?)
    }

    fn unsent(&mut self) -> Result<Vec<RecordId>, StoreError> {
        let mut statement = self.tx.prepare_cached(
            "SELECT record.id FROM unsent JOIN record ON record.seq = unsent.record \
             ORDER BY unsent.since, unsent.record",
        )?;
        let ids = statement.query_map([], record_id)?;
        Ok(ids.collect::<Result<_, _>>()?)
    }

    fn unsent_count(&mut self) -> Result<u64, StoreError> {
        Ok(self.tx.query_row("SELECT count(*) AS n FROM unsent", [], |row| row.get("n"))?)
    }

    fn narrow_drafts(
        &mut self,
        record: RecordId,
        confirmed: &VersionVector,
    ) -> Result<(), StoreError> {
        self.keep_confirmed(record, confirmed)
    }

    fn quarantine(&mut self, save: &Quarantined) -> Result<(), StoreError> {
        crate::quarantine::insert(&self.tx, save)
    }

    fn holds(&mut self, limit: usize) -> Result<Vec<HoldId>, StoreError> {
        crate::quarantine::holds(&self.tx, limit)
    }

    fn take_hold(&mut self, hold: HoldId) -> Result<Vec<Quarantined>, StoreError> {
        crate::quarantine::take_hold(&self.tx, hold)
    }

    fn note_former(&mut self, replica: ReplicaId) -> Result<(), StoreError> {
        let sql = "INSERT OR IGNORE INTO former_replica (id) VALUES (?1)";
        self.tx.prepare_cached(sql)?.execute([replica.0])?;
        Ok(())
    }

    fn is_former(&mut self, replica: ReplicaId) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM former_replica WHERE id = ?1";
        Ok(self.tx.prepare_cached(sql)?.exists([replica.0])?)
    }

    fn person(&mut self) -> Result<Option<Actor>, StoreError> {
        Ok(self.identity()?.map(|identity| identity.actor()))
    }

    fn set_scope(&mut self, role: Role, grids: &[GridCode]) -> Result<(), StoreError> {
        if let Some(identity) = self.identity()? {
            self.set_identity(&Identity { role, grids: grids.to_vec(), ..identity })?;
        }
        Ok(())
    }

    fn ids(&mut self) -> Result<Vec<RecordId>, StoreError> {
        let mut statement = self.tx.prepare_cached("SELECT id FROM record ORDER BY seq")?;
        let ids = statement.query_map([], record_id)?;
        Ok(ids.collect::<Result<_, _>>()?)
    }

    fn hashes(&mut self) -> Result<Vec<(RecordHash, RecordId)>, StoreError> {
        // The confirmed state: the record itself, else its base; a record without either has none.
        let mut statement = self.tx.prepare_cached(
            "SELECT record.id, record.hash, unsent.record IS NOT NULL AS is_unsent, unsent.base \
             FROM record LEFT JOIN unsent ON unsent.record = record.seq \
             UNION ALL SELECT id, hash, 0, NULL FROM stub",
        )?;
        let mut rows = statement.query([])?;
        let mut hashes = Vec::new();
        while let Some(row) = rows.next()? {
            let id = record_id(row)?;
            let base: Option<Vec<u8>> = row.get("base")?;
            match (row.get::<_, bool>("is_unsent")?, base) {
                (false, _) => hashes.push((row.get("hash")?, id)),
                (true, Some(base)) => hashes.push((canonical::hash(&base), id)),
                (true, None) => {}
            }
        }
        Ok(hashes)
    }

    fn settled(&mut self, confirmed_by: i64) -> Result<Vec<RecordId>, StoreError> {
        self.settled_ids(confirmed_by)
    }

    fn give_up(&mut self, id: RecordId) -> Result<(), StoreError> {
        self.leave_stub(id)?;
        self.remove(id)
    }

    fn stub(&mut self, id: RecordId) -> Result<Option<RecordHash>, StoreError> {
        self.stub_hash(id)
    }

    fn drop_stub(&mut self, id: RecordId) -> Result<(), StoreError> {
        self.tx.prepare_cached("DELETE FROM stub WHERE id = ?1")?.execute([id.as_bytes()])?;
        Ok(())
    }

    fn offers(&mut self) -> Result<Vec<RecordId>, StoreError> {
        let mut statement =
            self.tx.prepare_cached("SELECT record AS id FROM offer ORDER BY record")?;
        let ids = statement.query_map([], record_id)?;
        Ok(ids.collect::<Result<_, _>>()?)
    }

    fn offer(&mut self, id: RecordId) -> Result<(), StoreError> {
        let sql = "INSERT OR IGNORE INTO offer (record) VALUES (?1)";
        self.tx.prepare_cached(sql)?.execute([id.as_bytes()])?;
        Ok(())
    }

    fn withdraw_offer(&mut self, id: RecordId) -> Result<(), StoreError> {
        self.tx.prepare_cached("DELETE FROM offer WHERE record = ?1")?.execute([id.as_bytes()])?;
        Ok(())
    }

    fn alarm(&mut self, id: RecordId, alarm: Alarm) -> Result<(), StoreError> {
        let what = match alarm {
            Alarm::EqualContextsDiffer => "equal_contexts_differ",
            Alarm::DotReused => "dot_reused",
        };
        let mut statement =
            self.tx.prepare_cached("INSERT INTO alarm (record, what) VALUES (?1, ?2)")?;
        statement.execute((id.as_bytes(), what))?;
        Ok(())
    }
}

fn record_id(row: &Row<'_>) -> rusqlite::Result<RecordId> {
    id16(row, "id").map(RecordId::from_bytes)
}

/// Reads the phone's one row.
pub(crate) fn read_state(connection: &rusqlite::Connection) -> Result<SyncState, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT replica, counter, epoch, cursor, scope_version, acked, attempts, attempt_counter, \
         clock_offset_s, last_contact_s, reconcile, evict_owed, returned FROM phone",
    )?;
    Ok(statement.query_row([], state_of)?)
}

/// The state in a row of `phone`.
pub(crate) fn state_of(row: &Row<'_>) -> rusqlite::Result<SyncState> {
    let attempts: Vec<u8> = row.get("attempts")?;
    let token = |chunk: &[u8]| chunk.try_into().ok().map(PushToken::new);
    Ok(SyncState {
        replica: ReplicaId(id16(row, "replica")?),
        counter: row.get("counter")?,
        epoch: row.get::<_, Option<[u8; 16]>>("epoch")?.map(Epoch::new),
        cursor: row.get("cursor")?,
        scope_version: row.get("scope_version")?,
        acked: row.get::<_, Option<[u8; 16]>>("acked")?.map(PushToken::new),
        attempts: attempts.chunks_exact(16).filter_map(token).collect(),
        attempt_counter: row.get("attempt_counter")?,
        clock_offset_s: row.get("clock_offset_s")?,
        last_contact_s: row.get("last_contact_s")?,
        reconcile: row.get("reconcile")?,
        evict_owed: row.get("evict_owed")?,
        returned: row.get::<_, Option<Vec<u8>>>("returned")?.map(|bytes| returned_of(&bytes)),
    })
}

fn returned_of(bytes: &[u8]) -> Returned {
    match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(former), Some(token)) => {
            Returned::Asking { former: ReplicaId(*former), last_push: PushToken::new(*token) }
        }
        _ => Returned::Known,
    }
}

/// Decodes a stored record.
pub(crate) fn decode(body: &[u8]) -> Result<Record, StoreError> {
    Ok(canonical::decode(body)?)
}
