//! The whole real table, compared with a script that knows the rules but shares nothing with this
//! crate (tests/independent/landslides.py).
// A test may stop at the first thing that is not as it should be.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};
use yaoguan_exchange::{Imported, Mapping, table};
use yaoguan_model::{Position, Record, Value};

const MAPPING: &str = include_str!("../mappings/nasa-landslides.toml");

/// The file of the shared folder; `None`, said aloud, where the folder may be absent.
fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    if path.exists() {
        return Some(path);
    }
    assert_eq!(
        std::env::var("SHARED_OPTIONAL").as_deref(),
        Ok("1"),
        "{} is absent",
        path.display()
    );
    println!("skipped 1 test: {} is absent", path.display());
    None
}

fn int(imported: &Imported, path: &str) -> i64 {
    imported.fields[path].as_int().unwrap()
}

#[test]
fn the_real_table_gives_what_an_independent_script_counts() {
    let Some(path) = shared("landslides-2007-2012.csv") else { return };
    let script =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/independent/landslides.py");
    let output = Command::new("python3").arg(script).arg(&path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let expected: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();

    let mapping: Mapping = MAPPING.parse().unwrap();
    let table = table::read(&std::fs::read(&path).unwrap(), &mapping).unwrap();
    let (mut keys, mut already, mut rejects) = (Vec::new(), 0, Vec::new());
    let mut known = BTreeSet::new();
    let mut digest = Sha256::new();
    for row in &table.rows {
        match &row.outcome {
            Err(reasons) => {
                assert!(!reasons.is_empty());
                rejects.push(row.line);
            }
            Ok(imported) if !known.insert(imported.source_key.clone()) => already += 1,
            Ok(imported) => {
                let text = |path: &str| imported.fields[path].as_text().unwrap().to_owned();
                let at = Position::of(&imported.fields["position"]).unwrap();
                let line = [
                    imported.source_key.clone(),
                    text("category"),
                    text("severity"),
                    int(imported, "seen_at").to_string(),
                    at.lat_e7.to_string(),
                    at.lon_e7.to_string(),
                    text("title"),
                ];
                digest.update(line.join("\u{1f}") + "\n");
                keys.push(imported.source_key.clone());
            }
        }
    }
    let hex: String = digest.finalize().iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(table.rows.len(), 5_114);
    let counted = serde_json::json!({
        "read": table.rows.len(), "imported": keys.len(), "rejected": rejects.len(),
        "already": already, "reject_lines": rejects, "keys": keys, "digest": hex,
    });
    for name in ["read", "imported", "rejected", "already", "reject_lines", "keys", "digest"] {
        assert_eq!(counted[name], expected[name], "{name}");
    }
    println!(
        "read {} imported {} rejected {} already {already}",
        table.rows.len(),
        keys.len(),
        rejects.len()
    );
}

#[test]
fn every_imported_row_is_a_record_that_the_schema_takes() {
    let Some(path) = shared("landslides-2007-2012.csv") else { return };
    let mapping: Mapping = MAPPING.parse().unwrap();
    let table = table::read(&std::fs::read(&path).unwrap(), &mapping).unwrap();
    let id = "0197a0a0-0000-7000-8000-000000000001";
    for row in table.rows {
        let Ok(imported) = row.outcome else { continue };
        let mut record =
            Record::new(id.parse().unwrap(), mapping.kind.clone(), id.parse().unwrap());
        let dot = yaoguan_model::Dot::new(yaoguan_model::ReplicaId([1; 16]), 1);
        let change = |value: Value| yaoguan_model::Change { replaces: vec![], value: Some(value) };
        let changes = imported.fields.into_iter().map(|(path, value)| (path, change(value)));
        record.put(&changes.collect(), dot);
        yaoguan_model::schema::validate(&record).unwrap();
        for siblings in record.fields.values() {
            if let Some(text) = siblings[0].value.as_text() {
                assert!(!text.contains('\u{FFFD}'), "line {}", row.line);
            }
        }
    }
}

#[test]
fn the_one_reject_says_its_line_and_why() {
    let Some(path) = shared("landslides-2007-2012.csv") else { return };
    let mapping: Mapping = MAPPING.parse().unwrap();
    let table = table::read(&std::fs::read(&path).unwrap(), &mapping).unwrap();
    let rejects: Vec<_> = table.rows.iter().filter(|row| row.outcome.is_err()).collect();
    assert_eq!(rejects.len(), 1);
    assert_eq!((rejects[0].line, rejects[0].cells[0].as_str()), (4678, "6,306"));
    let reasons = rejects[0].outcome.as_ref().unwrap_err();
    assert_eq!(reasons.len(), 1);
    assert_eq!((reasons[0].code, reasons[0].field.as_deref()), ("missing", Some("seen_at")));
}

#[test]
fn certain_damage_is_repaired_and_lost_characters_stay_as_they_are() {
    let Some(path) = shared("landslides-2007-2012.csv") else { return };
    let mapping: Mapping = MAPPING.parse().unwrap();
    let table = table::read(&std::fs::read(&path).unwrap(), &mapping).unwrap();
    let all: String = table.rows.iter().flat_map(|row| &row.cells).map(String::as_str).collect();
    assert!(all.contains("Nāgāland") && all.contains("牛栏江"));
    assert!(all.contains("S?£o Paulo") && !all.contains("São Paulo"));
}
