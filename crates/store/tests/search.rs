//! Search finds Chinese words of two characters inside longer text, takes no question for an expression,
//! and follows every edit; the neighbourhood is exact to the metre that geodesy gives.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails where it stands"
)]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{OTHER, Phone, in_view, position};
use yaoguan_model::{Dot, Kind, RecordId, deletion, geodesy};
use yaoguan_store::search::expression;

fn found(phone: &Phone, question: &str) -> BTreeSet<RecordId> {
    let hits = phone.store.search(question, None, 100).unwrap();
    let ids: BTreeSet<_> = hits.iter().map(|hit| hit.record.id).collect();
    assert_eq!(ids.len(), hits.len(), "a record stands twice in the answer to {question}");
    ids
}

#[track_caller]
fn assert_finds(phone: &Phone, question: &str, expected: &[RecordId]) {
    assert_eq!(found(phone, question), expected.iter().copied().collect(), "{question}");
}

#[test]
fn words_are_found_inside_longer_text() {
    let mut phone = Phone::new();
    let slope = phone.hazard("雨后山体滑坡了，路不通");
    let wire = phone.hazard("三楼电线老化");
    for word in ["滑坡", "山体", "体滑", "坡了", "山体滑坡", "体滑坡"] {
        assert_finds(&phone, word, &[slope]);
    }
    for word in ["电线", "线老化", "三楼电线老化"] {
        assert_finds(&phone, word, &[wire]);
    }
    // The characters are there, but not as this word.
    for word in ["坡滑", "山滑", "线化"] {
        assert_finds(&phone, word, &[]);
    }
}

#[test]
fn rare_han_characters_are_words_of_two_as_well() {
    let mut phone = Phone::new();
    let id = phone.hazard("在𠀀㐀村口");
    assert_finds(&phone, "𠀀㐀", &[id]);
    assert_finds(&phone, "㐀村", &[id]);
}

#[test]
fn han_and_latin_mix_and_case_does_not_matter() {
    let mut phone = Phone::new();
    let pipe = phone.hazard("DN200燃气管道 Leak 在A区B栋");
    for word in ["dn200", "DN200燃气", "leak", "LEAK", "a区", "A区b栋", "00燃", "Ns", "200燃气管道"]
    {
        let expected: &[_] = if word == "Ns" { &[] } else { &[pipe] };
        assert_finds(&phone, word, expected);
    }
}

#[test]
fn every_word_must_occur() {
    let mut phone = Phone::new();
    let both = phone.hazard("滑坡堵了消防通道");
    let one = phone.hazard("滑坡");
    assert_finds(&phone, "滑坡", &[both, one]);
    assert_finds(&phone, "滑坡 消防", &[both]);
    assert_finds(&phone, " 消防　滑坡\t", &[both]);
    assert_finds(&phone, "滑坡 洪水", &[]);
}

#[test]
fn words_of_one_record_are_found_across_its_paths() {
    let mut phone = Phone::new();
    let fields = [
        ("title", "滑坡".into()),
        ("description", "石头还在掉".into()),
        ("address", "清平村口".into()),
        ("due_on", "2026-11-24".into()),
    ];
    let id = phone.create(Kind::Hazard, &fields);
    assert_finds(&phone, "滑坡 石头 清平", &[id]);
    // Only what the kind names is searched, and words do not run from one path into the next.
    assert_finds(&phone, "2026-11-24", &[]);
    assert_finds(&phone, "滑坡石头", &[]);
}

#[test]
fn kind_and_limit_narrow_the_answer() {
    let mut phone = Phone::new();
    let hazard = phone.hazard("滑坡一号");
    let notice = phone.create(Kind::Notice, &[("text", "当心滑坡".into())]);
    let task = phone.create(Kind::Task, &[("words", "去看滑坡".into())]);
    assert_finds(&phone, "滑坡", &[hazard, notice, task]);
    for (kind, id) in [(Kind::Hazard, hazard), (Kind::Notice, notice), (Kind::Task, task)] {
        let hits = phone.store.search("滑坡", Some(&kind), 9).unwrap();
        assert_eq!(hits.iter().map(|hit| hit.record.id).collect::<Vec<_>>(), [id]);
    }
    assert_eq!(phone.store.search("滑坡", Some(&Kind::Patrol), 9).unwrap().len(), 0);
    for limit in 0..4 {
        let count = phone.store.search("滑坡", None, limit).unwrap().len();
        assert_eq!(count, usize::try_from(limit).unwrap().min(3));
    }
    // The kind is asked before the limit is counted.
    assert_eq!(phone.store.search("滑坡", Some(&Kind::Task), 1).unwrap().len(), 1);
}

