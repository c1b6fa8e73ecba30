//! Single bits flipped in a phone's files: each phone opens as if nothing were, or saves everything that
//! can still be read into a new store, or says that it cannot be opened. None panics, none hangs.
//!
//! `FLIPS` and `SEED` say how many and which. What can be read is found out here by SQL on a connection
//! for each value, without the product's own reader.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _};
use tempfile::TempDir;
use yaoguan_field::{ErrorCode, FieldError, Home, Phone, Salvaged};
use yaoguan_model::env::System;
use yaoguan_model::{
    AccountId, Change, DeviceId, Env as _, Kind, Record, RecordId, Role, canonical,
};
use yaoguan_store::{Identity, StoreError};
use yaoguan_sync::{Kept, Local, PhoneStore as _, Quarantined, Tx as _};
use yaoguan_testkit::dice::Dice;
use yaoguan_testkit::town::{GRID, copy};
use yaoguan_wire::ErrorCode as Reason;

use crate::edit;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// In memory where the system has such a folder: the flips are about bytes, not about a disk.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}

/// A phone as it was left, with all that it must not lose.
struct Left {
    /// `phone` and `state`; the phone is always opened at the same place.
    place: TempDir,
    kept: TempDir,
    unsent: Vec<RecordId>,
    key: [u8; 32],
}

const FILES: [&str; 3] = ["phone.db", "phone.db-wal", "phone.key"];

impl Left {
    /// `open`: the process was killed, its log was not brought into the file.
    fn new(open: bool) -> Self {
        let (place, kept) = (folder(), folder());
        let mut phone = Phone::create(home(place.path()), Arc::new(System), "en").unwrap();
        let unsent = fill(&mut phone);
        if !open {
            drop(phone);
            copy(&place.path().join("phone"), &kept.path().join("phone")).unwrap();
        } else {
            copy(&place.path().join("phone"), &kept.path().join("phone")).unwrap();
            assert!(std::fs::metadata(kept.path().join("phone/phone.db-wal")).unwrap().len() > 0);
            drop(phone);
        }
        copy(&place.path().join("state"), &kept.path().join("state")).unwrap();
        let key = std::fs::read(kept.path().join("phone/phone.key")).unwrap().try_into().unwrap();
        Self { place, kept, unsent, key }
    }

    fn data(&self) -> PathBuf {
        self.place.path().join("phone")
    }

    /// The phone as it was left, with one bit flipped in one of its files.
    fn flipped(&self, file: &str, bit: u64) {
        for name in ["phone", "state"] {
            _ = std::fs::remove_dir_all(self.place.path().join(name));
            copy(&self.kept.path().join(name), &self.place.path().join(name)).unwrap();
        }
        let path = self.data().join(file);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[usize::try_from(bit / 8).unwrap()] ^= 1 << (bit % 8);
        std::fs::write(path, bytes).unwrap();
    }

    fn bits(&self, file: &str) -> u64 {
        std::fs::metadata(self.kept.path().join("phone").join(file)).map_or(0, |m| m.len() * 8)
    }
}

fn home(place: &Path) -> Home {
    Home::with_state(&place.join("phone"), &place.join("state"))
}

fn identity(account: AccountId) -> Identity {
    Identity {
        town: "https://127.0.0.1:1".to_owned(),
        town_name: "姚关镇".to_owned(),
        ca_pem: String::new(),
        device: DeviceId::from_bytes([5; 16]),
        account,
        name: "甲".to_owned(),
        role: Role::Chief,
        grids: vec![GRID.parse().unwrap()],
        private_key: "none".to_owned(),
    }
}

/// 40 confirmed records, 12 unsent ones (4 of them edits), 3 quarantined saves, 2 drafts, 1 file. Returns
/// the unsent ones.
fn fill(phone: &mut Phone) -> Vec<RecordId> {
    let account = AccountId::from_bytes([1; 16]);
    let other = yaoguan_model::ReplicaId([0xEE; 16]);
    let store = phone.store_mut();
    let mut confirmed = Vec::new();
    let made = store.transact(|tx| -> Result<(), StoreError> {
        tx.set_identity(&identity(account))?;
        for n in 1..=40 {
            let id = System.new_record_id();
            let mut record = Record::new(id, Kind::Hazard, account);
            let value = format!("第 {n} 号路段边坡开裂，雨后裂缝变宽").into();
            let change = Change { replaces: Vec::new(), value: Some(value) };
            let changes = BTreeMap::from([("title".parse().unwrap(), change)]);
            record.put(&changes, yaoguan_model::Dot::new(other, n));
            tx.put(&Local::confirmed(record))?;
            confirmed.push(id);
        }
        tx.put_blob("application/gpx+xml", &[b'g'; 9_000])?;
        for _ in 0..3 {
            let about = Record::new(System.new_record_id(), Kind::Hazard, account);
            let kept = Kept { about, changes: Default::default(), beyond_sent: false };
            let (code, detail) = (Reason::NotAllowed, "title".to_owned());
            tx.quarantine(&Quarantined {
                kept,
                code,
                detail,
                retriable: false,
                at: 1,
                hold: None,
            })?;
        }
        Ok(())
    });
    made.unwrap();
    let mut unsent: Vec<RecordId> = (0..8).map(|n| crate::report(phone, n)).collect();
    for id in confirmed.into_iter().step_by(10) {
        let form = phone.open_form(id).unwrap();
        let store = phone.store_mut();
        let replaces = form.record().dots("title");
        let change = Change { replaces, value: Some("改过的标题".into()) };
        let changes = BTreeMap::from([("title".parse().unwrap(), change)]);
        let saved = store.transact(|tx| -> Result<(), StoreError> {
            let mut state = tx.state()?;
            let mut local = tx.load(id)?.unwrap();
            local.save(&changes, state.next_dot());
            tx.set_state(&state)?;
            tx.put(&local)
        });
        saved.unwrap();
        unsent.push(id);
    }
    for _ in 0..2 {
        let form = phone.new_form(Kind::Hazard).unwrap();
        phone.keep_draft(&form, edit(&Kind::Hazard, &[("title", "写到一半")])).unwrap();
    }
    unsent
}

