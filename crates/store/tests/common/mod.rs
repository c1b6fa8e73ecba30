//! What the tests of the store share: a phone with a real encrypted file in a temporary folder, and the
//! saves, pulls and evictions of one. It knows nothing of rules or roles: the store holds any record.

#![allow(dead_code, reason = "each test program uses a part")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::Connection;
use tempfile::TempDir;
use yaoguan_model::{
    AccountId, Change, Dot, Env, FieldPath, Kind, Position, Record, RecordId, ReplicaId, Value,
};
use yaoguan_store::{Key, Store, StoreError};
use yaoguan_sync::{Local, PhoneStore as _, Tx as _};

pub const KEY: Key = Key([0x5A; 32]);
/// Another phone, as its writes come back through the town.
pub const OTHER: ReplicaId = ReplicaId([0xEE; 16]);
pub const AUTHOR: [u8; 16] = [3; 16];

/// A seeded generator (SplitMix64), so that a failing run can be run again.
pub struct Seeded(AtomicU64);

impl Seeded {
    pub fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }
    pub fn next(&self) -> u64 {
        const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
        let mut z = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
    pub fn below(&self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }
    pub fn pick<'a, T>(&self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

impl Env for Seeded {
    fn now_ms(&self) -> i64 {
        1_760_000_000_000
    }
    fn boot_elapsed_ms(&self) -> i64 {
        0
    }
    fn random_16(&self) -> [u8; 16] {
        let pair = (u128::from(self.next()) << 64) | u128::from(self.next());
        pair.to_be_bytes()
    }
}

pub struct Phone {
    pub dir: TempDir,
    pub store: Store,
    pub env: Seeded,
}

impl Phone {
    pub fn new() -> Self {
        let (dir, env) = (tempfile::tempdir().unwrap(), Seeded::new(7));
        let store = Store::create(&dir.path().join("phone.db"), &KEY, &env).unwrap();
        Self { dir, store, env }
    }

    pub fn path(&self) -> PathBuf {
        self.dir.path().join("phone.db")
    }

    /// The app is closed: the file alone is left.
    pub fn close(self) -> (TempDir, PathBuf) {
        let path = self.path();
        drop(self.store);
        (self.dir, path)
    }

    pub fn reopened(self) -> Self {
        let Self { dir, store, env } = self;
        drop(store);
        let store = Store::open(&dir.path().join("phone.db"), &KEY).unwrap();
        Self { dir, store, env }
    }

    pub fn record(&self, id: RecordId) -> Record {
        self.store.get(id).unwrap().unwrap().record
    }

    /// A new record by a save of this phone.
    pub fn create(&mut self, kind: Kind, fields: &[(&str, Value)]) -> RecordId {
        let blank = self.blank(kind);
        let id = blank.id;
        let changes = first(fields);
        self.with_dot(|tx, dot| tx.put(&Local::created(blank, &changes, dot)));
        id
    }

    pub fn hazard(&mut self, title: &str) -> RecordId {
        self.create(Kind::Hazard, &[("title", title.into())])
    }

    /// A save on what is in view; no value is a removal.
    pub fn edit(&mut self, id: RecordId, fields: &[(&str, Option<Value>)]) {
        let changes = in_view(&self.record(id), fields);
        self.change(id, &changes);
    }

    pub fn change(&mut self, id: RecordId, changes: &BTreeMap<FieldPath, Change>) {
        self.with_dot(|tx, dot| {
            let mut local = tx.load(id)?.unwrap();
            local.save(changes, dot);
            tx.put(&local)
        });
    }

    /// The town takes what is unsent.
    pub fn confirm(&mut self, id: RecordId) {
        self.transact(|tx| {
            let mut local = tx.load(id)?.unwrap();
            let context = local.send().context.clone();
            local.taken(&context);
            tx.put(&local)
        });
    }

    /// A push goes out and no answer comes.
    pub fn send(&mut self, id: RecordId) {
        self.transact(|tx| {
            let mut local = tx.load(id)?.unwrap();
            local.send();
            tx.put_unsent(&local)
        });
    }

    pub fn pull(&mut self, incoming: &Record) {
        self.transact(|tx| {
            let local = match tx.load(incoming.id)? {
                Some(mut local) => {
                    assert_eq!(local.pulled(incoming).unwrap(), None);
                    local
                }
                None => Local::confirmed(incoming.clone()),
            };
            tx.put(&local)
        });
    }

    pub fn remove(&mut self, id: RecordId) {
        self.transact(|tx| tx.remove(id));
    }

    pub fn blank(&self, kind: Kind) -> Record {
        Record::new(self.env.new_record_id(), kind, AccountId::from_bytes(AUTHOR))
    }

    fn with_dot(
        &mut self,
        work: impl FnOnce(&mut yaoguan_store::SqliteTx<'_>, Dot) -> Result<(), StoreError>,
    ) {
        self.transact(|tx| {
            let mut state = tx.state()?;
            let dot = state.next_dot();
            work(tx, dot)?;
            tx.set_state(&state)
        });
    }

    pub fn transact<R>(
        &mut self,
        work: impl FnOnce(&mut yaoguan_store::SqliteTx<'_>) -> Result<R, StoreError>,
    ) -> R {
        self.store.transact(work).unwrap()
    }
}

/// The changes of a first save.
pub fn first(fields: &[(&str, Value)]) -> BTreeMap<FieldPath, Change> {
    let change = |value: &Value| Change { replaces: Vec::new(), value: Some(value.clone()) };
    fields.iter().map(|(path, value)| (path.parse().unwrap(), change(value))).collect()
}

/// The changes of a form on a record: they replace what it shows.
pub fn in_view(record: &Record, fields: &[(&str, Option<Value>)]) -> BTreeMap<FieldPath, Change> {
    let change = |path: &str, value: &Option<Value>| Change {
        replaces: record.dots(path),
        value: value.clone(),
    };
    fields.iter().map(|(path, value)| (path.parse().unwrap(), change(path, value))).collect()
}

/// Metres north and east of the town hall, roughly.
pub fn position(north_m: f64, east_m: f64) -> Position {
    let (lat, lon) = (24.6, 99.2);
    let east = east_m / (111_320.0 * f64::to_radians(lat).cos());
    Position::from_degrees(lat + north_m / 110_750.0, lon + east).unwrap()
}

/// A second connection beside the store's, as another program would have it.
pub fn connect(path: &Path, key: &Key) -> Connection {
    let connection = Connection::open(path).unwrap();
    let hex: String = key.0.iter().map(|byte| format!("{byte:02x}")).collect();
    connection.execute_batch(&format!("PRAGMA key = \"x'{hex}'\"")).unwrap();
    connection
}
