//! `verify` says nothing of a sound file, and of each planted fault it names the sort.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails where it stands"
)]

mod common;

use common::{KEY, OTHER, Phone, first, in_view, position};
use rusqlite::Params;
use yaoguan_model::{Dot, Kind, Record, RecordId, canonical};
use yaoguan_store::Store;

/// A phone with a confirmed, an edited, a never sent, a deleted and an unknown record.
fn phone() -> (Phone, RecordId) {
    let mut phone = Phone::new();
    let at = position(0.0, 0.0).to_value("gps");
    let id = phone.create(Kind::Hazard, &[("title", "山体滑坡".into()), ("position", at)]);
    phone.confirm(id);
    phone.edit(id, &[("title", Some("山体又滑坡".into()))]);
    phone.create(Kind::Notice, &[("title", "当心".into())]);
    let deleted = phone.create(Kind::Task, &[("words", "去看".into())]);
    let deletion = yaoguan_model::deletion::delete(&phone.record(deleted));
    phone.change(deleted, &[deletion].into());
    phone.create("of_a_later_program".parse().unwrap(), &[("x", 1_i64.into())]);
    let mut pulled = phone.blank(Kind::Grid);
    pulled.put(&first(&[("code", "530521103201001".into())]), Dot::new(OTHER, 1));
    phone.pull(&pulled);
    (phone, id)
}

/// The sorts found, each once.
fn sorts(store: &Store) -> Vec<&'static str> {
    let mut sorts: Vec<_> = store.verify().unwrap().iter().map(|finding| finding.sort).collect();
    sorts.sort_unstable();
    sorts.dedup();
    sorts
}

fn plant(phone: &Phone, sql: &str, params: impl Params) {
    let changed = phone.store.raw().execute(sql, params).unwrap();
    assert_eq!(changed, 1, "{sql}");
}

/// Puts bytes in place of a record's body, with the hash that belongs to them.
fn plant_body(phone: &Phone, id: RecordId, body: &[u8]) {
    let sql = "UPDATE record SET body = ?2, hash = ?3 WHERE id = ?1";
    plant(phone, sql, (id.as_bytes(), body, canonical::hash(body)));
}

fn seq(phone: &Phone, id: RecordId) -> i64 {
    let sql = "SELECT seq FROM record WHERE id = ?1";
    phone.store.raw().query_row(sql, [id.as_bytes()], |row| row.get(0)).unwrap()
}

#[test]
fn sound_store_has_no_findings() {
    let (phone, _) = phone();
    assert_eq!(phone.store.verify().unwrap(), []);
    assert_eq!(phone.reopened().store.verify().unwrap(), []);
    assert_eq!(Phone::new().store.verify().unwrap(), []);
}

#[test]
fn finding_names_its_record() {
    let (phone, id) = phone();
    plant(&phone, "UPDATE hazard SET title = 'x'", []);
    let findings = phone.store.verify().unwrap();
    assert_eq!(findings.len(), 1);
    assert_eq!((findings[0].sort, findings[0].record), ("projection", Some(id)));
}

#[test]
fn hash_that_is_not_of_the_body_is_reported() {
    let (phone, id) = phone();
    plant(&phone, "UPDATE record SET hash = zeroblob(32) WHERE id = ?1", [id.as_bytes()]);
    assert_eq!(sorts(&phone.store), ["hash"]);
}

#[test]
fn bytes_not_in_canonical_form_are_reported() {
    let (phone, id) = phone();
    let mut body = canonical::encode(&phone.record(id));
    body.push(b' ');
    plant_body(&phone, id, &body);
    assert_eq!(sorts(&phone.store), ["record"]);
}

#[test]
fn bytes_that_are_no_record_are_reported() {
    let (phone, id) = phone();
    plant_body(&phone, id, b"{}");
    assert_eq!(sorts(&phone.store), ["record"]);
}

