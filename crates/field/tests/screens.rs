//! What the screens ask of the phone, on a real encrypted store.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails where it stands")]

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use tempfile::TempDir;
use yaoguan_field::position::{Played, PositionSource as _};
use yaoguan_field::{FormPatch, FormStart, ListQuery, Phone, Point, Settings, State, Which};
use yaoguan_model::env::System;
use yaoguan_model::geodesy::Fix;
use yaoguan_model::risk::{Answer, Level};
use yaoguan_model::{
    AccountId, Change, DeviceId, Dot, Env as _, Kind, Position, Record, RecordId, ReplicaId, Role,
    Value,
};
use yaoguan_store::Identity;
use yaoguan_sync::{Local, PhoneStore as _, Tx as _};

const GRID: &str = "530521103201001";
const OTHER: ReplicaId = ReplicaId([0xEE; 16]);

fn phone() -> (TempDir, Phone) {
    let dir = tempfile::tempdir().unwrap();
    let mut phone = Phone::create(dir.path(), Arc::new(System), "zh").unwrap();
    let identity = Identity {
        town: "https://127.0.0.1:1".to_owned(),
        town_name: "姚关镇".to_owned(),
        ca_pem: String::new(),
        device: DeviceId::from_bytes(System.random_16()),
        account: AccountId::from_bytes([7; 16]),
        name: "联防长".to_owned(),
        role: Role::Chief,
        grids: vec![GRID.parse().unwrap()],
        private_key: String::new(),
    };
    phone.store_mut().transact(|tx| tx.set_identity(&identity)).unwrap();
    (dir, phone)
}

fn start(phone: &mut Phone, kind: &str, values: serde_json::Value) -> RecordId {
    let start = FormStart { kind: Some(kind.to_owned()), record: None, values: Some(values) };
    phone.start_form(&start).unwrap().id
}

fn saved(phone: &mut Phone, kind: &str, values: serde_json::Value) -> RecordId {
    let id = start(phone, kind, values);
    phone.save_form(id).unwrap().ids[0]
}

fn list(phone: &Phone, kind: &str, words: &str) -> usize {
    let (kind, words) = (Some(kind.to_owned()), Some(words.to_owned()));
    phone.list_rows(&ListQuery { kind, words, ..ListQuery::default() }).unwrap().rows.len()
}

/// Another phone's save of these fields, as a pull brings it.
fn pulled(phone: &mut Phone, id: RecordId, account: [u8; 16], fields: &[(&str, &str)]) {
    let found = phone.store().get(id).unwrap().map(|stored| stored.record);
    let mut record =
        found.unwrap_or_else(|| Record::new(id, Kind::Hazard, AccountId::from_bytes(account)));
    let changes: BTreeMap<_, _> = fields
        .iter()
        .map(|(path, word)| {
            let change = Change { replaces: Vec::new(), value: Some(Value::text(*word)) };
            (path.parse().unwrap(), change)
        })
        .collect();
    record.put(&changes, Dot::new(OTHER, 1));
    phone
        .store_mut()
        .transact(|tx| tx.put(&Local::confirmed(record)))
        .map_err(|e: yaoguan_store::StoreError| e)
        .unwrap();
}

#[test]
fn a_form_outlives_the_app_and_goes_with_its_save() {
    let (dir, mut phone) = phone();
    let id = start(&mut phone, "hazard", json!({ "category": "slope" }));
    phone.patch_form(&FormPatch { id, values: json!({ "title": "边坡开裂" }) }).unwrap();
    drop(phone);
    let mut phone = Phone::open(dir.path(), Arc::new(System), "zh").unwrap();
    assert_eq!(phone.today().unwrap().drafts, 1);
    let form = phone.form(id).unwrap();
    assert_eq!(form.values.get("title"), Some(&Some(Value::text("边坡开裂"))));
    assert!(form.is_new);
    phone.save_form(id).unwrap();
    assert_eq!(phone.forms().unwrap().len(), 0);
    let page = phone.record_page(id).unwrap();
    assert_eq!((page.row.state, page.row.mine), (State::OnPhone, true));
    assert!(page.editable.contains(&"title"));
    assert_eq!(phone.verify().unwrap(), []);
}

#[test]
fn a_form_replaces_what_was_in_view_when_it_was_opened_and_nothing_behind_it() {
    let (_dir, mut phone) = phone();
    let id = saved(&mut phone, "hazard", json!({ "category": "slope", "title": "一" }));
    let start = FormStart { kind: None, record: Some(id), values: None };
    phone.start_form(&start).unwrap();
    pulled(&mut phone, id, [7; 16], &[("title", "二")]);
    phone.patch_form(&FormPatch { id, values: json!({ "title": "三" }) }).unwrap();
    phone.save_form(id).unwrap();
    let page = phone.record_page(id).unwrap();
    let title = page.fields.iter().find(|field| field.path.as_str() == "title").unwrap();
    assert_eq!(title.values.len(), 2, "{title:?}");
    assert_eq!(page.row.state, State::Conflict);
    assert_eq!(phone.todo().unwrap().conflicts.len(), 1);
    phone.settle(&FormPatch { id, values: json!({ "title": "二" }) }).unwrap();
    assert_eq!(phone.todo().unwrap().conflicts.len(), 0);
}

