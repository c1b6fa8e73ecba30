//! Old and new: another step of the protocol in both directions, a file of an earlier program.

use rusqlite::Connection;
use serde_json::{Value, json};
use yaoguan_model::{RecordId, Role};
use yaoguan_store::{Identity, Key, Store, StoreError};
use yaoguan_sync::{PhoneStore as _, SyncError, Tx as _, apply, apply_verdicts_alone, plan};
use yaoguan_testkit::town::{GRID, TestPhone, TestTown};
use yaoguan_town::storage::Storage as _;
use yaoguan_town::storage::sqlite::Sqlite;
use yaoguan_transport::{Connections, TownClient, TransportError};
use yaoguan_wire::proof::DeviceKey;
use yaoguan_wire::{ErrorCode, SyncRequest, SyncResponse};

use crate::{assert_sound, change, hazards, report};

/// The phone's line to its town, beside the app.
pub(crate) fn line(phone: &TestPhone) -> TownClient {
    let identity = phone.phone.store().identity().unwrap().unwrap();
    let key = DeviceKey::from_pem(&identity.private_key).unwrap();
    let connections = Connections::default();
    let Identity { town, ca_pem, device, .. } = identity;
    TownClient::new(&town, &ca_pem, device, key, "en", &connections).unwrap()
}

pub(crate) fn planned(phone: &mut TestPhone) -> SyncRequest {
    let clock = phone.clock.clone();
    let store = phone.phone.store_mut();
    store.transact(|tx| plan(tx, &clock)).unwrap()
}

pub(crate) fn applied(phone: &mut TestPhone, request: &SyncRequest, response: &SyncResponse) {
    let clock = phone.clock.clone();
    let store = phone.phone.store_mut();
    store
        .transact(|tx| {
            apply(tx, &clock, request, response)?;
            Ok::<_, SyncError<StoreError>>(())
        })
        .unwrap();
}

fn pending(phone: &TestPhone) -> u64 {
    phone.phone.status().unwrap().pending
}

#[tokio::test]
async fn a_phone_of_another_step_hands_over_what_it_has_and_receives_nothing() {
    let town = TestTown::start().await.unwrap();
    let mut old = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let mut other = town.phone(Role::Chief, &[GRID]).await.unwrap();
    report(&mut other.phone, 1);
    other.phone.sync(|_| {}).await.unwrap();
    for protocol in [0, 2] {
        let mine = report(&mut old.phone, 10 + protocol as usize);
        let mut request = planned(&mut old);
        request.protocol = protocol;
        let clock = old.clock.clone();
        let refused = line(&old).sync(&request, &clock).await.unwrap_err();
        let TransportError::Refused(body) = refused else { panic!("{refused}") };
        assert_eq!(body.code, ErrorCode::UnsupportedProtocol);
        assert!(!body.message.is_empty());
        let answered = (body.verdicts.as_slice(), body.replicas.as_slice());
        let store = old.phone.store_mut();
        let taken = store.transact(|tx| apply_verdicts_alone(tx, &clock, &request, answered));
        assert_eq!(taken.unwrap().taken, 1, "uploads are still taken");
        assert_eq!(pending(&old), 0);
        other.phone.sync(|_| {}).await.unwrap();
        assert!(hazards(&other.phone).contains(&mine));
    }
    assert_eq!(hazards(&old.phone).len(), 2, "nothing came");
    // Once the program is renewed everything is there.
    old.phone.sync(|_| {}).await.unwrap();
    assert_eq!(hazards(&old.phone).len(), 3);
    assert_sound(&old);
}

/// The answer of a town that a later program serves: more of everything.
fn of_a_later_town(response: &SyncResponse, unknown: RecordId) -> SyncResponse {
    let mut json = serde_json::to_value(response).unwrap();
    json["novelty"] = json!({ "deep": [1, 2, 3] });
    json["scope"]["quota"] = json!(7);
    for verdict in json["verdicts"].as_array_mut().unwrap() {
        if verdict["id"] == json!(unknown) {
            verdict["verdict"] = json!("postponed");
            verdict["until"] = json!(1_900_000_000);
        }
    }
    let feed = json.as_object_mut().unwrap().entry("feed").or_insert(Value::Array(Vec::new()));
    feed.as_array_mut().unwrap().insert(0, json!({ "parcel": { "id": 1 } }));
    serde_json::from_value(json).unwrap()
}

#[tokio::test]
async fn what_a_later_town_says_beside_what_is_known_does_no_harm() {
    let town = TestTown::start().await.unwrap();
    let mut phone = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let mut other = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let theirs = report(&mut other.phone, 1);
    other.phone.sync(|_| {}).await.unwrap();
    let [known, unknown] = [2, 3].map(|n| report(&mut phone.phone, n));
    let request = planned(&mut phone);
    let clock = phone.clock.clone();
    let response = line(&phone).sync(&request, &clock).await.unwrap();
    applied(&mut phone, &request, &of_a_later_town(&response, unknown));
    assert_eq!(pending(&phone), 1, "an unknown verdict leaves the save unsent");
    assert_eq!(hazards(&phone.phone), [known, unknown, theirs].into());
    // It goes again, and is merged with what the town has of it.
    phone.phone.sync(|_| {}).await.unwrap();
    assert_eq!(pending(&phone), 0);
    assert_sound(&phone);
    assert_eq!(town.town.storage.counts().await.unwrap()["hazard"], 3);
}

