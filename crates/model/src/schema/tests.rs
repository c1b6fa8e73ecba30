//! Every shape at its limits, and whole records.

use super::*;
use crate::{Change, Dot, Kind, ReplicaId};

const UUID: &str = "01930000-0000-7000-8000-00000000000a";

fn ok(shape: Shape, value: impl Into<Value>) -> bool {
    check(shape, &value.into()).is_ok()
}

fn problem(shape: Shape, value: impl Into<Value>) -> Problem {
    check(shape, &value.into()).unwrap_err()
}

#[test]
fn words_are_those_of_the_enumeration() {
    const WORDS: &[&str] = &["a", "b"];
    assert!(ok(Shape::Word(WORDS), "b"));
    assert_eq!(problem(Shape::Word(WORDS), "B"), Problem::NotAWord(WORDS));
    assert_eq!(problem(Shape::Word(WORDS), 1), Problem::NotAWord(WORDS));
}

#[test]
fn texts_are_counted_in_characters_not_bytes() {
    let limits = [
        (Shape::Text, limits::MAX_TEXT_CHARS),
        (Shape::Line, limits::MAX_LINE_CHARS),
        (Shape::Name, limits::MAX_NAME_CHARS),
    ];
    for (shape, max) in limits {
        assert!(ok(shape, "网".repeat(max)));
        assert_eq!(problem(shape, "网".repeat(max + 1)), Problem::TooLong(max));
        assert!(ok(shape, ""));
        assert!(matches!(problem(shape, 1), Problem::WrongType(_)));
        assert!(matches!(problem(shape, "a\u{0}b"), Problem::WrongType(_)));
    }
    assert!(ok(Shape::Text, "a\n\tb\r\n"));
}

#[test]
fn integers_lie_within_their_bounds() {
    let shape = Shape::Int { min: -1, max: 5 };
    assert!(ok(shape, -1) && ok(shape, 5));
    assert_eq!(problem(shape, 6), Problem::OutOfRange { min: -1, max: 5 });
    assert_eq!(problem(shape, -2), Problem::OutOfRange { min: -1, max: 5 });
    assert!(matches!(problem(shape, "5"), Problem::WrongType(_)));
    assert!(ok(Shape::Bool, true) && !ok(Shape::Bool, 1));
    assert!(ok(Shape::Time, -2_177_452_800) && !ok(Shape::Time, "2026-01-01"));
}

#[test]
fn dates_are_days_that_exist() {
    for day in ["2024-02-29", "2000-02-29", "2026-12-31", "0001-01-01"] {
        assert!(ok(Shape::Date, day), "{day}");
    }
    for day in [
        "2023-02-29",
        "1900-02-29",
        "2026-04-31",
        "2026-00-01",
        "2026-13-01",
        "2026-01-00",
        "2026-1-01",
        "26-01-01",
        "2026/01/01",
        "2026-01-01T",
        "+202-01-01",
        "2026-+1-01",
        "",
    ] {
        assert!(!ok(Shape::Date, day), "{day}");
    }
}

#[test]
fn ids_are_taken_in_the_one_form_that_is_written() {
    for shape in [Shape::Record, Shape::Account] {
        assert!(ok(shape, UUID));
        let other_forms = [
            UUID.to_uppercase(),
            format!("{{{UUID}}}"),
            format!("urn:uuid:{UUID}"),
            UUID.replace('-', ""),
        ];
        for text in other_forms {
            assert!(!ok(shape, text.as_str()), "{text}");
        }
    }
    assert!(ok(Shape::Grid, "530521103200001"));
    assert!(!ok(Shape::Grid, "53052110320000") && !ok(Shape::Grid, "53052110320000a"));
    assert!(ok(Shape::Hash, "0f".repeat(32)));
    assert!(!ok(Shape::Hash, "0F".repeat(32)) && !ok(Shape::Hash, "0f".repeat(31)));
}

#[test]
fn positions_lie_on_the_earth_and_not_at_zero() {
    let position = |lat: i64, lon: i64, source: &str| {
        Value::map([("lat", lat.into()), ("lon", lon.into()), ("source", source.into())])
    };
    assert!(ok(Shape::Position, position(246_000_000, 992_000_000, "gps")));
    assert!(ok(Shape::Position, position(900_000_000, -1_800_000_000, "import")));
    assert!(ok(Shape::Position, position(0, 1, "map")));
    assert!(!ok(Shape::Position, position(0, 0, "gps")));
    assert!(!ok(Shape::Position, position(900_000_001, 0, "gps")));
    assert!(!ok(Shape::Position, position(0, 1_800_000_001, "gps")));
    assert!(!ok(Shape::Position, position(1, 1, "guess")));
    assert_eq!(problem(Shape::Position, Value::map([("lat", 1.into())])), Problem::Missing);
}