/// What stands in a record, whoever wrote it under which dot.
fn content(record: &Record) -> BTreeMap<String, Vec<String>> {
    let values = |siblings: &[yaoguan_model::Sibling]| {
        let mut values: Vec<_> = siblings.iter().map(|s| format!("{:?}", s.value)).collect();
        values.sort();
        values.dedup();
        values
    };
    record.fields.iter().map(|(path, siblings)| (path.to_string(), values(siblings))).collect()
}

/// What can be read of the files as they lie, each value by a connection of its own.
struct Readable {
    unsent: BTreeMap<RecordId, Record>,
    quarantined: usize,
    drafts: usize,
    files: usize,
}

fn read<R>(
    data: &Path,
    key: &[u8; 32],
    work: impl FnOnce(&Connection) -> rusqlite::Result<R>,
) -> Option<R> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let connection = Connection::open_with_flags(data.join("phone.db"), flags).ok()?;
    let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    connection.execute_batch("PRAGMA cipher_log_level = NONE").ok()?;
    connection.execute_batch(&format!("PRAGMA key = \"x'{hex}'\"")).ok()?;
    work(&connection).ok()
}

fn readable(left: &Left) -> Readable {
    // In a copy: reading makes files beside the database.
    let place = folder();
    copy(&left.data(), place.path()).unwrap();
    let data = place.path();
    let body = |c: &Connection, id: &RecordId| {
        let sql = "SELECT body FROM unsent JOIN record ON record.seq = unsent.record \
                   WHERE record.id = ?1";
        c.query_row(sql, [id.as_bytes()], |row| row.get::<_, Vec<u8>>(0)).optional()
    };
    // All at once where that goes well, else each by itself.
    let all = read(data, &left.key, |c| left.unsent.iter().map(|id| body(c, id)).collect());
    let bodies: Vec<Option<Vec<u8>>> = all.unwrap_or_else(|| {
        let by_itself = |id| read(data, &left.key, |c| body(c, id)).flatten();
        left.unsent.iter().map(by_itself).collect()
    });
    let read_ones = left.unsent.iter().zip(bodies);
    let unsent = read_ones.filter_map(|(id, body)| Some((*id, canonical::decode(&body?).unwrap())));
    let unsent = unsent.collect();
    let count = |table: &str, columns: &str, most: usize| {
        let keys = (0..most).filter(|n| {
            let sql = format!("SELECT {columns} FROM {table} LIMIT 1 OFFSET {n}");
            let found = read(data, &left.key, |c| {
                c.query_row(&sql, [], |row| row.get::<_, rusqlite::types::Value>(0)).optional()
            });
            matches!(found, Some(Some(_)))
        });
        keys.count()
    };
    Readable {
        unsent,
        quarantined: count("quarantine", "changes", 3),
        drafts: count("draft", "values_", 2),
        files: count("blob", "bytes", 1),
    }
}

#[derive(Default, Debug)]
struct Ends {
    as_if_nothing: u64,
    salvaged: u64,
    said: u64,
    /// A log whose end cannot be read is taken for one whose last write was cut off.
    shorter_log: u64,
}

fn assert_kept(left: &Left, phone: &Phone, expected: &Readable, about: &str) {
    for (id, record) in &expected.unsent {
        let stored = phone.store().get(*id).unwrap();
        let stored = stored.unwrap_or_else(|| panic!("{about}: unsent record {id} is gone"));
        assert!(stored.unsent, "{about}: {id} counts as sent");
        assert_eq!(content(&stored.record), content(record), "{about}: {id}");
    }
    assert!(phone.quarantined().unwrap().len() >= expected.quarantined, "{about}: quarantine");
    assert!(phone.drafts().unwrap().len() >= expected.drafts, "{about}: drafts");
    let files: i64 =
        phone.store().raw().query_row("SELECT count(*) FROM blob", [], |row| row.get(0)).unwrap();
    assert!(files >= expected.files as i64, "{about}: files");
    assert_eq!(phone.verify().unwrap(), [], "{about}");
    let names = std::fs::read_dir(left.data()).unwrap().map(|e| e.unwrap().file_name());
    let broken = names.filter(|n| n.to_string_lossy().starts_with("phone.db.broken-")).count();
    assert_eq!(broken > 0, !phone.store().salvages().unwrap().is_empty(), "{about}");
}

