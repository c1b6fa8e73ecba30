//! What is refused: exit code 1, a code for programs, words in both languages, and nothing changed.

mod enrolment;
mod usage;

use serde_json::{Value, json};

use crate::GRID;
use crate::phone::Phone;
use crate::town::Town;

/// A grid of another village.
const OTHER_GRID: &str = "530521103202001";

fn has_han(text: &str) -> bool {
    text.chars().any(|c| ('\u{4E00}'..='\u{9FFF}').contains(&c))
}

/// Runs the command in every way; nothing on the phone may change.
fn assert_refused(phone: &Phone, arguments: &[&str], code: &str) {
    let before = phone.all();
    let error = phone.run(arguments).error();
    assert_eq!(error["code"], code, "{arguments:?}: {error}");
    for (lang, is_chinese) in [("en", false), ("zh", true)] {
        let said = phone.say(lang, arguments);
        assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{said}");
        assert!(said.err.trim().len() > 10, "{said}");
        assert_eq!(has_han(&said.err), is_chinese, "{said}");
    }
    assert_eq!(phone.all(), before, "{arguments:?} changed something");
}

/// A town with one report by a chief, on all phones of its grid.
struct Case {
    town: Town,
    chief: Phone,
    report: String,
}

impl Case {
    fn new() -> Self {
        let town = Town::serving();
        let chief = town.phone("chief", "chief", GRID);
        let report = chief.add("hazard", &["category=fire", "title=Stove", "seen_at=2026-11-24"]);
        chief.sync();
        Self { town, chief, report }
    }
}

#[test]
fn fields_and_values_that_the_schema_has_not() {
    let Case { chief, report, .. } = &Case::new();
    let long = format!("title={}", "长".repeat(201));
    let cases: [(&[&str], &str); 9] = [
        (&["--set", "category=fire", "--set", "colour=red"], "unknown_field"),
        (&["--set", "category=fire", "--set", "religion=none"], "unknown_field"),
        (&["--set", "title=No category"], "missing_field"),
        (&["--set", "category=dragon"], "invalid_value"),
        (&["--set", "category=fire", "--set", "seen_at=yesterday"], "invalid_value"),
        (&["--set", "category=fire", "--set", "position=0,0"], "invalid_value"),
        (&["--set", "category=fire", "--set", "position=91,99"], "invalid_value"),
        (&["--set", "category=fire", "--set", &long], "too_large"),
        (&["--set", "category"], "not_a_pair"),
    ];
    for (sets, code) in cases {
        assert_refused(chief, &[&["add", "hazard"], sets].concat(), code);
    }
    for (edit, code) in [
        ("colour=red", "unknown_field"),
        ("category=dragon", "invalid_value"),
        ("category=", "missing_field"),
        ("recorded_at={\"at\":1}", "immutable"),
        ("title=Stove", "nothing_to_change"),
    ] {
        assert_refused(chief, &["edit", report, "--set", edit], code);
    }
}

#[test]
fn fields_of_a_json_file_are_held_to_the_same_rules() {
    let Case { chief, .. } = &Case::new();
    let file = chief.file("record.json");
    let path = file.to_str().unwrap();
    for (content, code) in [
        (json!({ "category": "fire", "colour": "red" }), "unknown_field"),
        (json!({ "category": "fire", "position": { "lat": 0, "lon": 0 } }), "invalid_value"),
        (json!({ "category": 7 }), "invalid_value"),
        (json!({ "title": "No category" }), "missing_field"),
        (json!(["category"]), "invalid_value"),
    ] {
        std::fs::write(&file, content.to_string()).unwrap();
        assert_refused(chief, &["add", "hazard", "--from", path], code);
    }
    std::fs::write(&file, "{").unwrap();
    assert_refused(chief, &["add", "hazard", "--from", path], "not_json");
    assert_refused(chief, &["add", "hazard", "--from", "absent.json"], "bad_file");
}

#[test]
fn grids_that_are_not_the_towns_or_not_ones_own() {
    let Case { town, chief, .. } = &Case::new();
    let add = ["add", "hazard", "--set", "category=fire", "--set"];
    assert_refused(chief, &[&add[..], &["grid=530521103299001"]].concat(), "unknown_grid");
    assert_refused(chief, &[&add[..], &["grid=5305"]].concat(), "invalid_value");
    let household = ["add", "household", "--set", "address=1 Lane", "--set"];
    let foreign = format!("grid={OTHER_GRID}");
    assert_refused(chief, &[&household[..], &[&foreign]].concat(), "foreign_grid");
    let error = town.run(&["invite", "--role", "chief", "--grid", "530521103299001"]).error();
    assert_eq!(error["code"], "no_such_grid");
    let said = town.say("zh", &["invite", "--role", "chief", "--grid", "530521103299001"]);
    assert!(said.code == Some(1) && has_han(&said.err), "{said}");
    // A supervisor of the whole town has many grids: without a position none of them is meant.
    let supervisor = town.bare_phone("supervisor");
    let invite = town.ok(&["invite", "--role", "supervisor"]);
    supervisor.ok(&["enrol", invite["uri"].as_str().unwrap()]);
    assert_refused(&supervisor, &["add", "hazard", "--set", "category=fire"], "grid_missing");
}

