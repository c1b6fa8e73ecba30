//! Projections, place and search index are functions of the records: whatever was saved, pulled, deleted
//! and taken off, making them anew gives what stood there.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails where it stands"
)]

mod common;

use std::collections::BTreeMap;

use common::{OTHER, Phone, first, in_view, position};
use rusqlite::types::Value as Sql;
use yaoguan_model::{Dot, Kind, Record, RecordId, Value, deletion};
use yaoguan_store::Store;

const TABLES: [&str; 8] =
    ["hazard", "patrol", "household", "household_check", "task", "notice", "grid", "template"];
const PATHS: [&str; 34] = [
    "category",
    "severity",
    "status",
    "grid",
    "title",
    "seen_at",
    "assignee",
    "household",
    "patrol",
    "due_on",
    "source",
    "source_key",
    "description",
    "address",
    "team",
    "started_at",
    "distance_cm",
    "duration_s",
    "note",
    "weather",
    "outcome",
    "checked_at",
    "advice",
    "contact_name",
    "what",
    "words",
    "about",
    "valid_until",
    "text",
    "code",
    "name",
    "village_name",
    "title_zh",
    "position",
];
const WORDS: [&str; 12] = [
    "山体滑坡",
    "电线老化",
    "Gas 泄漏",
    "消防通道",
    "abc",
    "DN-200",
    "路",
    "",
    "森林防火",
    "一二三四五",
    "reported",
    "closed",
];

fn is_number(path: &str) -> bool {
    matches!(
        path,
        "seen_at" | "started_at" | "distance_cm" | "duration_s" | "checked_at" | "valid_until"
    )
}

/// A world of one phone and one other that writes the same records.
struct World {
    phone: Phone,
    /// The records as the other phone has them.
    other: BTreeMap<RecordId, Record>,
    other_counter: u64,
    ids: Vec<RecordId>,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut phone = Phone::new();
        phone.env = common::Seeded::new(seed);
        Self { phone, other: BTreeMap::new(), other_counter: 0, ids: Vec::new() }
    }

    fn value(&self, path: &str) -> Value {
        let random = &self.phone.env;
        if random.below(20) == 0 {
            // A later program may give the path another shape; it is kept and projects as empty.
            return random.pick(&[Value::Null, Value::Bool(true), Value::Int(-1)]).clone();
        }
        if path == "position" {
            let metres = |n: usize| n as f64 * 10.0;
            let at = position(metres(random.below(300)), metres(random.below(300)));
            return at.to_value("gps");
        }
        if is_number(path) {
            return Value::Int(i64::try_from(random.below(1_000_000)).unwrap());
        }
        Value::text(format!("{}{}", random.pick(&WORDS), random.pick(&WORDS)))
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        let count = 1 + self.phone.env.below(6);
        let paths = (0..count).map(|_| *self.phone.env.pick(&PATHS));
        paths.map(|path| (path, self.value(path))).collect()
    }

    fn edits(&self) -> Vec<(&'static str, Option<Value>)> {
        let random = &self.phone.env;
        let kept = |(path, value)| (path, Some(value).filter(|_| random.below(4) > 0));
        self.fields().into_iter().map(kept).collect()
    }

    fn kind(&self) -> Kind {
        let mut kinds = Kind::ALL.to_vec();
        kinds.push("of_a_later_program".parse().unwrap());
        self.phone.env.pick(&kinds).clone()
    }

    fn other_dot(&mut self) -> Dot {
        self.other_counter += 1;
        Dot::new(OTHER, self.other_counter)
    }

    fn step(&mut self) {
        let action = self.phone.env.below(12);
        if self.ids.len() < 12 || action == 0 {
            return self.appear();
        }
        let id = *self.phone.env.pick(&self.ids);
        let seen = self.phone.record(id);
        match action {
            1..=3 => self.phone.edit(id, &self.edits()),
            4 => self.phone.change(id, &BTreeMap::from([deletion::delete(&seen)])),
            5 => self.phone.change(id, &BTreeMap::from([deletion::undelete(&seen)])),
            6 => self.phone.confirm(id),
            7 => self.phone.send(id),
            8 => {
                self.phone.remove(id);
                self.ids.retain(|other| *other != id);
                self.other.remove(&id);
            }
            9 => _ = self.other.insert(id, seen),
            _ => self.pull(id),
        }
    }

    fn appear(&mut self) {
        let (kind, fields) = (self.kind(), self.fields());
        if self.phone.env.below(3) > 0 {
            let id = self.phone.create(kind, &fields);
            self.other.insert(id, self.phone.record(id));
            return self.ids.push(id);
        }
        let mut record = self.phone.blank(kind);
        record.put(&first(&fields), self.other_dot());
        self.phone.pull(&record);
        self.ids.push(record.id);
        self.other.insert(record.id, record);
    }

    /// The other phone writes on what it has, without having seen what was written here since.
    fn pull(&mut self, id: RecordId) {
        let dot = self.other_dot();
        let edits = self.edits();
        let deletes = self.phone.env.below(4) == 0;
        let record = self.other.get_mut(&id).unwrap();
        let changes = match deletes {
            true => BTreeMap::from([deletion::delete(record)]),
            false => in_view(record, &edits),
        };
        record.put(&changes, dot);
        let record = record.clone();
        self.phone.pull(&record);
    }
}