/// Opens the phone and reads all of it, as a person would sooner or later.
fn open(left: &Left) -> Result<(Phone, Option<Salvaged>), FieldError> {
    let mut phone = Phone::open(home(left.place.path()), Arc::new(System), "en")?;
    let salvaged = phone.check_store()?.or_else(|| phone.salvaged().cloned());
    Ok((phone, salvaged))
}

fn flip(left: &Left, file: &str, bit: u64, about: &str, ends: &mut Ends) {
    left.flipped(file, bit);
    let expected = readable(left);
    let all = expected.unsent.len() == left.unsent.len();
    match open(left) {
        Ok((phone, salvaged)) => {
            assert_kept(left, &phone, &expected, about);
            match salvaged {
                Some(_) => ends.salvaged += 1,
                None if all => ends.as_if_nothing += 1,
                None => {
                    assert_eq!(file, "phone.db-wal", "{about}: loss without a word");
                    ends.shorter_log += 1;
                }
            }
        }
        Err(error) => {
            assert_eq!(error.code(), ErrorCode::StoreBroken, "{about}: {error}");
            assert!(expected.unsent.is_empty(), "{about}: {error}, and there was something");
            assert!(left.data().join("phone.db").exists(), "{about}: the file stays");
            ends.said += 1;
        }
    }
}

#[test]
fn flipped_bits_in_a_phones_database_lose_nothing_that_can_still_be_read() {
    let (flips, seed) = (number("FLIPS", 1_000), number("SEED", 20_261_124));
    println!("FLIPS={flips} SEED={seed}");
    let closed = Left::new(false);
    let killed = Left::new(true);
    let mut ends = Ends::default();
    std::thread::scope(|scope| {
        let half = |left: Left, salt: u64| {
            move || {
                let (mut dice, mut ends) = (Dice::new(seed ^ salt), Ends::default());
                for n in 0..flips / 2 {
                    let with_log = left.bits("phone.db-wal") > 0 && n % 2 == 0;
                    let file = if with_log { FILES[1] } else { FILES[0] };
                    // Now and then the first page, on which everything else hangs.
                    let end = if n % 16 == 1 { 4096 * 8 } else { left.bits(file) };
                    let bit = dice.below(end);
                    flip(&left, file, bit, &format!("SEED={seed} {file} bit {bit}"), &mut ends);
                }
                ends
            }
        };
        let other = scope.spawn(half(killed, 1));
        let (first, second) = (half(closed, 0)(), other.join().unwrap());
        ends.as_if_nothing = first.as_if_nothing + second.as_if_nothing;
        ends.salvaged = first.salvaged + second.salvaged;
        ends.said = first.said + second.said;
        ends.shorter_log = first.shorter_log + second.shorter_log;
    });
    println!("{ends:?}");
    assert!(flips < 500 || (ends.salvaged > 0 && ends.said > 0), "both must have happened");
}

#[test]
fn a_flipped_key_opens_nothing_and_changes_nothing() {
    let left = Left::new(false);
    for bit in (0..256).step_by(11) {
        left.flipped(FILES[2], bit);
        let before = std::fs::read(left.data().join("phone.db")).unwrap();
        let error = open(&left).map(|_| ()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::StoreBroken, "bit {bit}");
        assert_eq!(std::fs::read(left.data().join("phone.db")).unwrap(), before);
    }
    left.flipped(FILES[2], 0);
    std::fs::write(left.data().join("phone.key"), left.key).unwrap();
    let (phone, salvaged) = open(&left).unwrap();
    assert!(salvaged.is_none());
    assert_eq!(phone.status().unwrap().pending, left.unsent.len() as u64);
}

#[test]
fn a_flipped_marker_gives_a_new_replica_id_and_loses_nothing() {
    let left = Left::new(false);
    left.flipped(FILES[0], 0);
    left.flipped(FILES[0], 0);
    let state = left.place.path().join("state");
    let file = std::fs::read_dir(&state).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&file).unwrap();
    // The database is whole: only the marker is not.
    std::fs::copy(left.kept.path().join("phone/phone.db"), left.data().join("phone.db")).unwrap();
    let before = {
        let (phone, _) = open(&left).unwrap();
        phone.status().unwrap().replica
    };
    bytes[40] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let (phone, salvaged) = open(&left).unwrap();
    assert!(salvaged.is_none());
    let status = phone.status().unwrap();
    assert_ne!(status.replica, before);
    assert_eq!(status.pending, left.unsent.len() as u64);
    assert_eq!(phone.verify().unwrap(), []);
}
