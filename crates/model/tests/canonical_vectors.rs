//! The canonical form against vectors that another program made (tests/vectors/generate.py).

// An integration test is a crate of its own: clippy.toml's leave for tests does not reach its helpers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::path::Path;

use yaoguan_model::{AccountId, Change, Dot, Kind, Record, RecordId, ReplicaId, Value, canonical};

#[derive(serde::Deserialize)]
struct Vector {
    name: String,
    input: String,
    canonical: String,
    sha256: String,
}

fn vectors() -> BTreeMap<String, Vector> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let read = |path| serde_json::from_slice::<Vector>(&std::fs::read(path).unwrap()).unwrap();
    files
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .map(read)
        .map(|vector| (vector.name.clone(), vector))
        .collect()
}

fn hex(bytes: [u8; 32]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[test]
fn every_vector_is_met() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 6);
    for (name, vector) in &vectors {
        let record = canonical::decode(vector.input.as_bytes()).expect(name);
        let bytes = canonical::encode(&record);
        assert_eq!(String::from_utf8_lossy(&bytes), vector.canonical, "{name}");
        assert_eq!(hex(canonical::hash(&bytes)), vector.sha256, "{name}");
        assert_eq!(canonical::decode(&bytes).unwrap(), record, "{name}");
    }
}

#[test]
fn a_record_built_by_writes_has_the_bytes_of_the_vector() {
    let id: RecordId = "01930000-0000-7000-8000-000000000001".parse().unwrap();
    let author: AccountId = "01930000-0000-7000-8000-0000000000aa".parse().unwrap();
    let mut record = Record::new(id, Kind::Hazard, author);
    let set = |value| Change { replaces: vec![], value: Some(value) };
    let photo = Value::map([("caption", "".into()), ("taken_at", Value::Int(1_700_000_000))]);
    let photo_path = format!("photos.{}", "ab".repeat(32));
    let saves = [
        (0xF0, 7, vec![("severity", Value::from("major")), ("title", "乙".into())]),
        (0x80, 3, vec![("severity", "general".into())]),
        (0x11, 7, vec![("severity", "serious".into()), (&photo_path, photo)]),
    ];
    for (replica, counter, fields) in saves {
        let changes = fields.into_iter().map(|(p, v)| (p.parse().unwrap(), set(v))).collect();
        record.put(&changes, Dot::new(ReplicaId([replica; 16]), counter));
    }
    let bytes = canonical::encode(&record);
    assert_eq!(String::from_utf8_lossy(&bytes), vectors()["siblings"].canonical);
    // The highest dot is shown: counter first, then the replica's bytes.
    assert_eq!(record.shown_text("severity"), Some("major"));
}
