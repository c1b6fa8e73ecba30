//! Every query of this module walks the index it is meant to.

use super::*;
use crate::projection::TABLES;

fn plan(store: &Store, sql: &str) -> String {
    let mut statement = store.connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let count = statement.parameter_count();
    for number in 1..=count {
        statement.raw_bind_parameter(number, 1).unwrap();
    }
    let mut rows = statement.raw_query();
    let mut lines = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        lines.push(row.get::<_, String>("detail").unwrap());
    }
    lines.join("\n")
}

struct Still;
impl yaoguan_model::Env for Still {
    fn now_ms(&self) -> i64 {
        0
    }
    fn boot_elapsed_ms(&self) -> i64 {
        0
    }
    fn random_16(&self) -> [u8; 16] {
        [7; 16]
    }
}

fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::create(&dir.path().join("phone.db"), &crate::Key([1; 32]), &Still).unwrap();
    (dir, store)
}

#[track_caller]
fn assert_walks(store: &Store, sql: &str, indexes: &[&str]) {
    let plan = plan(store, sql);
    for index in indexes {
        assert!(plan.contains(index), "{sql}\n{plan}\nshould use {index}");
    }
    for line in plan.lines() {
        let whole = line.starts_with("SCAN") && !line.contains("INDEX");
        assert!(!whole, "reads a whole table: {sql}\n{plan}");
        assert!(!line.contains("TEMP B-TREE"), "sorts what an index could give: {sql}\n{plan}");
    }
}

#[test]
fn what_may_be_given_up_is_found_without_reading_every_record() {
    let (_dir, store) = store();
    let plan = plan(&store, &crate::purge::settled_sql());
    assert!(plan.contains("SEARCH record USING INTEGER PRIMARY KEY"), "{plan}");
    assert!(!plan.contains("SCAN record"), "{plan}");
    for index in ["hazard_status (status=?)", "task_status (status=?)"] {
        assert!(plan.contains(index), "should use {index}: {plan}");
    }
}

#[test]
fn lists_walk_their_index() {
    let (_dir, store) = store();
    for table in TABLES {
        let by_order = format!("INDEX {}_", table.name);
        let deleted = Filter { deleted: true, ..Filter::default() };
        // Without a filter the list is a merge of the states, each in the order of the index; what is
        // sorted is the page.
        for filter in [Filter::default(), deleted] {
            let sql = list_sql(table, &filter);
            let text = plan(&store, &sql);
            assert!(text.contains(&by_order) && text.contains("MERGE"), "{sql}\n{text}");
            assert!(!text.replace("SCAN page", "").contains("SCAN"), "{sql}\n{text}");
            // Templates are few, and their index has the version before the row.
            let sorts = if table.name == "template" { 3 } else { 1 };
            assert!(text.matches("TEMP B-TREE").count() <= sorts, "{sql}\n{text}");
        }
    }
    let hazard = &crate::hazard::TABLE;
    let by = |status: Option<&str>, grid: Option<&str>| {
        let own = |text: &str| text.to_owned();
        list_sql(hazard, &Filter { status: status.map(own), grid: grid.map(own), deleted: false })
    };
    assert_walks(&store, &by(Some("reported"), None), &["hazard_status"]);
    assert_walks(&store, &by(None, Some("530521103201001")), &["hazard_grid"]);
}

#[test]
fn lookups_walk_their_index() {
    let (_dir, store) = store();
    assert_walks(&store, GET, &["sqlite_autoindex_record_1", "INTEGER PRIMARY KEY"]);
    assert_walks(&store, EACH, &["record_kind"]);
    assert_walks(&store, HAZARD_SOURCE, &["hazard_source"]);
    assert_walks(&store, PATROL_SOURCE, &["patrol_source"]);
    assert_walks(&store, HAZARD_KEYS, &["hazard_source"]);
    assert_walks(&store, PATROL_KEYS, &["patrol_source"]);
    assert_walks(&store, GRIDS, &["grid_code"]);
    assert_walks(&store, CHECKS, &["household_check_household"]);
    assert!(plan(&store, NEARBY).contains("VIRTUAL TABLE INDEX 2:"), "{}", plan(&store, NEARBY));
    assert!(plan(&store, SEARCH).contains("VIRTUAL TABLE INDEX 0:M"), "{}", plan(&store, SEARCH));
}
