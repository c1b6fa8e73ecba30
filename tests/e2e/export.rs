//! Files that other programs open.

use std::process::Command;

use serde_json::Value;

use crate::GRID;
use crate::phone::Phone;
use crate::town::Town;

fn phone_with_hazards(town: &Town) -> Phone {
    let phone = town.phone("a", "chief", GRID);
    phone.add("hazard", &["category=fire", "title==1+1", "position=24.56,99.13"]);
    phone.add("hazard", &["category=road", "title=坑, \"深\"", "description=two\nlines"]);
    phone
}

#[test]
fn csv_is_what_spreadsheets_expect() {
    let town = Town::serving();
    let text = String::from_utf8(phone_with_hazards(&town).export("hazards", "csv")).unwrap();
    let text = text.strip_prefix('\u{FEFF}').expect("a byte-order mark");
    let rows: Vec<&str> = text.split_terminator("\r\n").collect();
    assert!(text.ends_with("\r\n") && rows.len() == 3, "{text}");
    assert!(text.contains("'=1+1") && !text.contains(",=1+1"), "a formula is neutralised: {text}");
    assert!(text.contains("\"坑, \"\"深\"\"\"") && text.contains("\"two\nlines\""), "{text}");
}

#[test]
fn csv_speaks_the_persons_language() {
    let town = Town::serving();
    let phone = phone_with_hazards(&town);
    let file = phone.file("zh.csv");
    let out = file.to_str().unwrap();
    let ran = phone.say("zh", &["export", "hazards", "--format", "csv", "--out", out]);
    assert_eq!(ran.code, Some(0), "{ran}");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.lines().next().unwrap().contains("类别") && text.contains("消防"), "{text}");
}

#[test]
fn xlsx_is_a_sound_archive_with_a_sheet() {
    let town = Town::serving();
    let phone = phone_with_hazards(&town);
    let bytes = phone.export("hazards", "xlsx");
    assert!(bytes.starts_with(b"PK"));
    // Read by a program that shares nothing with the one that wrote it.
    let script = "import sys, zipfile as z; f = z.ZipFile(sys.argv[1]); assert f.testzip() is None; \
                  print(f.read('xl/worksheets/sheet1.xml').count(b'<row '))";
    let file = phone.file("hazards.xlsx");
    let output = Command::new("python3").args(["-c", script]).arg(file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "3");
}

#[test]
fn geojson_has_a_point_for_each_position_and_null_without() {
    let town = Town::serving();
    let bytes = phone_with_hazards(&town).export("hazards", "geojson");
    let file: Value = serde_json::from_slice(&bytes).unwrap();
    let features = file["features"].as_array().unwrap();
    assert_eq!(features.len(), 2);
    let with_point: Vec<&Value> = features.iter().filter(|f| !f["geometry"].is_null()).collect();
    assert_eq!(with_point.len(), 1);
    let coordinates = &with_point[0]["geometry"]["coordinates"];
    assert_eq!(coordinates, &serde_json::json!([99.13, 24.56]));
    assert_eq!(with_point[0]["properties"]["category"], "fire");
}