#[test]
fn lists_and_objects_are_checked_to_the_ground() {
    const INTS: Shape = Shape::List(&Shape::Bool);
    let of = |n| Value::List(vec![Value::Bool(true); n]);
    assert!(ok(INTS, of(limits::MAX_LIST)));
    assert_eq!(problem(INTS, of(limits::MAX_LIST + 1)), Problem::TooMany(limits::MAX_LIST));
    assert!(!ok(INTS, Value::List(vec![Value::Int(1)])));
    let object = Shape::Object(const { &[must("a", Shape::Bool), may("b", INTS)] });
    assert!(ok(object, Value::map([("a", true.into())])));
    assert_eq!(problem(object, Value::map([("b", of(1))])), Problem::Missing);
    let more = Value::map([("a", true.into()), ("c", true.into())]);
    assert_eq!(problem(object, more), Problem::UnknownField);
    assert!(!ok(object, Value::map([("a", true.into()), ("b", 1.into())])));
    assert!(!ok(object, true));
}

#[test]
fn a_context_is_counters_by_replica() {
    let replica = ReplicaId([7; 16]).to_string();
    assert!(ok(Shape::Context, Value::map([(replica.clone(), 3.into())])));
    assert!(!ok(Shape::Context, Value::map([(replica, Value::Int(-3))])));
    assert!(!ok(Shape::Context, Value::map([("x", 3.into())])));
}

#[test]
fn elements_of_sets_have_keys_of_their_set() {
    let spec = Kind::Hazard.spec().unwrap();
    assert!(spec.find(&format!("photos.{}", "0a".repeat(32))).is_some());
    assert!(spec.find(&format!("timeline.{UUID}")).is_some());
    for path in ["photos", "photos.x", "timeline.x", "timeline", "photosx.y", "title.x", "nothing"]
    {
        assert!(spec.find(path).is_none(), "{path}");
    }
    assert!(spec.find(&format!("photos.{}.more", "0a".repeat(32))).is_none());
    let spec = Kind::HouseholdCheck.spec().unwrap();
    assert!(spec.find("answers.gas_hose").is_some());
    assert!(spec.find("answers.gas.hose").is_none());
}

fn hazard(fields: &[(&str, Value)]) -> Record {
    let (id, author) = (UUID.parse().unwrap(), UUID.parse().unwrap());
    let mut record = Record::new(id, Kind::Hazard, author);
    let set = |value: &Value| Change { replaces: vec![], value: Some(value.clone()) };
    let changes = fields.iter().map(|(p, v)| (p.parse().unwrap(), set(v))).collect();
    record.put(&changes, Dot::new(ReplicaId([1; 16]), 1));
    record
}

fn whole() -> Vec<(&'static str, Value)> {
    vec![
        ("category", "slope".into()),
        ("severity", "major".into()),
        ("grid", "530521103200001".into()),
        ("seen_at", 1_700_000_000.into()),
        ("status", "reported".into()),
    ]
}

#[test]
fn a_record_needs_what_is_required_and_nothing_unknown() {
    assert_eq!(validate(&hazard(&whole())), Ok(()));
    for (at, (path, _)) in whole().iter().enumerate() {
        let mut fields = whole();
        fields.remove(at);
        let invalid = validate(&hazard(&fields)).unwrap_err();
        assert_eq!((invalid.path.as_str(), invalid.problem), (*path, Problem::Missing));
    }
    let mut fields = whole();
    fields.push(("religion", "x".into()));
    let invalid = validate(&hazard(&fields)).unwrap_err();
    assert_eq!((invalid.path.as_str(), invalid.problem), ("religion", Problem::UnknownField));
}

#[test]
fn every_sibling_is_checked() {
    let mut record = hazard(&whole());
    let change = Change { replaces: vec![], value: Some("huge".into()) };
    record.put(&[("severity".parse().unwrap(), change)].into(), Dot::new(ReplicaId([2; 16]), 1));
    assert_eq!(validate(&record).unwrap_err().path.as_str(), "severity");
}

#[test]
fn limits_bind_a_save_one_past_the_last_allowed() {
    let photos = |n: usize| {
        let mut record = hazard(&whole());
        let change =
            || Change { replaces: vec![], value: Some(Value::map([] as [(&str, Value); 0])) };
        let path = |n: usize| format!("photos.{n:064x}").parse().unwrap();
        let changes = (0..n).map(|n| (path(n), change())).collect();
        record.put(&changes, Dot::new(ReplicaId([2; 16]), 1));
        check_limits(&record, 1)
    };
    assert_eq!(photos(limits::MAX_PHOTOS), Ok(()));
    let invalid = photos(limits::MAX_PHOTOS + 1).unwrap_err();
    assert_eq!(invalid.problem, Problem::TooMany(limits::MAX_PHOTOS));
    let mut fields = whole();
    fields.push(("description", "x".repeat(3000).into()));
    let record = hazard(&fields);
    assert_eq!(check_limits(&record, limits::MAX_RECORD_BYTES), Ok(()));
    let invalid = check_limits(&record, limits::MAX_RECORD_BYTES + 1).unwrap_err();
    assert_eq!(invalid.path.as_str(), "description");
    assert_eq!(invalid.problem, Problem::TooLarge(limits::MAX_RECORD_BYTES));
}