#[test]
fn what_was_returned_is_work_of_its_author_alone() {
    let (_dir, mut phone) = phone();
    let fields =
        [("status", "returned"), ("category", "fire"), ("severity", "general"), ("grid", GRID)];
    for account in [[7; 16], [9; 16]] {
        let id = System.new_record_id();
        pulled(&mut phone, id, account, &fields);
    }
    let returned = phone.todo().unwrap().returned;
    assert_eq!(returned.len(), 1);
    assert_eq!(returned[0].state, State::Returned);
}

#[test]
fn a_household_is_found_by_door_plate_and_by_initials() {
    let (_dir, mut phone) = phone();
    saved(&mut phone, "household", json!({ "address": "蒜园村上街12号" }));
    saved(&mut phone, "household", json!({ "address": "大岭岗下街7号" }));
    for words in ["12", "上街", "sycsj", "SJ12H", "蒜园村"] {
        assert_eq!(list(&phone, "household", words), 1, "{words}");
    }
    assert_eq!(list(&phone, "household", "zzz"), 0);
    assert_eq!(phone.verify().unwrap(), []);
}

#[test]
fn the_nearest_household_comes_first() {
    let (_dir, mut phone) = phone();
    for (address, lat) in [("远", 24.62), ("近", 24.6001), ("中", 24.605)] {
        let values = json!({ "address": address, "position": { "lat": lat, "lon": 99.2 } });
        saved(&mut phone, "household", values);
    }
    let near = Some(Point { lat: 24.6, lon: 99.2 });
    let query = ListQuery { kind: Some("household".to_owned()), near, ..ListQuery::default() };
    let rows = phone.list_rows(&query).unwrap().rows;
    let names: Vec<_> = rows.iter().map(|row| row.title.as_str()).collect();
    assert_eq!(names, ["近", "中", "远"]);
    assert!(rows[0].distance_m.unwrap() < 12.0);
}

#[test]
fn a_critical_problem_brings_the_household_back_in_seven_days() {
    let (_dir, mut phone) = phone();
    let household = saved(&mut phone, "household", json!({ "address": "上街1号" }));
    let answers = BTreeMap::from([("exit_blocked".to_owned(), Answer::Problem)]);
    let template = phone.check_template().unwrap();
    let critical = template.items.iter().find(|item| item.critical).unwrap().key.clone();
    let unknown = phone.assess(&answers).unwrap();
    let answers = BTreeMap::from([(critical.clone(), Answer::Problem)]);
    let risk = phone.assess(&answers).unwrap();
    assert!(unknown.level <= risk.level);
    assert_eq!((risk.level, risk.recheck_days), (Level::High, 7));
    let path = format!("answers.{critical}");
    let values = json!({ "household": household, path: { "answer": "problem" } });
    let check = saved(&mut phone, "household_check", values);
    let page = phone.record_page(check).unwrap();
    assert_eq!(page.row.due_on, risk.due_on);
    assert_eq!(page.row.title, "上街1号");
    assert_eq!(phone.todo().unwrap().due.len(), 1);
    assert_eq!(phone.record_page(household).unwrap().related.len(), 1);
}

#[test]
fn a_patrol_outlives_the_app_fix_by_fix_and_is_measured_over_all_of_them() {
    let (dir, mut phone) = phone();
    phone.start_patrol().unwrap();
    let begun = System.now_ms();
    for n in 0..100 {
        let position = Position::from_degrees(24.6 + f64::from(n) * 1e-4, 99.2).unwrap();
        let gap = if n >= 50 { 120_000 } else { 0 };
        let at_ms = Some(begun + i64::from(n) * 5_000 + gap);
        assert!(
            phone.add_fix(&Fix { position, at_ms, accuracy_cm: Some(500), ele_cm: None }).unwrap()
        );
    }
    drop(phone);
    let mut phone = Phone::open(dir.path(), Arc::new(System), "zh").unwrap();
    assert_eq!(phone.patrol_now().unwrap().unwrap().points, 100);
    let review = phone.stop_patrol().unwrap();
    assert_eq!((review.gaps, review.parts.len()), (1, 2));
    let expected_cm = 99.0 * 1107.7;
    assert!((review.distance_cm as f64 - expected_cm).abs() < 100.0, "{}", review.distance_cm);
    assert!((review.now.distance_cm - review.distance_cm).abs() < 100);
    assert!(
        !phone
            .add_fix(&Fix {
                position: Position::from_degrees(24.7, 99.2).unwrap(),
                at_ms: None,
                accuracy_cm: None,
                ele_cm: None,
            })
            .unwrap()
    );
    // What its review is given is in the store at once, and outlives the app.
    let id = review.now.id;
    phone.patch_form(&FormPatch { id, values: json!({ "note": "路上正常" }) }).unwrap();
    drop(phone);
    let mut phone = Phone::open(dir.path(), Arc::new(System), "zh").unwrap();
    assert_eq!(phone.stop_patrol().unwrap(), review, "stopped once, whoever asks again");
    assert_eq!(phone.save_patrol().unwrap().ids, [id]);
    assert_eq!((phone.patrol_now().unwrap(), phone.forms().unwrap().len()), (None, 0));
    let page = phone.record_page(id).unwrap();
    let value = |path: &str| page.fields.iter().find(|field| field.path.as_str() == path).unwrap();
    assert_eq!(value("note").values[0].value, Value::text("路上正常"));
    assert_eq!(value("members").values[0].value, Value::Int(1));
    assert_eq!(page.row.distance_cm, Some(review.distance_cm));
    assert_eq!(page.line.len(), 2);
}