#[test]
fn operators_in_a_question_are_plain_text() {
    let mut phone = Phone::new();
    let plain = phone.hazard("滑坡 flood");
    let marks = phone.hazard("写着 \"滑坡\"* NEAR(abc def) title:x -not ^first {a b} AND OR");
    for question in [
        "\"",
        "\"\"",
        "\"\"\"",
        "*",
        "OR",
        "AND",
        "NOT",
        "NEAR(",
        "-",
        "^",
        ":",
        "(",
        ")",
        "{",
        "}",
        "+",
        ",",
        "'",
        ";",
        "\0",
        "\u{1}",
        "\u{1}\u{1}\u{1}",
        "\\",
        "滑坡\"",
        "\"滑坡",
        "滑坡*",
        "^滑坡",
        "-滑坡",
        "text:滑坡",
        "search:滑坡",
        "NEAR(滑坡 flood)",
        "(滑坡",
        "滑坡)",
        "flood*",
        "flo*",
        "滑坡\0",
        "'; DROP TABLE record; --",
        "%",
        "_",
        "",
    ] {
        // Neither an error nor a match of what is not written.
        for id in found(&phone, question) {
            let title = phone.record(id).shown_text("title").unwrap().to_lowercase();
            let shown = question.replace(['\0', '\u{1}'], "").to_lowercase();
            let long = shown.split_whitespace().filter(|word| word.chars().count() > 1);
            for word in long.filter(|word| !matches!(*word, "or")) {
                assert!(title.contains(word), "{question} finds {title}");
            }
        }
    }
    assert_finds(&phone, "\"滑坡\"*", &[marks]);
    assert_finds(&phone, "near(abc", &[marks]);
    assert_finds(&phone, "title:x", &[marks]);
    assert_finds(&phone, "-not", &[marks]);
    assert_finds(&phone, "^first", &[marks]);
    assert_finds(&phone, "滑坡 AND flood", &[]);
    assert_finds(&phone, "滑坡 OR flood", &[]);
    assert_finds(&phone, "滑坡 flood", &[plain]);
    assert_finds(&phone, "滑坡", &[plain, marks]);
}

#[test]
fn one_han_character_is_found_and_a_letter_or_two_where_a_word_begins() {
    let mut phone = Phone::new();
    let id = phone.hazard("山体滑坡 abc 13号");
    for short in ["滑", "坡", "山", "号", "ab", "a", "1", "13", "滑 滑坡"] {
        assert_finds(&phone, short, &[id]);
    }
    for elsewhere in ["土", "bc", "c", "3"] {
        assert_finds(&phone, elsewhere, &[]);
    }
    for nothing in ["", "  ", "\"\"", "*"] {
        assert_eq!(expression(nothing), None, "{nothing}");
        assert_finds(&phone, nothing, &[]);
    }
}

#[test]
fn deleted_is_not_found_and_found_again_when_taken_back() {
    let mut phone = Phone::new();
    let id = phone.hazard("滑坡");
    phone.change(id, &BTreeMap::from([deletion::delete(&phone.record(id))]));
    assert_finds(&phone, "滑坡", &[]);
    phone.change(id, &BTreeMap::from([deletion::undelete(&phone.record(id))]));
    assert_finds(&phone, "滑坡", &[id]);
    phone.remove(id);
    assert_finds(&phone, "滑坡", &[]);
}

#[test]
fn contested_deletion_is_found() {
    let mut phone = Phone::new();
    let id = phone.hazard("滑坡");
    let mut other = phone.record(id);
    phone.change(id, &BTreeMap::from([deletion::delete(&other)]));
    assert_finds(&phone, "滑坡", &[]);
    let edit = in_view(&other, &[("description", Some("又塌了".into()))]);
    other.put(&edit, Dot::new(OTHER, 1));
    phone.pull(&other);
    assert_finds(&phone, "滑坡", &[id]);
    assert_finds(&phone, "塌了", &[id]);
}

#[test]
fn edited_text_is_found_by_the_new_words_only() {
    let mut phone = Phone::new();
    let id = phone.hazard("山体滑坡");
    phone.edit(id, &[("title", Some("电线老化".into()))]);
    assert_finds(&phone, "滑坡", &[]);
    assert_finds(&phone, "电线", &[id]);
    phone.edit(id, &[("title", None)]);
    assert_finds(&phone, "电线", &[]);
    phone.edit(id, &[("title", Some("滑坡".into()))]);
    assert_finds(&phone, "滑坡", &[id]);
}

