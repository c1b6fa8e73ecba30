//! A town with so many records and two phones that have them all, on real files and sockets; the same in
//! PouchDB; and a plain encrypted table as the measure of the disk.

use std::path::Path;

use anyhow::Result;
use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;
use yaoguan_model::{AccountId, FieldPath, Kind, RecordId, Role, Value, canonical};
use yaoguan_store::{Filter, Page, Store};
use yaoguan_testkit::network::Line;
use yaoguan_testkit::town::{GRID, TestPhone, TestTown};
use yaoguan_town::storage::Storage as _;

use crate::pouch::Node;
use crate::samples::timed_async;
use crate::workload::{self, Hazard};

/// A town and two phones of the same grid.
pub struct World {
    pub records: usize,
    pub town: TestTown,
    /// Uncounted bytes go nowhere else: every phone reaches the town through this.
    pub line: Line,
    pub a: TestPhone,
    pub b: TestPhone,
    /// How long the second phone's first pull took, in milliseconds.
    pub first_pull_ms: f64,
}

impl World {
    pub async fn of(records: usize) -> Result<Self> {
        let town = TestTown::start().await?;
        let author = town.account(Role::Chief, &[GRID]).await?;
        workload::put_in(&town, author, &workload::hazards(records)).await?;
        let line = town.line().await?;
        let a = phone(&town, &line).await?;
        let (first_pull_ms, b) = timed_async(phone(&town, &line)).await;
        Ok(Self { records, line, a, b: b?, first_pull_ms, town })
    }

    /// Ids of hazards of the first phone, spread over its list.
    pub fn some(&self, count: usize) -> Result<Vec<RecordId>> {
        some(self.a.phone.store(), count)
    }

    /// The number of records and of bytes of all files of the town's database.
    pub async fn town_bytes(&self) -> Result<f64> {
        self.town
            .town
            .storage
            .embedded()?
            .with_raw(|c| c.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())))?;
        let total: u64 = self.town.town.storage.counts().await?.values().sum();
        Ok(folder_bytes(&self.town.data())? as f64 / total as f64)
    }
}

/// A phone of the grid that reaches the town by a line.
pub async fn phone(town: &TestTown, line: &Line) -> Result<TestPhone> {
    let account: AccountId = town.account(Role::Chief, &[GRID]).await?;
    town.phone_of(account, line.address).await
}

pub fn some(store: &Store, count: usize) -> Result<Vec<RecordId>> {
    let total = store.counts()?.records.get("hazard").copied().unwrap_or(0) as usize;
    let step = (total / count).max(1);
    (0..count)
        .filter_map(|n| {
            let page = Page { limit: 1, offset: u32::try_from(n * step).ok()? };
            let found = store.list(&Kind::Hazard, &Filter::default(), page);
            found.map(|rows| rows.first().map(|row| row.record.id)).transpose()
        })
        .map(|id| Ok(id?))
        .collect()
}

/// A person edits the description of each.
pub fn change(phone: &mut TestPhone, ids: &[RecordId], text: &str) -> Result<()> {
    let path: FieldPath = "description".parse()?;
    for id in ids {
        let form = phone.phone.open_form(*id)?;
        phone.phone.save(&form, [(path.clone(), Some(Value::text(text)))].into())?;
    }
    Ok(())
}

pub fn folder_bytes(folder: &Path) -> Result<u64> {
    let mut sum = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let about = entry.metadata()?;
        sum += if about.is_dir() { folder_bytes(&entry.path())? } else { about.len() };
    }
    Ok(sum)
}

/// A table of bodies by id and nothing else, encrypted, WAL, FULL: what the disk and the cipher cost.
pub struct Raw {
    pub connection: Connection,
    _dir: TempDir,
}

impl Raw {
    pub fn new() -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let connection = Connection::open(dir.path().join("raw.db"))?;
        connection.execute_batch(&format!("PRAGMA key = \"x'{}'\"", "5a".repeat(32)))?;
        let mode: String =
            connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        anyhow::ensure!(mode == "wal");
        connection.execute_batch(
            "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; \
             CREATE TABLE record (seq INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, body BLOB NOT NULL) STRICT",
        )?;
        Ok(Self { connection, _dir: dir })
    }

    /// The bodies of a store.
    pub fn like(store: &Store) -> Result<Self> {
        let mut raw = Self::new()?;
        raw.insert_all(&bodies(store)?)?;
        Ok(raw)
    }

    /// Each in the same transaction.
    pub fn insert_all(&mut self, bodies: &[(RecordId, Vec<u8>)]) -> Result<()> {
        let tx = self.connection.transaction()?;
        {
            let mut statement = tx.prepare("INSERT INTO record (id, body) VALUES (?1, ?2)")?;
            for (id, body) in bodies {
                statement.execute((id.as_bytes(), body))?;
            }
        }
        Ok(tx.commit()?)
    }

    pub fn insert(&self, id: RecordId, body: &[u8]) -> Result<()> {
        let sql = "INSERT INTO record (id, body) VALUES (?1, ?2)";
        self.connection.prepare_cached(sql)?.execute((id.as_bytes(), body))?;
        Ok(())
    }
}

/// Every hazard of a store in canonical form.
pub fn bodies(store: &Store) -> Result<Vec<(RecordId, Vec<u8>)>> {
    let mut bodies = Vec::new();
    store.each(&Kind::Hazard, |record| {
        bodies.push((record.id, canonical::encode(&record)));
        Ok(())
    })?;
    Ok(bodies)
}

/// The same records in PouchDB: a server and two clients.
pub struct Pouch {
    pub server: Node,
    pub a: Node,
    pub b: Node,
    pub line: Line,
    pub dir: TempDir,
    pub records: usize,
}

impl Pouch {
    /// With an empty server.
    pub async fn empty() -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let mut server = Node::start("server", &dir.path().join("server"))?;
        let port = server.listen().await?;
        let line = Line::to(([127, 0, 0, 1], port).into()).await?;
        let client = |name: &str| Node::start("client", &dir.path().join(name));
        let (a, b) = (client("a")?, client("b")?);
        Ok(Self { server, a, b, line, dir, records: 0 })
    }

    /// With these hazards on the server and both clients, in the database `town`.
    pub async fn of(hazards: &[Hazard]) -> Result<Self> {
        let mut this = Self::empty().await?;
        let file = workload::documents(&this.dir.path().join("docs.jsonl"), hazards, "d")?;
        this.a.ask(json!({ "op": "fill", "name": "town", "file": file })).await?;
        let url = this.url("town");
        this.a.ms(json!({ "op": "push", "name": "town", "url": url })).await?;
        this.b.ms(json!({ "op": "pull", "name": "town", "url": url })).await?;
        this.records = hazards.len();
        Ok(this)
    }

    pub fn url(&self, database: &str) -> String {
        format!("http://{}/{database}", self.line.address)
    }

    /// Ids of documents, spread.
    pub fn some(&self, count: usize) -> Vec<String> {
        let step = (self.records / count).max(1);
        (0..count).map(|n| format!("d{:032x}", n * step)).collect()
    }
}