#[test]
fn a_patrol_that_is_thrown_away_takes_its_form_along() {
    let (_dir, mut phone) = phone();
    phone.start_patrol().unwrap();
    let id = phone.stop_patrol().unwrap().now.id;
    phone.discard_patrol().unwrap();
    assert_eq!((phone.patrol_now().unwrap(), phone.forms().unwrap().len()), (None, 0));
    assert!(phone.form(id).is_err());
}

#[test]
fn fixes_that_are_not_to_be_believed_are_kept_and_not_measured() {
    let (_dir, mut phone) = phone();
    phone.start_patrol().unwrap();
    let begun = System.now_ms();
    let mut on_line = Vec::new();
    for n in 0..20_i32 {
        // The seventh is a kilometre away, the thirteenth says itself that it is poor.
        let wild = if n == 7 { 0.01 } else { 0.0 };
        let position = Position::from_degrees(24.6 + f64::from(n) * 1e-4 + wild, 99.2).unwrap();
        let accuracy_cm = Some(if n == 13 { 8_000 } else { 500 });
        let at_ms = Some(begun + i64::from(n) * 5_000);
        phone.add_fix(&Fix { position, at_ms, accuracy_cm, ele_cm: Some(168_100) }).unwrap();
        on_line.push(phone.patrol_now().unwrap().unwrap().on_line);
    }
    let off: Vec<usize> = (0..20).filter(|n| !on_line[*n]).collect();
    assert_eq!(off, [7, 8, 13]);
    let review = phone.stop_patrol().unwrap();
    assert_eq!((review.doubtful, review.gaps, review.now.points), (3, 0, 20));
    // Nineteen steps of 11.08 m, without the two to the wild fix and back.
    let expected_cm = 17.0 * 1_107.7;
    assert!((review.distance_cm as f64 - expected_cm).abs() < 20.0, "{}", review.distance_cm);
    assert!((review.now.distance_cm - review.distance_cm).abs() < 20);
    let id = phone.save_patrol().unwrap().ids[0];
    assert_eq!(phone.record_page(id).unwrap().row.distance_cm, Some(review.distance_cm));
    let mut out = Vec::new();
    let gpx = yaoguan_field::TrackFormat::Gpx;
    assert_eq!(phone.export_track(id, gpx, &mut out).unwrap(), 20);
    assert!(String::from_utf8(out).unwrap().contains("<ele>1681.00</ele>"));
}

#[test]
fn a_recorded_track_is_played_at_its_own_intervals() {
    let gpx = br#"<gpx version="1.1" creator="t" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>
        <trkpt lat="24.6" lon="99.2"><time>2026-01-01T00:00:00Z</time></trkpt>
        <trkpt lat="24.601" lon="99.2"><time>2026-01-01T00:01:40Z</time></trkpt></trkseg></trk></gpx>"#;
    let mut played = Played::gpx(gpx, 10).unwrap();
    assert_eq!(played.poll(1_000_000).len(), 1);
    assert_eq!(played.poll(1_009_000).len(), 0);
    let second = played.poll(1_010_000);
    assert_eq!(second[0].at_ms, Some(1_100_000));
}

#[test]
fn lists_by_state_hold_what_waits_and_the_line_says_where_the_data_is() {
    let (_dir, mut phone) = phone();
    saved(&mut phone, "hazard", json!({ "category": "gas" }));
    let query = ListQuery { which: Some(Which::Waiting), ..ListQuery::default() };
    assert_eq!(phone.list_rows(&query).unwrap().rows.len(), 1);
    let (whereabouts, health) = (phone.whereabouts().unwrap(), phone.health().unwrap());
    assert_eq!((whereabouts.waiting, whereabouts.last_contact), (1, None));
    assert!(health.waiting_bytes > 100 && health.oldest_waiting.is_some());
}

#[test]
fn settings_that_make_no_sense_become_the_standard() {
    let (dir, mut phone) = phone();
    let odd = Settings {
        lang: "xx".to_owned(),
        text_px: 77,
        theme: "outdoor".to_owned(),
        lock_after_min: 7,
        originals: "never".to_owned(),
        ..Settings::default()
    };
    phone.set_settings(&odd).unwrap();
    drop(phone);
    let phone = Phone::open(dir.path(), Arc::new(System), "zh").unwrap();
    let sound = Settings { theme: "outdoor".to_owned(), ..Settings::default() };
    assert_eq!(phone.settings().unwrap(), sound);
}
