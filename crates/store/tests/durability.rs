//! What the file promises: a save is on the disk, nobody reads it without the key, and a file that a
//! later program wrote is read and never written.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails where it stands"
)]

mod common;

use common::{KEY, Phone, connect};
use yaoguan_model::{Kind, RecordId};
use yaoguan_store::draft::Draft;
use yaoguan_store::{Filter, Key, Page, Store, StoreError};
use yaoguan_sync::{PhoneStore as _, Tx as _};

const CANARY: &str = "canary-of-the-north-slope";

#[track_caller]
fn refused<T>(result: Result<T, StoreError>) -> StoreError {
    result.err().expect("this should have been refused")
}

fn contains(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle.as_bytes())
}

fn pragma(store: &Store, name: &str) -> rusqlite::types::Value {
    store.raw().query_row(&format!("PRAGMA {name}"), [], |row| row.get(0)).unwrap()
}

#[test]
fn wal_and_full_sync_hold_on_the_open_connection() {
    let phone = Phone::new();
    for phone in [phone, Phone::new().reopened()] {
        assert_eq!(pragma(&phone.store, "journal_mode"), "wal".to_owned().into());
        assert_eq!(pragma(&phone.store, "synchronous"), 2_i64.into());
        assert_eq!(pragma(&phone.store, "foreign_keys"), 1_i64.into());
    }
}

#[test]
fn committed_save_is_there_for_another_connection_at_once() {
    let mut phone = Phone::new();
    let id = phone.hazard("滑坡");
    let other = Store::open(&phone.path(), &KEY).unwrap();
    assert_eq!(other.get(id).unwrap().unwrap().record, phone.record(id));
}

#[test]
fn failed_transaction_leaves_nothing() {
    let mut phone = Phone::new();
    let id = phone.hazard("滑坡");
    let before = phone.record(id);
    let result: Result<(), StoreError> = phone.store.transact(|tx| {
        tx.remove(id)?;
        Err(StoreError::Corrupt("on purpose".to_owned()))
    });
    assert!(matches!(refused(result), StoreError::Corrupt(_)));
    assert_eq!(phone.record(id), before);
    assert_eq!(phone.store.search("滑坡", None, 9).unwrap().len(), 1);
    assert_eq!(phone.store.verify().unwrap(), []);
}

#[test]
fn no_file_of_the_store_holds_plain_text() {
    let mut phone = Phone::new();
    phone.hazard(CANARY);
    let assert_sealed = |dir: &std::path::Path| {
        let mut files = 0;
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            assert!(!contains(&bytes, CANARY), "{} holds the text", path.display());
            assert!(!contains(&bytes, "CREATE TABLE"), "{} holds the schema", path.display());
            files += usize::from(!bytes.is_empty());
        }
        files
    };
    // While it is open the write-ahead log holds the save.
    assert!(assert_sealed(phone.dir.path()) >= 2);
    let (dir, path) = phone.close();
    assert_eq!(assert_sealed(dir.path()), 1);
    assert!(!std::fs::read(&path).unwrap().starts_with(b"SQLite format 3"));

    // The search for plain text is able to find it: the same row in a file without a key.
    let plain = dir.path().join("plain.db");
    let connection = rusqlite::Connection::open(&plain).unwrap();
    connection.execute_batch("CREATE TABLE t (x)").unwrap();
    connection.execute("INSERT INTO t VALUES (?1)", [CANARY]).unwrap();
    drop(connection);
    let bytes = std::fs::read(&plain).unwrap();
    assert!(contains(&bytes, CANARY) && bytes.starts_with(b"SQLite format 3"));
}

#[test]
fn wrong_key_opens_nothing_and_changes_nothing() {
    let mut phone = Phone::new();
    let id = phone.hazard("滑坡");
    let env = common::Seeded::new(1);
    let (_dir, path) = phone.close();
    let before = std::fs::read(&path).unwrap();
    let wrong = Key([9; 32]);
    assert!(matches!(refused(Store::open(&path, &wrong)), StoreError::WrongKey));
    assert!(matches!(refused(Store::create(&path, &wrong, &env)), StoreError::WrongKey));
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert!(Store::open(&path, &KEY).unwrap().get(id).unwrap().is_some());
}

#[test]
fn file_that_is_no_database_is_not_taken_for_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("phone.db");
    std::fs::write(&path, "not a database ".repeat(600)).unwrap();
    assert!(matches!(refused(Store::open(&path, &KEY)), StoreError::WrongKey));
}

