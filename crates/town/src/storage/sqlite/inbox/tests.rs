use std::collections::BTreeMap;

use rusqlite::types::Value as Sql;
use yaoguan_model::{
    AccountId, Change, Env as _, FieldPath, Kind, Record, RecordId, Value, deletion,
};

use super::rebuild;
use crate::audit::Attribution;
use crate::demo::activity::dice::Dice;
use crate::storage::sql::Engine as _;
use crate::storage::sqlite::Sqlite;
use crate::storage::{OwnWrite, Storage as _};

const SEEDS: u64 = 4;
const WRITES: usize = 120;
const WORDS: [&str; 4] = ["山体滑坡", "电线老化", "水井无盖", "已补充照片"];

async fn town() -> (tempfile::TempDir, Sqlite) {
    let dir = tempfile::tempdir().unwrap();
    let town = Sqlite::open(&dir.path().join("town.db"), &[1; 32]).unwrap();
    town.found("镇", true, &yaoguan_model::env::System).await.unwrap();
    (dir, town)
}

type Rows = Vec<Vec<Sql>>;

/// Everything that is derived, but for the numbers of rows.
fn derived(town: &Sqlite) -> [Rows; 3] {
    town.with_raw(|connection| {
        let all = |sql: &str, asked: &[&dyn rusqlite::ToSql]| -> Rows {
            let mut statement = connection.prepare(sql).unwrap();
            let columns = statement.column_count();
            let rows = statement.query_map(asked, |row| (0..columns).map(|n| row.get(n)).collect());
            rows.unwrap().map(Result::unwrap).collect()
        };
        let inbox = "SELECT record, title, category, severity, status, status_dots, grid, address, \
             stage, assignee, claimed_by, claimed_at, due_on, conflict, changed_at, duplicate_of, patrol, \
             lat_e7, lon_e7 FROM inbox ORDER BY record";
        let found = "SELECT record FROM inbox_text JOIN inbox ON inbox.seq = inbox_text.rowid \
             WHERE inbox_text MATCH ?1 ORDER BY record";
        let found = WORDS.iter().flat_map(|word| {
            let expression = yaoguan_model::search::expression(word).unwrap();
            all(found, &[&expression])
        });
        let found = found.collect();
        [all(inbox, &[]), all("SELECT * FROM desk_task ORDER BY record", &[]), found]
    })
}

/// A write on a record as somebody saw it some time ago, or a new record.
fn write(dice: &Dice, seen: &BTreeMap<RecordId, Record>, author: AccountId) -> OwnWrite {
    let ids: Vec<RecordId> = seen.keys().copied().collect();
    let old = dice.pick(&ids).filter(|_| dice.chance(75)).and_then(|id| seen.get(&id));
    let kind =
        old.map_or(if dice.chance(70) { Kind::Hazard } else { Kind::Task }, |r| r.kind.clone());
    let id = old.map_or_else(|| dice.new_record_id(), |record| record.id);
    let mut changes = BTreeMap::new();
    let mut set = |path: &str, value: Value| {
        let replaces = old.map_or(Vec::new(), |record| record.dots(path));
        changes.insert(path.parse::<FieldPath>().unwrap(), Change { replaces, value: Some(value) });
    };
    match (dice.between(0, 10), old) {
        (0, Some(record)) => set("$deleted", deletion::value_of(&record.context)),
        (1..=3, Some(_)) => {
            let states: &[&str] = if kind == Kind::Task {
                &["open", "done"]
            } else {
                &["reported", "returned", "verified", "rectified", "closed"]
            };
            let (from, to) = (dice.word(states), dice.word(states));
            set("status", to.into());
            let step = Value::map([("from", from.into()), ("to", to.into())]);
            let by = Value::text(format!("by {}", dice.between(0, 2)));
            let at = Value::Int(dice.between(0, 1000));
            let entry =
                [("step", step), ("by", by), ("at", at), ("note", dice.word(&WORDS).into())];
            set(&format!("timeline.{}", dice.new_record_id()), Value::map(entry));
        }
        (4, Some(_)) => set("claimed_by", author.to_string().into()),
        (5, Some(_)) => set("due_on", "2026-01-01".into()),
        _ => {
            let words = dice.word(&WORDS);
            set(if kind == Kind::Task { "words" } else { "title" }, words.into());
            set("severity", dice.word(&["general", "major"]).into());
            if old.is_none() {
                set("status", if kind == Kind::Task { "open" } else { "reported" }.into());
            }
        }
    }
    OwnWrite { id, kind, author, changes }
}

#[tokio::test]
async fn what_is_kept_with_each_write_is_what_a_rebuild_makes() {
    for seed in 1..=SEEDS {
        println!("seed {seed}");
        let (_dir, town) = town().await;
        let dice = Dice::new(seed);
        let author = AccountId(dice.new_record_id().0);
        let mut seen = BTreeMap::new();
        for n in 0..WRITES {
            let write = write(&dice, &seen, author);
            let at = i64::try_from(n).unwrap();
            town.write_own(vec![write], Attribution::town(at)).await.unwrap();
            // Somebody looks now and then: who writes on what was seen before makes siblings.
            if dice.chance(10) {
                for kind in [Kind::Hazard, Kind::Task] {
                    let records = town.records(kind).await.unwrap();
                    seen.extend(records.into_iter().map(|record| (record.id, record)));
                }
            }
        }
        let kept = derived(&town);
        assert!(kept[0].len() > 10 && !kept[1].is_empty() && !kept[2].is_empty());
        assert!(kept[0].iter().any(|row| row[13] == Sql::Integer(1)), "something is in conflict");
        town.write(rebuild).await.unwrap();
        assert_eq!(derived(&town), kept, "seed {seed}");
    }
}