/// A file with the schema of the first migration alone.
fn first_schema(path: &std::path::Path, key: &str, migration: &str, rows: &str) {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch(&format!("PRAGMA key = \"x'{key}'\"")).unwrap();
    connection.execute_batch(migration).unwrap();
    connection.execute_batch(rows).unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
}

#[test]
fn a_phones_file_of_an_earlier_program_is_brought_up_to_date_with_what_is_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("phone.db");
    let migration = include_str!("../../migrations/phone/0001_init.sql");
    let rows = "INSERT INTO phone (one, install_id, replica, counter) \
         VALUES (1, x'01010101010101010101010101010101', x'02020202020202020202020202020202', 41)";
    first_schema(&path, &"07".repeat(32), migration, rows);
    let key = Key([7; 32]);
    for _ in 0..2 {
        let mut store = Store::open(&path, &key).unwrap();
        let state = store.state().unwrap();
        assert_eq!((state.counter, state.replica.0), (41, [2; 16]));
        assert!(!state.evict_owed);
        store.check_writable().unwrap();
        assert_eq!(store.verify().unwrap(), []);
        let unsent = store.transact(|tx| Ok::<_, StoreError>(tx.outbox()?.len()));
        assert_eq!(unsent.unwrap(), 0);
    }
}

#[tokio::test]
async fn a_towns_file_of_an_earlier_program_is_brought_up_to_date_with_what_is_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("town.db");
    let migration = include_str!("../../migrations/town-sqlite/0001_init.sql");
    let rows = "INSERT INTO town (one, name, epoch, replica, cursor_secret, created_at) VALUES \
         (1, 'old', x'01010101010101010101010101010101', x'02020202020202020202020202020202', x'03', 0); \
         INSERT INTO feed_head (one, position) VALUES (1, 0); \
         INSERT INTO account (id, name, role, created_at) \
         VALUES (x'04040404040404040404040404040404', 'somebody', 'chief', 0);";
    first_schema(&path, &"07".repeat(32), migration, rows);
    for _ in 0..2 {
        let town = Sqlite::open(&path, &[7; 32]).unwrap();
        let info = town.info().await.unwrap();
        assert_eq!((info.name.as_str(), info.replica.0), ("old", [2; 16]));
        assert_eq!(town.accounts().await.unwrap().len(), 1);
        assert_eq!(town.verify().await.unwrap().findings, []);
    }
    // A later program's file is refused as it is.
    let raise = |c: &Connection| c.pragma_update(None, "user_version", 99).unwrap();
    Sqlite::open(&path, &[7; 32]).unwrap().with_raw(raise);
    let before = std::fs::read(&path).unwrap();
    let refused = Sqlite::open(&path, &[7; 32]).err().unwrap().to_string();
    assert!(refused.contains("schema 99"), "{refused}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_save_made_while_a_held_one_was_under_way_is_there_too() {
    let town = TestTown::start().await.unwrap();
    let mut a = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let id = report(&mut a.phone, 1);
    a.phone.sync(|_| {}).await.unwrap();
    change(&mut a.phone, id, "title", "在路上的");
    let request = planned(&mut a);
    town.revoke(&a);
    let clock = a.clock.clone();
    let refused = line(&a).sync(&request, &clock).await.unwrap_err();
    // Meanwhile the person goes on: once on the same field, once on another.
    change(&mut a.phone, id, "title", "后来改的");
    change(&mut a.phone, id, "address", "后来补的");
    let TransportError::Refused(body) = refused else { panic!("{refused}") };
    let answered = (body.verdicts.as_slice(), body.replicas.as_slice());
    let store = a.phone.store_mut();
    store.transact(|tx| apply_verdicts_alone(tx, &clock, &request, answered)).unwrap();
    let kept = a.phone.quarantined().unwrap();
    let values = |path: &str| -> Vec<String> {
        let changes = kept.iter().filter_map(|entry| entry.save.kept.changes.paths.get(path));
        let added = changes.flat_map(|change| &change.added);
        added.map(|sibling| sibling.value.as_text().unwrap().to_owned()).collect()
    };
    assert_eq!(values("title"), ["后来改的"], "the later value stays with the kept save");
    let shown = a.phone.show(id).unwrap();
    assert_eq!(shown.fields["address"].as_text(), Some("后来补的"), "the free one is put again");
    assert_eq!(pending(&a), 1);
    let title = shown.fields["title"].as_text();
    assert!(!title.unwrap().contains("后来"), "the record is back at what the town has");
    assert_sound(&a);
}
