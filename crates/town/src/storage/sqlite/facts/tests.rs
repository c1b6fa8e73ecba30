//! The facts follow each write, whatever comes in which order.

use std::collections::BTreeMap;

use rusqlite::types::Value as Sql;
use yaoguan_model::env::System;
use yaoguan_model::template::builtin;
use yaoguan_model::{AccountId, Change, Dot, Env as _, FieldPath, ReplicaId};

use super::super::Sqlite;
use super::super::push::write;
use super::*;

const TABLES: [&str; 5] =
    ["hazard_fact", "patrol_fact", "template_fact", "check_fact", "household_fact"];
const GRIDS: [&str; 3] = ["530521103201001", "530521103201002", "530521103202001"];

/// xorshift64: the same numbers for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % n as u64).unwrap()
    }
    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// A town's file and the records in it.
struct World {
    _dir: tempfile::TempDir,
    town: Sqlite,
    random: Random,
    records: Vec<Record>,
    counter: u64,
    now: i64,
}

impl World {
    fn new(seed: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let town = Sqlite::open(&dir.path().join("town.db"), &[1; 32]).unwrap();
        let random = Random(seed);
        Self { _dir: dir, town, random, records: Vec::new(), counter: 0, now: 1_795_000_000 }
    }

    fn in_transaction(&self, work: impl FnOnce(&Transaction<'_>)) {
        self.town.with_raw(|connection| {
            let tx = connection.unchecked_transaction().unwrap();
            work(&Transaction::of(&*tx));
            tx.commit().unwrap();
        });
    }

    fn any(&mut self, kind: &Kind) -> Option<Record> {
        let of_kind: Vec<Record> =
            self.records.iter().filter(|record| record.kind == *kind).cloned().collect();
        (!of_kind.is_empty()).then(|| of_kind[self.random.below(of_kind.len())].clone())
    }

    fn id(&mut self) -> RecordId {
        System.new_record_id()
    }

    /// What a save of this kind may say.
    fn fields(&mut self, kind: &Kind) -> Vec<(String, Value)> {
        let grid = Value::text(self.random.one(&GRIDS));
        let at = Position {
            lat_e7: 246_000_000 + self.random.below(90_000) as i64,
            lon_e7: 992_000_000,
        };
        let place = ("position", at.to_value("gps"));
        let day = Value::text(format!("2026-11-{:02}", 1 + self.random.below(28)));
        let fields = match kind {
            Kind::Hazard => {
                let status = self.random.one(&["reported", "verified", "closed", "merged"]);
                let step = Value::map([("from", "verified".into()), ("to", status.into())]);
                let at = self.now - 500_000 + self.random.below(900_000) as i64;
                let entry = Value::map([("step", step), ("at", at.into())]);
                let key = format!("timeline.{}", self.id());
                let fields = vec![
                    ("grid", grid),
                    ("category", "slope".into()),
                    ("severity", self.random.one(&["general", "major"]).into()),
                    ("due_on", day),
                    place,
                    ("status", status.into()),
                ];
                let mut fields: Vec<(String, Value)> =
                    fields.into_iter().map(|(path, value)| (path.to_owned(), value)).collect();
                fields.push((key, entry));
                return fields;
            }
            Kind::Patrol => {
                let line =
                    line::encode(&[at, Position { lon_e7: 992_100_000, ..at }], LINE_PRECISION);
                vec![
                    ("grid", grid),
                    ("started_at", (self.now - self.random.below(9_000) as i64 + 99).into()),
                    ("distance_cm", (self.random.below(9_000) as i64).into()),
                    ("line", Value::List(vec![line.unwrap().into()])),
                ]
            }
            Kind::Household => vec![("grid", grid), place, ("address", "x".into())],
            Kind::HouseholdCheck
            | Kind::Task
            | Kind::Notice
            | Kind::Grid
            | Kind::Template
            | Kind::Unknown(_) => {
                let household = self.any(&Kind::Household).map_or_else(|| self.id(), |r| r.id);
                let answer = Value::map([("answer", self.random.one(&["fine", "problem"]).into())]);
                vec![
                    ("household", household.to_string().into()),
                    ("template", builtin::CODE.into()),
                    ("template_version", builtin::VERSION.into()),
                    ("outcome", self.random.one(&["done", "done", "nobody_home"]).into()),
                    ("checked_at", (self.now - self.random.below(5) as i64).into()),
                    ("due_on", day),
                    (self.random.one(&["answers.gas_valve", "answers.gas_hose"]), answer),
                ]
            }
        };
        fields.into_iter().map(|(path, value)| (path.to_owned(), value)).collect()
    }

    fn save(&mut self, mut record: Record, fields: Vec<(String, Value)>, blind: bool) {
        self.counter += 1;
        self.now += self.random.below(40_000) as i64;
        let changes: BTreeMap<FieldPath, Change> = fields
            .into_iter()
            .map(|(path, value)| {
                // A save that had not seen the others leaves siblings.
                let replaces = if blind { Vec::new() } else { record.dots(&path) };
                (path.parse().unwrap(), Change { replaces, value: Some(value) })
            })
            .collect();
        record.put(&changes, Dot::new(ReplicaId([7; 16]), self.counter));
        self.keep(record);
    }

    fn keep(&mut self, record: Record) {
        let now = self.now;
        self.in_transaction(|tx| write(tx, &record, now).unwrap());
        self.records.retain(|other| other.id != record.id);
        self.records.push(record);
    }

    fn step(&mut self) {
        let kinds = [Kind::Hazard, Kind::Patrol, Kind::Household, Kind::HouseholdCheck];
        let kind = kinds[self.random.below(4)].clone();
        let known = self.any(&kind);
        let known = known.filter(|_| self.random.below(2) == 0);
        match (self.random.below(10), known) {
            (0, Some(mut record)) => {
                self.counter += 1;
                let change = match deletion::state(&record) {
                    Deletion::Live => deletion::delete(&record),
                    Deletion::Deleted | Deletion::Contested => deletion::undelete(&record),
                };
                record.put(&[change].into(), Dot::new(ReplicaId([7; 16]), self.counter));
                self.keep(record);
            }
            (1, Some(record)) => {
                self.in_transaction(|tx| {
                    let sql = "DELETE FROM record WHERE id = ?1";
                    tx.execute(sql, [record.id.as_bytes()]).unwrap();
                    forget(tx, &record).unwrap();
                });
                self.records.retain(|other| other.id != record.id);
            }
            (n, known) => {
                let new = Record::new(self.id(), kind.clone(), AccountId(self.id().0));
                let fields = self.fields(&kind);
                self.save(known.unwrap_or(new), fields, n < 4);
            }
        }
    }

    /// Checks may be there before their template.
    fn publish(&mut self) {
        let new = Record::new(self.id(), Kind::Template, AccountId(self.id().0));
        let registers = builtin::registers().unwrap();
        let registers = registers.into_iter().map(|(path, value)| (path.to_string(), value));
        self.save(new, registers.collect(), false);
    }

    fn rows(&self) -> BTreeMap<&'static str, Vec<Vec<Sql>>> {
        self.town.with_raw(|connection| {
            let rows = |table: &'static str| {
                let sql = format!("SELECT * FROM {table} ORDER BY 1, 2, 3");
                let mut statement = connection.prepare(&sql).unwrap();
                let columns = statement.column_count();
                let rows =
                    statement.query_map([], |row| (0..columns).map(|at| row.get(at)).collect());
                (table, rows.unwrap().map(Result::unwrap).collect())
            };
            TABLES.into_iter().map(rows).collect()
        })
    }
}

#[test]
fn facts_that_followed_each_write_are_those_of_a_rebuild() {
    for seed in [1, 22, 333] {
        println!("seed {seed}");
        let mut world = World::new(seed);
        for round in 0..300 {
            if round == 150 {
                world.publish();
            }
            world.step();
        }
        let followed = world.rows();
        world.in_transaction(|tx| rebuild(tx).unwrap());
        assert_eq!(followed, world.rows());
        for (table, rows) in followed {
            assert!(!rows.is_empty(), "{table}");
        }
    }
}
