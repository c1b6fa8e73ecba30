use serde_json::json;

use super::*;

fn of(kind: Kind, field: &str, text: &str) -> Result<Option<Value>, Problem> {
    typed(&kind, field, text).map(|(_, value)| value).map_err(|invalid| invalid.problem)
}

#[test]
fn a_typed_position_is_degrees() {
    let value = of(Kind::Hazard, "position", "24.6100001, 99.2").unwrap().unwrap();
    assert_eq!(value.get("lat"), Some(&Value::Int(246_100_001)));
    assert_eq!(value.get("lon"), Some(&Value::Int(992_000_000)));
    for bad in ["0,0", "91,0", "24.6", "abc", "24.6,181", "NaN,1"] {
        assert!(matches!(of(Kind::Hazard, "position", bad), Err(Problem::WrongType(_))), "{bad}");
    }
}

#[test]
fn a_typed_time_without_a_zone_is_the_towns() {
    let at = |text| of(Kind::Hazard, "seen_at", text).unwrap().unwrap().as_int().unwrap();
    assert_eq!(at("2026-11-24T08:30"), at("2026-11-24T00:30:00Z"));
    assert_eq!(at("2026-11-24 08:30:00"), at("2026-11-24T08:30:00+08:00"));
    assert_eq!(at("1795480200"), 1_795_480_200);
    assert_eq!(at("2026-11-24"), at("2026-11-23T16:00:00Z"));
    assert!(of(Kind::Hazard, "seen_at", "yesterday").is_err());
}

#[test]
fn an_empty_value_removes_and_an_unknown_field_is_refused() {
    assert_eq!(of(Kind::Hazard, "title", "").unwrap(), None);
    assert_eq!(of(Kind::Hazard, "ethnicity", "x"), Err(Problem::UnknownField));
    assert_eq!(of(Kind::Household, "id_card", "x"), Err(Problem::UnknownField));
}

#[test]
fn words_lists_and_objects_are_read_by_their_shape() {
    assert_eq!(of(Kind::Patrol, "members", "4").unwrap(), Some(Value::Int(4)));
    assert!(of(Kind::Patrol, "members", "four").is_err());
    let list = of(Kind::Notice, "roles", "chief, volunteer").unwrap().unwrap();
    assert_eq!(list.as_list().unwrap().len(), 2);
    let answer = of(Kind::HouseholdCheck, "answers.gas_hose", r#"{"answer":"fine"}"#).unwrap();
    assert_eq!(answer.unwrap().get("answer"), Some(&Value::text("fine")));
    assert!(of(Kind::HouseholdCheck, "answers.gas_hose", "fine").is_err());
}

#[test]
fn json_takes_positions_in_degrees_or_as_stored() {
    let read = |json| from_json(&Kind::Hazard, &json).map_err(|invalid| invalid.problem);
    let degrees = read(json!({ "position": { "lat": 24.61, "lon": 99.2 } })).unwrap();
    let stored = read(json!({ "position": { "lat": 246_100_000, "lon": 992_000_000 } })).unwrap();
    assert_eq!(degrees, stored);
    let whole = read(json!({ "position": { "lat": 24, "lon": 99, "accuracy_cm": 500 } })).unwrap();
    let value = whole.values().next().unwrap().as_ref().unwrap();
    assert_eq!(value.get("lat"), Some(&Value::Int(240_000_000)));
    assert_eq!(value.get("accuracy_cm"), Some(&Value::Int(500)));
    assert_eq!(read(json!({ "title": null })).unwrap().values().next(), Some(&None));
    assert!(read(json!({ "seen_at": 1.5 })).is_err());
    assert!(read(json!(["title"])).is_err());
    assert_eq!(read(json!({ "religion": "x" })), Err(Problem::UnknownField));
}