type Rows = Vec<Vec<Sql>>;

fn rows(store: &Store, sql: &str) -> Rows {
    let mut statement = store.raw().prepare(sql).unwrap();
    let width = statement.column_count();
    let row = |row: &rusqlite::Row<'_>| (0..width).map(|column| row.get(column)).collect();
    statement.query_map([], row).unwrap().collect::<Result<_, _>>().unwrap()
}

/// Everything derived: each table, the places, and every occurrence of every term of the search index.
fn derived(store: &Store) -> BTreeMap<&'static str, Rows> {
    let table = |name| (name, rows(store, &format!("SELECT * FROM {name} ORDER BY record")));
    let mut all: BTreeMap<_, _> = TABLES.into_iter().chain(["place"]).map(table).collect();
    let vocabulary = "CREATE VIRTUAL TABLE temp.terms USING fts5vocab (main, search, instance)";
    store.raw().execute_batch(vocabulary).unwrap();
    let terms = "SELECT term, doc, col, offset FROM terms ORDER BY term, doc, col, offset";
    all.insert("terms", rows(store, terms));
    all.insert("texts", rows(store, "SELECT id, sz FROM search_docsize ORDER BY id"));
    store.raw().execute_batch("DROP TABLE temp.terms").unwrap();
    all
}

fn run(seed: u64, steps: u32) -> World {
    let mut world = World::new(seed);
    for _ in 0..steps {
        world.step();
    }
    world
}

#[test]
fn rebuild_gives_what_saves_and_pulls_had_written() {
    for seed in 1..=6 {
        let mut world = run(seed, 160);
        for _ in 0..3 {
            let before = derived(&world.phone.store);
            assert_eq!(world.phone.store.verify().unwrap(), [], "seed {seed}");
            let done = world.phone.store.rebuild().unwrap();
            assert_eq!(done, u64::try_from(world.ids.len()).unwrap());
            for (name, rows) in derived(&world.phone.store) {
                assert_eq!(rows, before[name], "{name} differs, seed {seed}");
            }
            assert_eq!(world.phone.store.verify().unwrap(), [], "seed {seed}");
            // What is written on a rebuilt index must agree too.
            (0..40).for_each(|_| world.step());
        }
    }
}

/// The random runs reach what the projections tell apart: without this they could pass by doing nothing.
#[test]
fn random_runs_reach_every_table_deletions_conflicts_and_unknown_kinds() {
    let mut sums: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut deleted, mut contested, mut conflicts, mut unknown) = (0, 0, 0, 0);
    for seed in 1..=6 {
        let world = run(seed, 160);
        for (name, rows) in derived(&world.phone.store) {
            *sums.entry(name).or_default() += rows.len();
        }
        for id in &world.ids {
            let record = world.phone.record(*id);
            deleted += usize::from(deletion::state(&record) == deletion::Deletion::Deleted);
            contested += usize::from(deletion::state(&record) == deletion::Deletion::Contested);
            conflicts += record.conflicts().count();
            unknown += usize::from(matches!(record.kind, Kind::Unknown(_)));
        }
    }
    assert!(sums.values().all(|sum| *sum > 0), "{sums:?}");
    assert!(deleted > 0 && contested > 0 && conflicts > 0 && unknown > 0);
}

#[test]
fn rebuild_restores_what_was_lost() {
    let mut world = run(11, 120);
    let before = derived(&world.phone.store);
    for table in TABLES.into_iter().chain(["place"]) {
        world.phone.store.raw().execute(&format!("DELETE FROM {table}"), []).unwrap();
    }
    let raw = world.phone.store.raw();
    raw.execute("INSERT INTO search (search) VALUES ('delete-all')", []).unwrap();
    raw.execute("INSERT INTO place VALUES (4000, 1, 1, 2, 2)", []).unwrap();
    raw.execute("INSERT INTO search (rowid, text) VALUES (4000, 'of nothing')", []).unwrap();
    assert!(!world.phone.store.verify().unwrap().is_empty());
    world.phone.store.rebuild().unwrap();
    assert_eq!(derived(&world.phone.store), before);
    assert_eq!(world.phone.store.verify().unwrap(), []);
}

#[test]
fn rebuild_leaves_records_unsent_state_and_counter_alone() {
    let mut world = run(12, 120);
    let kept = |store: &Store| {
        ["record", "unsent", "phone", "quarantine", "alarm", "draft"]
            .map(|table| rows(store, &format!("SELECT * FROM {table} ORDER BY 1")))
    };
    let before = kept(&world.phone.store);
    assert!(!before[1].is_empty());
    world.phone.store.rebuild().unwrap();
    assert_eq!(kept(&world.phone.store), before);
}

#[test]
fn failed_rebuild_changes_nothing() {
    let mut world = run(13, 60);
    let sql = "UPDATE record SET body = x'00' WHERE seq = (SELECT max(seq) FROM record)";
    world.phone.store.raw().execute(sql, []).unwrap();
    let before = derived(&world.phone.store);
    assert!(world.phone.store.rebuild().is_err());
    assert_eq!(derived(&world.phone.store), before);
}