#[test]
fn steps_that_are_not_allowed_or_lack_their_reason() {
    let Case { town, chief, report } = &Case::new();
    assert_refused(chief, &["edit", report, "--set", "status=closed"], "step_not_allowed");
    assert_refused(chief, &["edit", report, "--set", "status=verified"], "step_not_allowed");
    assert_refused(
        chief,
        &["add", "hazard", "--set", "category=fire", "--set", "status=closed"],
        "step_not_allowed",
    );
    let supervisor = town.phone("supervisor", "supervisor", GRID);
    assert_refused(&supervisor, &["edit", report, "--set", "status=returned"], "note_missing");
    assert_refused(&supervisor, &["edit", report, "--set", "status=rectified2"], "invalid_value");
    supervisor.ok(&["edit", report, "--set", "status=returned", "--note", "Which house?"]);
}

#[test]
fn what_a_volunteer_may_not_do() {
    let Case { town, report, .. } = &Case::new();
    let volunteer = town.phone("volunteer", "volunteer", GRID);
    assert_eq!(volunteer.show(report)["fields"]["title"], "Stove");
    assert_refused(&volunteer, &["edit", report, "--set", "title=Mine"], "not_allowed");
    assert_refused(&volunteer, &["delete", report], "not_allowed");
    assert_refused(&volunteer, &["edit", report, "--set", "status=rectified"], "not_allowed");
    assert_refused(&volunteer, &["add", "household", "--set", "address=1 Lane"], "not_allowed");
    assert_refused(
        &volunteer,
        &["add", "notice", "--set", "title=Hear", "--set", "text=Me"],
        "not_allowed",
    );
    // Own reports stay one's own.
    let own = volunteer.add("hazard", &["category=road"]);
    volunteer.edit(&own, "title=Hole");
    assert_eq!(volunteer.sync()["refused"], 0);
}

#[test]
fn records_that_are_not_there_and_conflicts_that_are_none() {
    let Case { chief, report, .. } = &Case::new();
    let absent = "0197a0a0-0000-7000-8000-000000000001";
    for arguments in [
        &["show", absent][..],
        &["edit", absent, "--set", "title=x"],
        &["delete", absent],
        &["undelete", absent],
        &["resolve", absent, "--set", "title=x"],
    ] {
        assert_refused(chief, arguments, "not_found");
    }
    assert_refused(chief, &["resolve", report, "--set", "title=x"], "not_in_conflict");
    assert_refused(chief, &["resolve", report, "--keep", "title=3"], "no_such_sibling");
    assert_refused(chief, &["resolve", report], "nothing_to_change");
    assert_refused(chief, &["undelete", report], "nothing_to_change");
    assert_refused(chief, &["edit", report], "nothing_to_change");
    assert_refused(chief, &["nearby", "fire", "0,0"], "invalid_value");
}

#[test]
fn files_that_cannot_be_imported() {
    let Case { chief, .. } = &Case::new();
    let [table, mapping, rejects] =
        ["t.csv", "m.toml", "r.csv"].map(|name| chief.file(name).to_str().unwrap().to_owned());
    let import = ["import", "hazards", &table, "--mapping", &mapping, "--rejects", &rejects];
    assert_refused(chief, &import, "bad_file");
    std::fs::write(&table, "id,what\n1,fire\n").unwrap();
    std::fs::write(&mapping, "kind = \"hazard\"\ncolour = 1\n").unwrap();
    assert_refused(chief, &import, "bad_mapping");
    let real = std::fs::read_to_string(crate::real::mapping()).unwrap();
    // A rule that would record what may not be recorded.
    std::fs::write(&mapping, format!("{real}\n[field.religion]\ncolumns = [\"country\"]\n"))
        .unwrap();
    assert_refused(chief, &import, "bad_mapping");
    std::fs::write(&mapping, real).unwrap();
    assert_refused(chief, &import, "bad_file");
    assert_refused(chief, &["import", "track", &table], "bad_file");
    assert_refused(chief, &["import", "track", "absent.gpx"], "bad_file");
    let out = "/nowhere/at/all.csv";
    assert_refused(chief, &["export", "hazards", "--format", "csv", "--out", out], "bad_file");
}

/// The error's place is the field, so that a screen can point to it.
#[test]
fn an_error_names_the_field_it_is_about() {
    let Case { chief, .. } = &Case::new();
    let set = ["add", "hazard", "--set", "category=fire", "--set", "colour=red"];
    let error: Value = chief.run(&set).error();
    assert_eq!(error["path"], "colour");
    assert!(error["message"].as_str().unwrap().contains("colour"), "{error}");
}
