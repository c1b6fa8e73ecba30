//! What is not a record; the vectors stand in tests/canonical_vectors.rs.

use super::*;

fn replica() -> String {
    ReplicaId([0x11; 16]).to_string()
}

fn text(context: &str, writes: &str) -> Vec<u8> {
    let id = "01930000-0000-7000-8000-000000000001";
    format!(
        r#"{{"context":{context},"created_by":"{id}","id":"{id}","kind":"hazard","writes":{writes}}}"#
    )
    .replace('@', &replica())
    .into_bytes()
}

#[test]
fn a_record_is_read_and_its_siblings_gathered() {
    let bytes = text(r#"[["@",2]]"#, r#"[["@",1,{"title":"x"}],["@",2,{"note":1,"title":"y"}]]"#);
    let record = decode(&bytes).unwrap();
    assert_eq!(record.siblings("title").len(), 2);
    assert_eq!(encode(&record), bytes);
}

#[test]
fn a_path_that_stands_twice_in_one_save_is_refused() {
    let bytes = text(r#"[["@",1]]"#, r#"[["@",1,{"title":"x","title":"y"}]]"#);
    assert!(matches!(decode(&bytes), Err(BadRecord::Json(_))));
}

#[test]
fn a_dot_outside_the_context_is_refused() {
    let bytes = text(r#"[["@",1]]"#, r#"[["@",2,{"title":"x"}]]"#);
    assert!(matches!(decode(&bytes), Err(BadRecord::NotCovered)));
    let bytes = text("[]", r#"[["@",1,{"title":"x"}]]"#);
    assert!(matches!(decode(&bytes), Err(BadRecord::NotCovered)));
}

#[test]
fn a_counter_outside_its_range_is_refused() {
    for counter in ["0", "9007199254740992"] {
        let bytes = text(&format!(r#"[["@",{counter}]]"#), "[]");
        assert!(matches!(decode(&bytes), Err(BadRecord::Counter)), "{counter}");
    }
}

#[test]
fn broken_parts_are_refused_while_reading() {
    let cases = [
        text(r#"[["short",1]]"#, "[]"),
        text(r#"[["ERERERERERERERERERER!Q",1]]"#, "[]"),
        text(r#"[["@",1]]"#, r#"[["@",1,{"a b":1}]]"#),
        text(r#"[["@",1]]"#, r#"[["@",1,{"title":1.5}]]"#),
        text(r#"[["@",1]]"#, r#"[["@",1,[]]]"#),
        text("[]", r#"[],"more":1"#),
    ];
    for bytes in cases {
        let result = decode(&bytes);
        assert!(matches!(result, Err(BadRecord::Json(_))), "{}", String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn a_replica_index_outside_the_table_is_refused() {
    let packed = pack(decode(&text(r#"[["@",1]]"#, "[]")).unwrap(), |_| 3_usize);
    assert!(matches!(unpack(packed, |_| None), Err(BadRecord::ReplicaIndex)));
}

#[test]
fn a_dot_that_stands_for_two_values_is_kept_through_the_bytes() {
    let writes = r#"[["@",1,{"a":1,"b":1}],["@",1,{"a":2}]]"#;
    let record = decode(&text(r#"[["@",1]]"#, writes)).unwrap();
    assert_eq!(record.siblings("a").len(), 2);
    assert_eq!(decode(&encode(&record)).unwrap(), record);
}

#[test]
fn a_kind_that_is_not_known_is_kept() {
    let id = RecordId::from_bytes([1; 16]);
    let kind: Kind = "dispute".parse().unwrap_or_else(|never| match never {});
    let record = Record::new(id, kind, AccountId::from_bytes([2; 16]));
    assert_eq!(decode(&encode(&record)).unwrap(), record);
}
