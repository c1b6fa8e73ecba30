//! The built-in template is one that the town itself would take.

use std::collections::BTreeMap;

use super::*;
use crate::ids::{AccountId, RecordId, ReplicaId};
use crate::kind::Kind;
use crate::limits::MAX_TEXT_CHARS;
use crate::record::Change;
use crate::risk::{self, Answer};
use crate::{Dot, schema};

fn record(registers: BTreeMap<FieldPath, Value>) -> Record {
    let author = AccountId::from_bytes([1; 16]);
    let mut record = Record::new(RecordId::from_bytes([2; 16]), Kind::Template, author);
    let change = |value| Change { replaces: vec![], value: Some(value) };
    let changes = registers.into_iter().map(|(path, value)| (path, change(value))).collect();
    record.put(&changes, Dot::new(ReplicaId([3; 16]), 1));
    record
}

#[test]
fn the_built_in_template_is_valid_and_read_back_whole() {
    let record = record(builtin::registers().unwrap());
    assert_eq!(schema::validate(&record), Ok(()));
    let template = Template::of(&record).unwrap();
    assert_eq!((template.code.as_str(), template.version), ("home_safety", 1));
    assert_eq!(template.title_zh, "家庭安全检查");
    assert_eq!(template.items, builtin::items());
    let bytes = crate::canonical::encode(&record).len();
    assert_eq!(schema::check_limits(&record, bytes), Ok(()));
}

#[test]
fn it_has_the_17_items_and_the_critical_ones_of_the_specification() {
    let items = builtin::items();
    assert_eq!(items.len(), 17);
    let critical: Vec<&str> = items.iter().filter(|i| i.critical).map(|i| &*i.key).collect();
    let expected =
        ["ebike_indoors", "exit_blocked", "charcoal_heating", "structure_cracked", "slope_behind"];
    assert_eq!(critical, expected);
    let texts = |i: &Item| [i.zh.clone(), i.en.clone(), i.advice_zh.clone(), i.advice_en.clone()];
    assert!(items.iter().flat_map(texts).all(|text| !text.trim().is_empty()));
    assert!(items.iter().all(|item| item.zh.chars().all(|c| c.is_ascii_digit() || !c.is_ascii())));
}

#[test]
fn advice_on_every_item_fits_the_register() {
    let items = builtin::items();
    let all = items.iter().map(|item| (item.key.clone(), Answer::Problem)).collect();
    for zh in [true, false] {
        let advice = risk::advice(&items, &all, zh);
        assert_eq!(advice.lines().count(), 17);
        assert!(advice.chars().count() <= MAX_TEXT_CHARS, "{}", advice.chars().count());
    }
}

#[test]
fn a_template_with_a_broken_item_is_refused_with_its_number() {
    let mut registers = builtin::registers().unwrap();
    let mut items: Vec<Value> = builtin::items().iter().map(Item::to_value).collect();
    items[2] = Value::map([("key", Value::from("gas_alarm"))]);
    registers.insert("items".parse().unwrap(), Value::List(items));
    assert_eq!(Template::of(&record(registers)), Err(BadTemplate::Item(3)));
}

#[test]
fn keys_are_one_segment_and_stand_once() {
    let with_keys = |keys: &[&str]| {
        let mut registers = builtin::registers().unwrap();
        let item = |key: &&str| {
            let [first, ..] = &builtin::items()[..] else { panic!() };
            Item { key: (*key).to_owned(), ..first.clone() }.to_value()
        };
        let items = keys.iter().map(item).collect();
        registers.insert("items".parse().unwrap(), Value::List(items));
        Template::of(&record(registers))
    };
    assert!(with_keys(&["a", "b"]).is_ok());
    assert_eq!(with_keys(&["a.b"]), Err(BadTemplate::Key("a.b".into())));
    assert_eq!(with_keys(&["煤气"]), Err(BadTemplate::Key("煤气".into())));
    assert_eq!(with_keys(&["a", "a"]), Err(BadTemplate::KeyTwice("a".into())));
}

#[test]
fn a_template_without_a_version_is_refused() {
    let mut registers = builtin::registers().unwrap();
    registers.remove("version");
    assert_eq!(Template::of(&record(registers)), Err(BadTemplate::Register("version")));
}
