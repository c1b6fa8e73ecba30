//! What the console and its exports ask walks indexes: nothing that grows with the town is read from end to end.

use super::{
    Sqlite, audit, desk, desk_task, exports, features, feed, figures, inbox, map, notices,
};
use crate::storage::audit::AuditSearch;

/// What SQLite means to do for a statement.
fn plan(town: &Sqlite, sql: &str) -> Vec<String> {
    town.with_raw(|connection| {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let mut rows = statement.raw_query();
        let mut plan = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            plan.push(row.get::<_, String>("detail").unwrap());
        }
        plan
    })
}

/// Walked from end to end: what the question itself brings or found before, and search, which is its own index.
fn is_small(line: &str) -> bool {
    let small = [
        "json_each",
        "asked VIRTUAL",
        "CONSTANT ROW",
        "SCAN page",
        "SCAN newest",
        "SCAN took",
        "inbox_text VIRTUAL",
        "(subquery-",
        // This index holds what is in conflict alone.
        "INDEX inbox_conflict",
    ];
    small.iter().any(|of| line.contains(of))
}

const QUESTIONS: [(&str, &str); 31] = [
    ("inbox_list", inbox::PAGE_OF),
    ("inbox_urgent", inbox::URGENT),
    ("inbox_stage", inbox::IN_STAGE),
    ("inbox_conflict", inbox::IN_CONFLICT),
    ("inbox_due", inbox::OVERDUE),
    ("inbox_claimed", inbox::CLAIMED),
    ("desk_task_due", desk_task::PAGE_OF),
    ("record_changed", desk::CHANGED_SINCE),
    ("feed_record", desk::READ),
    ("inbox_near", desk::NEAR),
    ("feed_position", feed::PULL),
    ("record_kind", feed::READABLE),
    ("record_kind", notices::NEWEST),
    ("patrol_fact_when", exports::PATROLS),
    ("check_fact_when", exports::CHECKS),
    ("feed_record", exports::RECORDS),
    ("feature_collection", features::PAGE),
    ("feature_collection", features::MATCHED),
    ("feature_collection", features::EXTENT),
    ("hazard_fact_reported", figures::BY_CATEGORY),
    ("hazard_fact_reported", figures::BY_DAY),
    ("hazard_fact_open", figures::BY_GRID),
    ("hazard_fact_ended", figures::CLOSED_BY_DAY),
    ("hazard_fact_ended", figures::TOOK),
    ("hazard_fact_conflict", figures::CONFLICTS),
    ("household_fact_grid", figures::HOUSEHOLDS),
    ("patrol_fact_at", figures::WALKED),
    ("household_fact_due", map::DUE),
    ("household_fact_due_in", map::DUE_IN),
    ("hazard_fact_place", map::MARKS),
    ("patrol_fact_at", map::LINES),
];

#[test]
fn each_question_of_the_console_walks_an_index() {
    let dir = tempfile::tempdir().unwrap();
    let town = Sqlite::open(&dir.path().join("town.db"), &[1; 32]).unwrap();
    let named = desk::NAMING.map(|(sql, _)| {
        let index = ["inbox_merged", "inbox_patrol", "desk_task_about", "PRIMARY KEY"];
        (index.into_iter().find(|index| plan(&town, sql).concat().contains(index)), sql)
    });
    for (index, sql) in named {
        assert!(index.is_some(), "{sql}: {:#?}", plan(&town, sql));
    }
    for (index, sql) in QUESTIONS {
        let plan = plan(&town, sql);
        let scanned = plan.iter().filter(|line| line.starts_with("SCAN"));
        let scanned: Vec<_> = scanned.filter(|line| !is_small(line)).collect();
        assert!(scanned.is_empty(), "{sql}: {plan:#?}");
        assert!(plan.iter().any(|line| line.contains(index)), "{sql}: {plan:#?}");
    }
}

/// The rows of a page are found without reading those that are not on it, and are not sorted first.
#[test]
fn lists_are_read_in_their_order() {
    let dir = tempfile::tempdir().unwrap();
    let town = Sqlite::open(&dir.path().join("town.db"), &[1; 32]).unwrap();
    let page = plan(&town, inbox::PAGE_OF).concat();
    assert!(page.contains("USING COVERING INDEX inbox_list"), "{page}");
    let lists = [desk_task::PAGE_OF, exports::PATROLS, exports::CHECKS, map::DUE, feed::READABLE];
    for sql in lists.into_iter().chain([notices::NEWEST]) {
        let plan = plan(&town, sql);
        assert!(!plan.iter().any(|line| line.contains("TEMP B-TREE")), "{sql}: {plan:#?}");
    }
    for (what, index) in [("", "audit"), ("act", "audit_act"), ("by", "audit_by")] {
        let text = |name| if what == name { "x".to_owned() } else { String::new() };
        let asked = AuditSearch { act: text("act"), by: text("by"), ..AuditSearch::default() };
        let plan = plan(&town, &audit::search_sql(&asked)).concat();
        assert!(plan.contains(index) && !plan.contains("TEMP B-TREE"), "{what}: {plan}");
    }
}
