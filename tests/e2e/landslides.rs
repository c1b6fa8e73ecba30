//! 5,114 real rows on one phone, and what another phone of the same grid gets of them.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::GRID;
use crate::phone::Phone;
use crate::real::{mapping, own, shared};
use crate::town::Town;

/// What a program that shares nothing with the product counts in the file.
fn counted_independently(table: &Path) -> Value {
    let script = own("tests/independent/landslides.py");
    let output = Command::new("python3").arg(script).arg(table).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

pub(crate) fn import(phone: &Phone, table: &Path, rejects: &Path) -> Value {
    let mapping = mapping();
    let [table, mapping, rejects] = [table, &mapping, rejects].map(|path| path.to_str().unwrap());
    let arguments = ["import", "hazards", table, "--mapping", mapping, "--rejects", rejects];
    phone.ok(&arguments)
}

/// The rows of a file of rejects: line, codes, reasons.
fn rejected(file: &Path) -> Vec<(u64, String, String)> {
    let text = std::fs::read_to_string(file).unwrap();
    let text = text.strip_prefix('\u{FEFF}').expect("a byte-order mark");
    let mut lines = text.split_terminator("\r\n");
    let header = lines.next().unwrap();
    assert!(header.starts_with("line,codes,reasons,id,date,"), "{header}");
    lines
        .map(|line| {
            let mut cells = line.splitn(3, ',');
            let number = cells.next().unwrap().parse().unwrap();
            let codes = cells.next().unwrap().to_owned();
            let rest = cells.next().unwrap();
            let quoted = rest.strip_prefix('"').and_then(|r| r.split_once("\",").map(|(r, _)| r));
            let reasons = quoted.or_else(|| rest.split_once(',').map(|(r, _)| r)).unwrap();
            (number, codes, reasons.to_owned())
        })
        .collect()
}

/// Ids of the features of a GeoJSON file.
fn features(bytes: &[u8]) -> BTreeSet<String> {
    let file: Value = serde_json::from_slice(bytes).unwrap();
    assert_eq!(file["type"], "FeatureCollection");
    let features = file["features"].as_array().unwrap();
    let ids: BTreeSet<String> =
        features.iter().map(|feature| feature["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids.len(), features.len(), "an id stands twice");
    assert!(features.iter().all(|feature| feature["geometry"]["type"] == "Point"));
    ids
}

#[test]
fn five_thousand_real_rows_go_from_one_phone_to_another() {
    let Some(table) = shared("landslides-2007-2012.csv") else { return };
    let expected = counted_independently(&table);
    let town = Town::serving();
    let (a, b) = (town.phone("a", "chief", GRID), town.phone("b", "chief", GRID));

    let first = import(&a, &table, &a.file("rejects.csv"));
    assert_eq!(first["read"], 5_114);
    for name in ["read", "imported", "rejected", "already"] {
        assert_eq!(first[name], expected[name], "{name}");
    }
    let rejects = rejected(&a.file("rejects.csv"));
    let lines: Vec<u64> = rejects.iter().map(|(line, ..)| *line).collect();
    assert_eq!(serde_json::json!(lines), expected["reject_lines"]);
    for (line, codes, reasons) in &rejects {
        assert_eq!(codes.split(' ').count(), reasons.split("; ").count(), "line {line}: {reasons}");
        assert!(!codes.is_empty() && reasons.len() > 10, "line {line}: {reasons}");
    }

    let imported = first["imported"].as_u64().unwrap();
    let second = import(&a, &table, &a.file("rejects-again.csv"));
    assert_eq!(second["imported"], 0, "{second}");
    assert_eq!(second["already"].as_u64().unwrap(), imported + first["already"].as_u64().unwrap());
    assert_eq!(second["rejected"], first["rejected"]);

    let up = a.sync();
    assert_eq!((up["sent"].as_u64(), &up["refused"]), (Some(imported), &Value::from(0)), "{up}");
    let down = b.sync();
    assert_eq!(down["received"].as_u64(), Some(imported), "{down}");
    let (of_a, of_b) = (a.export("hazards", "geojson"), b.export("hazards", "geojson"));
    assert_eq!(features(&of_a).len() as u64, imported);
    assert!(of_a == of_b, "the exports of the two phones differ");
    assert_eq!(town.hazards(), imported);
    // What was pulled counts as already there, too.
    assert_eq!(import(&b, &table, &b.file("rejects.csv"))["imported"], 0);

    for phone in [&a, &b] {
        phone.assert_sound();
        let nothing = phone.sync();
        for (name, value) in [("sent", 0), ("received", 0), ("refused", 0), ("requests", 1)] {
            assert_eq!(nothing[name], value, "{name}: {nothing}");
        }
        assert!(nothing["bytes_up"].as_u64().unwrap() <= 300, "{nothing}");
        assert!(nothing["bytes_down"].as_u64().unwrap() <= 300, "{nothing}");
    }
    town.assert_sound();
}

#[test]
fn every_reason_of_a_rejected_row_is_said_in_the_persons_language() {
    let Some(table) = shared("landslides-2007-2012.csv") else { return };
    let town = Town::serving();
    let phone = town.phone("a", "chief", GRID);
    // One real row whose date, size and latitude are spoiled.
    let row = String::from_utf8(crate::real::some_rows(&table, 0, 1)).unwrap();
    assert!(row.contains("1/2/2007") && row.contains(",Medium,") && row.contains(",54.5494,"));
    let bad = row.replace("1/2/2007", "soon").replace(",Medium,", ",Vast,");
    let bad = bad.replace(",54.5494,", ",154.5,");
    let (file, rejects) = (phone.file("bad.csv"), phone.file("bad-rejects.csv"));
    std::fs::write(&file, bad).unwrap();
    let summary = import(&phone, &file, &rejects);
    assert_eq!((&summary["imported"], &summary["rejected"]), (&0.into(), &1.into()));
    let (line, codes, reasons) = rejected(&rejects).remove(0);
    let codes: BTreeSet<&str> = codes.split(' ').collect();
    let expected = BTreeSet::from(["not_a_date", "not_a_position", "not_in_table"]);
    assert_eq!((line, codes), (2, expected));
    assert!(reasons.contains("Vast") && reasons.contains("soon"), "{reasons}");
    let [file, mapping, out] =
        [&file, &mapping(), &rejects].map(|p| p.to_str().unwrap().to_owned());
    let again = ["import", "hazards", &file, "--mapping", &mapping, "--rejects", &out];
    assert_eq!(phone.say("zh", &again).code, Some(0));
    assert!(rejected(&rejects)[0].2.contains("不在对照表中"));
}
