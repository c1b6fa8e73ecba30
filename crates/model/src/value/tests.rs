//! What is read as a value and what is refused.

use super::*;

fn read(json: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str(json)
}

#[test]
fn integers_reach_to_2_53_minus_1_on_both_sides() {
    assert_eq!(read("9007199254740991").unwrap(), Value::Int(MAX_INTEGER));
    assert_eq!(read("-9007199254740991").unwrap(), Value::Int(-MAX_INTEGER));
    for text in
        ["9007199254740992", "-9007199254740992", "9223372036854775807", "18446744073709551615"]
    {
        assert!(read(text).is_err(), "{text}");
    }
}

#[test]
fn what_has_a_fraction_or_an_exponent_is_refused() {
    for text in ["1.5", "1.0", "1e3", "-0.0", "[1, 2.5]", r#"{"a": 1e400}"#, "18446744073709551616"]
    {
        assert!(read(text).is_err(), "{text}");
    }
}

#[test]
fn lone_surrogates_and_broken_utf8_are_refused() {
    for text in [r#""\ud800""#, r#""\udc00\ud800""#, r#"{"\udfff": 1}"#] {
        assert!(read(text).is_err(), "{text}");
    }
    assert_eq!(read(r#""\ud83d\ude00""#).unwrap(), Value::from("😀"));
    assert!(serde_json::from_slice::<Value>(b"\"\xff\"").is_err());
}

#[test]
fn a_key_that_stands_twice_is_refused_at_every_level() {
    assert!(read(r#"{"a": 1, "a": 1}"#).is_err());
    assert!(read(r#"[{"x": {"a": 1, "\u0061": 2}}]"#).is_err());
    assert!(read(r#"{"a": {"a": 1}, "b": {"a": 1}}"#).is_ok());
}

#[test]
fn nesting_is_bounded_while_reading() {
    let nested = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    assert!(read(&nested(7)).is_ok());
    // serde_json's own bound: a hostile text cannot exhaust the stack.
    assert!(read(&nested(100_000)).is_err());
}

#[test]
fn keys_are_written_in_the_order_of_utf16() {
    let value = Value::map([("\u{e000}", 1.into()), ("😀", 2.into()), ("é", Value::Null)]);
    assert_eq!(serde_json::to_string(&value).unwrap(), "{\"é\":null,\"😀\":2,\"\u{e000}\":1}");
}

#[test]
fn entries_are_found_in_maps_alone() {
    let value = Value::map([("a", true.into())]);
    assert_eq!(value.get("a").and_then(Value::as_bool), Some(true));
    assert_eq!(value.get("b"), None);
    assert_eq!(Value::List(vec![]).get("a"), None);
}
