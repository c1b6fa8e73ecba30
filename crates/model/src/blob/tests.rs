use std::collections::BTreeMap;

use super::*;
use crate::{AccountId, Change, Dot, RecordId, ReplicaId};

fn hash(n: u8) -> BlobHash {
    BlobHash([n; 32])
}

#[test]
fn a_hash_is_64_lower_case_digits() {
    let text = hash(0xab).to_string();
    assert_eq!(text, "ab".repeat(32));
    assert_eq!(text.parse::<BlobHash>().unwrap(), hash(0xab));
    for bad in ["", "ab", &"AB".repeat(32), &"g0".repeat(32), &"ab".repeat(33)] {
        assert!(bad.parse::<BlobHash>().is_err(), "{bad}");
    }
}

#[test]
fn photos_thumbnails_and_lists_of_hashes_are_references_and_other_text_is_not() {
    let text = |n: u8| Value::text(hash(n).to_string());
    let kind = Kind::Hazard;
    let mut record =
        Record::new(RecordId::from_bytes([1; 16]), kind.clone(), AccountId::from_bytes([2; 16]));
    let values = [
        (format!("photos.{}", hash(1)), Value::map([("thumb", text(2))])),
        (
            "rectification".to_owned(),
            Value::map([
                ("measures", Value::text("mended")),
                ("photos", Value::List(vec![text(3), text(4)])),
            ]),
        ),
        ("title".to_owned(), text(5)),
    ];
    let changes: BTreeMap<FieldPath, Change> = values
        .into_iter()
        .map(|(path, value)| {
            (path.parse().unwrap(), Change { replaces: Vec::new(), value: Some(value) })
        })
        .collect();
    record.put(&changes, Dot { replica: ReplicaId([3; 16]), counter: 1 });
    let expected: BTreeSet<BlobHash> = [1, 2, 3, 4].map(hash).into();
    assert_eq!(references(&record), expected);
    assert_eq!(references_of_changes(&kind, &Changes::between(None, &record)), expected);
}