#[test]
fn words_of_every_sibling_are_found() {
    let mut phone = Phone::new();
    let id = phone.hazard("未知");
    let mut other = phone.record(id);
    phone.edit(id, &[("title", Some("山体滑坡".into()))]);
    let edit = in_view(&other, &[("title", Some("电线老化".into()))]);
    other.put(&edit, Dot::new(OTHER, 1));
    phone.pull(&other);
    assert_eq!(phone.record(id).siblings("title").len(), 2);
    assert_finds(&phone, "滑坡", &[id]);
    assert_finds(&phone, "电线", &[id]);
    assert_finds(&phone, "未知", &[]);
    // A person settles it: only what was chosen is found.
    phone.edit(id, &[("title", Some("山体滑坡".into()))]);
    assert_finds(&phone, "滑坡", &[id]);
    assert_finds(&phone, "电线", &[]);
}

#[test]
fn unsent_is_told_with_the_hit() {
    let mut phone = Phone::new();
    let id = phone.hazard("滑坡");
    assert!(phone.store.search("滑坡", None, 1).unwrap()[0].unsent);
    phone.confirm(id);
    assert!(!phone.store.search("滑坡", None, 1).unwrap()[0].unsent);
}

fn placed(phone: &mut Phone, north_m: f64, east_m: f64) -> RecordId {
    let at = position(north_m, east_m).to_value("gps");
    phone.create(Kind::Hazard, &[("position", at)])
}

#[test]
fn nearby_holds_what_is_within_the_radius_nearest_first() {
    let mut phone = Phone::new();
    let centre = position(0.0, 0.0);
    let far = placed(&mut phone, 30.0, 20.0);
    let near = placed(&mut phone, -5.0, 0.0);
    let here = placed(&mut phone, 0.0, 0.0);
    // In the corner of the box around the circle, but outside of the circle.
    let corner = placed(&mut phone, 45.0, -45.0);
    placed(&mut phone, 0.0, 300.0);
    phone.create(Kind::Hazard, &[("title", "无位置".into())]);
    phone.create(Kind::Household, &[("position", centre.to_value("gps"))]);

    let near_50 = phone.store.nearby(&Kind::Hazard, centre, 50.0).unwrap();
    let ids: Vec<_> = near_50.iter().map(|(record, _)| record.id).collect();
    assert_eq!(ids, [here, near, far]);
    assert!(near_50.is_sorted_by(|a, b| a.1 <= b.1));
    assert!(near_50[0].1 < 0.1 && (near_50[1].1 - 5.0).abs() < 0.1);
    let ids: Vec<_> = phone.store.nearby(&Kind::Hazard, centre, 70.0).unwrap();
    assert_eq!(ids.last().unwrap().0.id, corner);
}

#[test]
fn nearby_agrees_with_the_distance_to_every_record() {
    let mut phone = Phone::new();
    phone.env = common::Seeded::new(5);
    let mut all = Vec::new();
    for _ in 0..120 {
        let metres = |n: usize| n as f64 - 200.0;
        let (north, east) = (metres(phone.env.below(400)), metres(phone.env.below(400)));
        all.push((placed(&mut phone, north, east), position(north, east)));
    }
    let centre = position(3.0, -4.0);
    for radius in [0.0, 10.0, 50.0, 120.0, 199.5] {
        let mut expected: Vec<_> = all
            .iter()
            .map(|(id, at)| (geodesy::distance_m(centre, *at), *id))
            .filter(|(distance, _)| *distance <= radius)
            .collect();
        expected.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let found = phone.store.nearby(&Kind::Hazard, centre, radius).unwrap();
        let found: Vec<_> = found.iter().map(|(record, distance)| (*distance, record.id)).collect();
        assert_eq!(found, expected, "{radius} m");
    }
}

#[test]
fn nearby_follows_moves_and_deletions() {
    let mut phone = Phone::new();
    let centre = position(0.0, 0.0);
    let id = placed(&mut phone, 0.0, 0.0);
    let count = |phone: &Phone| phone.store.nearby(&Kind::Hazard, centre, 50.0).unwrap().len();
    phone.edit(id, &[("position", Some(position(900.0, 0.0).to_value("map")))]);
    assert_eq!(count(&phone), 0);
    phone.edit(id, &[("position", Some(position(9.0, 0.0).to_value("map")))]);
    assert_eq!(count(&phone), 1);
    phone.change(id, &BTreeMap::from([deletion::delete(&phone.record(id))]));
    assert_eq!(count(&phone), 0);
}