#[test]
fn missing_file_is_said_and_not_made() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("phone.db");
    assert!(matches!(refused(Store::open(&path, &KEY)), StoreError::Missing));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn creating_again_keeps_the_replica_and_the_records() {
    let mut phone = Phone::new();
    let id = phone.hazard("滑坡");
    let state = phone.store.state().unwrap();
    let (_dir, path) = phone.close();
    let again = Store::create(&path, &KEY, &common::Seeded::new(99)).unwrap();
    assert_eq!(again.state().unwrap(), state);
    assert!(again.get(id).unwrap().is_some());
}

/// A file whose schema a later program has raised to 99, and the record in it.
fn newer() -> (tempfile::TempDir, std::path::PathBuf, RecordId) {
    let mut phone = Phone::new();
    let id = phone.hazard("山体滑坡");
    let (dir, path) = phone.close();
    let connection = connect(&path, &KEY);
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    (dir, path, id)
}

#[test]
fn newer_schema_can_be_read() {
    let (_dir, path, id) = newer();
    let store = Store::open(&path, &KEY).unwrap();
    let page = Page { limit: 9, offset: 0 };
    let record = store.get(id).unwrap().unwrap().record;
    assert_eq!(record.shown_text("title"), Some("山体滑坡"));
    assert_eq!(store.list(&Kind::Hazard, &Filter::default(), page).unwrap().len(), 1);
    assert_eq!(store.search("滑坡", None, 9).unwrap().len(), 1);
    assert_eq!(store.counts().unwrap().pending, 1);
    assert_eq!(store.drafts().unwrap(), []);
    assert_eq!(store.identity().unwrap(), None);
    assert_eq!(store.verify().unwrap(), []);
}

#[test]
fn newer_schema_is_never_written() {
    let (_dir, path, id) = newer();
    let before = std::fs::read(&path).unwrap();
    let env = common::Seeded::new(1);
    let made = Store::create(&path, &KEY, &env).unwrap();
    for mut store in [made, Store::open(&path, &KEY).unwrap()] {
        let is_newer = |error: &StoreError| matches!(error, StoreError::SchemaNewer { found: 99, known } if *known < 99);
        assert!(is_newer(&refused(store.check_writable())));
        assert!(is_newer(&refused(store.rebuild())));
        let removal: Result<(), StoreError> = store.transact(|tx| tx.remove(id));
        assert!(is_newer(&refused(removal)));
        let draft: Result<(), StoreError> = store.transact(|tx| {
            tx.put_draft(&Draft {
                id: uuid::Uuid::from_bytes([1; 16]),
                kind: Kind::Hazard,
                record: None,
                values: Default::default(),
                replaces: Default::default(),
                updated_at: 0,
            })
        });
        assert!(is_newer(&refused(draft)));
        // Also past the store's own check the connection does not write.
        let direct = store.raw().execute("DELETE FROM record", []).unwrap_err();
        assert_eq!(direct.sqlite_error_code(), Some(rusqlite::ErrorCode::ReadOnly));
    }
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

/// As the program of the third migration would have left the file.
const OLDER: &str = "ALTER TABLE phone DROP COLUMN returned; ALTER TABLE phone DROP COLUMN evict_owed; \
    DROP TABLE track_fix; DROP TABLE track; DROP TABLE media_file; PRAGMA user_version = 1;";

#[test]
fn a_broken_file_of_an_older_program_is_salvaged_with_what_it_has() {
    let mut phone = Phone::new();
    let (sent, waiting) = (phone.hazard("滑坡"), phone.hazard("积水"));
    phone.confirm(sent);
    let before = phone.store.state().unwrap();
    phone.store.raw().execute_batch(OLDER).unwrap();
    let (dir, path) = phone.close();
    let into = dir.path().join("new.db");
    let salvaged =
        yaoguan_store::salvage::salvage(&path, &KEY, &into, "old.db", &common::Seeded::new(9));
    let salvaged = salvaged.unwrap();
    assert_eq!((salvaged.records, salvaged.unsent, salvaged.damaged), (2, 1, 0));
    let mut store = Store::open(&into, &KEY).unwrap();
    let state = store.state().unwrap();
    // The old replica is known: its saves are told from other phones', and its counter goes on.
    assert_ne!(state.replica, before.replica);
    assert!(state.counter >= before.counter, "{state:?}");
    assert_eq!((state.evict_owed, state.returned), (false, None));
    let former: Result<bool, StoreError> = store.transact(|tx| tx.is_former(before.replica));
    assert!(former.unwrap());
    assert_eq!(store.get(waiting).unwrap().unwrap().record.shown_text("title"), Some("积水"));
}
