use std::collections::BTreeMap;

use super::*;
use crate::dot::Dot;
use crate::ids::{AccountId, RecordId, ReplicaId};
use crate::record::Change;

/// 2026-11-24 16:30 UTC: the 25th in the town.
const NOW: i64 = 1_795_537_800;

fn with(kind: Kind, fields: &[(&str, Value)]) -> Record {
    let author = AccountId::from_bytes([1; 16]);
    let mut record = Record::new(RecordId::from_bytes([2; 16]), kind, author);
    let change = |value: &Value| Change { replaces: Vec::new(), value: Some(value.clone()) };
    let changes: BTreeMap<_, _> =
        fields.iter().map(|(path, value)| (path.parse().unwrap(), change(value))).collect();
    record.put(&changes, Dot::new(ReplicaId([1; 16]), 1));
    record
}

fn status(kind: Kind, word: &str) -> Record {
    with(kind, &[("status", Value::text(word))])
}

#[test]
fn days_are_those_of_the_calendar() {
    for (days, text) in
        [(0, "1970-01-01"), (-1, "1969-12-31"), (11_016, "2000-02-29"), (20_781, "2026-11-24")]
    {
        assert_eq!(civil_day(days), text);
    }
}

#[test]
fn open_cases_are_never_finished() {
    for word in crate::hazard::STATUS {
        let finished = ["closed", "unfounded", "merged"].contains(word);
        assert_eq!(is_finished(&status(Kind::Hazard, word), NOW), finished, "{word}");
    }
    for word in crate::task::STATUS {
        let finished = ["done", "declined", "cancelled"].contains(word);
        assert_eq!(is_finished(&status(Kind::Task, word), NOW), finished, "{word}");
    }
}

#[test]
fn a_case_with_siblings_is_never_finished() {
    let mut record = status(Kind::Hazard, "closed");
    let change = Change { replaces: Vec::new(), value: Some(Value::text("another title")) };
    let path: crate::FieldPath = "status".parse().unwrap();
    record.put(&BTreeMap::from([(path, change)]), Dot::new(ReplicaId([2; 16]), 1));
    assert!(!is_finished(&record, NOW));
}

#[test]
fn a_deleted_record_is_finished_and_a_contested_one_is_not() {
    let mut record = status(Kind::Hazard, "reported");
    let (path, change) = deletion::delete(&record);
    record.put(&BTreeMap::from([(path, change)]), Dot::new(ReplicaId([1; 16]), 2));
    assert!(is_finished(&record, NOW));
    let change = Change { replaces: Vec::new(), value: Some(Value::text("seen again")) };
    let path: crate::FieldPath = "title".parse().unwrap();
    record.put(&BTreeMap::from([(path, change)]), Dot::new(ReplicaId([2; 16]), 1));
    assert!(!is_finished(&record, NOW));
}

#[test]
fn a_check_is_finished_on_the_day_after_it_was_due() {
    let due = |day: &str| with(Kind::HouseholdCheck, &[("due_on", Value::text(day))]);
    assert!(is_finished(&due("2026-11-24"), NOW), "the 25th has begun in the town");
    assert!(!is_finished(&due("2026-11-25"), NOW));
    assert!(!is_finished(&due("someday"), NOW));
    assert!(is_finished(&with(Kind::HouseholdCheck, &[("note", Value::text("n"))]), NOW));
}

#[test]
fn what_is_in_force_or_unknown_stays() {
    for kind in [Kind::Household, Kind::Grid, Kind::Template, "dispute".parse().unwrap()] {
        assert!(!is_finished(&with(kind, &[("note", Value::text("n"))]), NOW));
    }
    let notice = |until| with(Kind::Notice, &[("valid_until", Value::Int(until))]);
    assert!(is_finished(&notice(NOW - 1), NOW));
    assert!(!is_finished(&notice(NOW + 1), NOW));
    assert!(!is_finished(&with(Kind::Notice, &[]), NOW));
    assert!(is_finished(&with(Kind::Patrol, &[("ended_at", Value::Int(1))]), NOW));
    assert!(!is_finished(&with(Kind::Patrol, &[("started_at", Value::Int(1))]), NOW));
}