#[test]
fn row_under_another_id_or_kind_is_reported() {
    let (phone, id) = phone();
    plant(&phone, "UPDATE record SET id = zeroblob(16) WHERE id = ?1", [id.as_bytes()]);
    assert_eq!(sorts(&phone.store), ["record"]);
    let (phone, id) = self::phone();
    plant(&phone, "UPDATE record SET kind = 'task' WHERE id = ?1", [id.as_bytes()]);
    assert!(sorts(&phone.store).contains(&"record"));
}

#[test]
fn dot_that_its_context_does_not_cover_is_reported() {
    let (phone, id) = phone();
    let mut record = phone.record(id);
    record.context = record.context.iter().take(0).collect();
    plant_body(&phone, id, &canonical::encode(&record));
    assert_eq!(sorts(&phone.store), ["coverage"]);
}

#[test]
fn dot_of_two_records_is_reported() {
    let (mut phone, _) = phone();
    let mut twin = phone.blank(Kind::Grid);
    twin.put(&first(&[("code", "530521103201002".into())]), Dot::new(OTHER, 1));
    phone.pull(&twin);
    assert_eq!(sorts(&phone.store), ["dot"]);
}

#[test]
fn counter_behind_its_own_dots_is_reported() {
    let (phone, _) = phone();
    plant(&phone, "UPDATE phone SET counter = counter - 1", []);
    assert_eq!(sorts(&phone.store), ["counter"]);
}

fn ahead(record: &Record) -> Vec<u8> {
    let mut ahead = record.clone();
    ahead.put(&in_view(record, &[("title", Some("x".into()))]), Dot::new(OTHER, 50));
    canonical::encode(&ahead)
}

#[test]
fn base_that_has_seen_more_than_the_record_is_reported() {
    let (phone, id) = phone();
    let at = (seq(&phone, id), ahead(&phone.record(id)));
    plant(&phone, "UPDATE unsent SET base = ?2 WHERE record = ?1", at);
    assert_eq!(sorts(&phone.store), ["unsent"]);
}

#[test]
fn base_that_cannot_be_read_is_reported() {
    for bytes in ["x'00'", "x''"] {
        let (phone, id) = phone();
        let sql = format!("UPDATE unsent SET base = {bytes} WHERE record = ?1");
        plant(&phone, &sql, [seq(&phone, id)]);
        assert_eq!(sorts(&phone.store), ["unsent"], "{bytes}");
    }
}

#[test]
fn base_of_another_record_is_reported() {
    let (phone, id) = phone();
    let mut foreign = phone.blank(Kind::Hazard);
    foreign.context = phone.record(id).context;
    let at = (seq(&phone, id), canonical::encode(&foreign));
    plant(&phone, "UPDATE unsent SET base = ?2 WHERE record = ?1", at);
    assert_eq!(sorts(&phone.store), ["unsent"]);
}

#[test]
fn state_as_sent_that_cannot_be_read_or_is_ahead_is_reported() {
    for bytes in [|_: &Record| b"\0".to_vec(), ahead] {
        let (mut phone, id) = phone();
        phone.send(id);
        assert_eq!(phone.store.verify().unwrap(), []);
        let at = (seq(&phone, id), bytes(&phone.record(id)));
        plant(&phone, "UPDATE unsent SET sent = ?2 WHERE record = ?1", at);
        assert_eq!(sorts(&phone.store), ["unsent"]);
    }
}

#[test]
fn altered_projection_is_reported() {
    for sql in [
        "UPDATE hazard SET title = '电线'",
        "UPDATE hazard SET seen_at = 7",
        "UPDATE task SET deletion = 0",
        "UPDATE notice SET conflicts = 1",
    ] {
        let (phone, _) = phone();
        plant(&phone, sql, []);
        assert_eq!(sorts(&phone.store), ["projection"], "{sql}");
    }
}

#[test]
fn missing_projection_is_reported() {
    let (phone, _) = phone();
    plant(&phone, "DELETE FROM notice", []);
    assert_eq!(sorts(&phone.store), ["projection"]);
}

#[test]
fn projection_of_no_record_is_reported() {
    let (phone, _) = phone();
    phone.store.raw().pragma_update(None, "foreign_keys", false).unwrap();
    plant(&phone, "INSERT INTO patrol (record, deletion, conflicts) VALUES (999, 0, 0)", []);
    assert_eq!(sorts(&phone.store), ["integrity", "projection"]);
}

#[test]
fn projection_in_the_table_of_another_kind_is_reported() {
    let (phone, id) = phone();
    let sql = "INSERT INTO patrol (record, deletion, conflicts) VALUES (?1, 0, 0)";
    plant(&phone, sql, [seq(&phone, id)]);
    assert_eq!(sorts(&phone.store), ["projection"]);
}

#[test]
fn altered_missing_or_foreign_place_is_reported() {
    for sql in [
        "UPDATE place SET lat_min = lat_min - 1",
        "UPDATE place SET lat_max = lat_max + 1",
        "UPDATE place SET lon_max = lon_max + 1",
        "UPDATE place SET record = 999",
        "DELETE FROM place",
        "INSERT INTO place VALUES (999, 1, 1, 1, 1)",
        "INSERT INTO place SELECT seq, 1, 1, 1, 1 FROM record WHERE kind = 'of_a_later_program'",
    ] {
        let (phone, _) = phone();
        plant(&phone, sql, []);
        assert_eq!(sorts(&phone.store), ["place"], "{sql}");
    }
}

#[test]
fn missing_or_foreign_row_of_the_search_is_reported() {
    for sql in [
        "DELETE FROM search WHERE rowid = (SELECT record FROM hazard)",
        "INSERT INTO search (rowid, text) SELECT record, '去看' FROM task",
        "INSERT INTO search (rowid, text) VALUES (999, '滑坡')",
    ] {
        let (phone, _) = phone();
        plant(&phone, sql, []);
        assert_eq!(sorts(&phone.store), ["search"], "{sql}");
    }
}

#[test]
fn rebuild_mends_what_is_derived() {
    let (mut phone, _) = phone();
    plant(&phone, "UPDATE hazard SET title = '电线'", []);
    plant(&phone, "DELETE FROM place", []);
    plant(&phone, "INSERT INTO search (rowid, text) VALUES (999, '滑坡')", []);
    assert_eq!(sorts(&phone.store), ["place", "projection", "search"]);
    phone.store.rebuild().unwrap();
    assert_eq!(phone.store.verify().unwrap(), []);
}

/// Wherever bytes were flipped, the key or `verify` finds it: no page is read past its HMAC.
#[test]
fn flipped_bytes_are_found_by_open_or_verify() {
    let (phone, _) = phone();
    let (_dir, path) = phone.close();
    let sound = std::fs::read(&path).unwrap();
    assert_eq!(Store::open(&path, &KEY).unwrap().verify().unwrap(), []);
    const PAGE: usize = 4096;
    let pages = sound.len() / PAGE;
    assert!(pages > 10);
    for page in 0..pages {
        let mut bytes = sound.clone();
        bytes[page * PAGE + PAGE / 2] ^= 0x40;
        std::fs::write(&path, &bytes).unwrap();
        let found = match Store::open(&path, &KEY).and_then(|store| store.verify()) {
            Err(_) => true,
            Ok(findings) => findings.iter().any(|finding| finding.sort == "integrity"),
        };
        assert!(found, "page {page} of {pages} was flipped and nobody says so");
    }
}

#[test]
fn file_cut_short_is_found_by_open_or_verify() {
    let (phone, _) = phone();
    let (_dir, path) = phone.close();
    let sound = std::fs::read(&path).unwrap();
    std::fs::write(&path, &sound[..sound.len() / 2]).unwrap();
    match Store::open(&path, &KEY).and_then(|store| store.verify()) {
        Err(_) => {}
        Ok(findings) => assert!(findings.iter().any(|finding| finding.sort == "integrity")),
    }
}
