//! Several people in one app folder, each with a store, a key and a PIN.

#![allow(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use yaoguan_field::seal::{KeySeal, KeyStore, Pin};
use yaoguan_field::{FieldError, FormStart, People, Phone};
use yaoguan_model::env::System;
use yaoguan_model::{AccountId, DeviceId, Role};
use yaoguan_store::{Identity, Key};
use yaoguan_sync::PhoneStore as _;

const GRID: &str = "530521103201001";

/// A key store in memory.
#[derive(Default, Clone)]
struct Memory(Arc<Mutex<BTreeMap<String, Key>>>);

struct Slot(Memory, String);

impl KeyStore for Memory {
    fn of(&self, name: &str) -> Arc<dyn KeySeal> {
        Arc::new(Slot(self.clone(), name.to_owned()))
    }
}

impl KeySeal for Slot {
    fn unseal(&self) -> Result<Option<Key>, FieldError> {
        Ok(self.0.0.lock().unwrap().get(&self.1).cloned())
    }
    fn seal(&self, key: &Key) -> Result<(), FieldError> {
        self.0.0.lock().unwrap().insert(self.1.clone(), key.clone());
        Ok(())
    }
}

fn pin(digits: &str) -> Pin {
    Pin::new(digits.to_owned()).unwrap()
}

fn enrolled(phone: &mut Phone, name: &str) {
    let identity = Identity {
        town: "https://town.example".into(),
        town_name: "姚关镇".into(),
        ca_pem: String::new(),
        device: DeviceId(uuid::Uuid::from_u128(2)),
        account: AccountId(uuid::Uuid::from_u128(1)),
        name: name.into(),
        role: Role::Chief,
        grids: vec![GRID.parse().unwrap()],
        private_key: String::new(),
    };
    phone
        .store_mut()
        .transact(|tx| -> Result<(), yaoguan_store::StoreError> { tx.set_identity(&identity) })
        .unwrap();
}

fn draft(phone: &mut Phone) {
    let start = FormStart { kind: Some("hazard".into()), record: None, values: None };
    phone.start_form(&start).unwrap();
}

fn people(dir: &Path, store: Option<&Memory>) -> People {
    let store = store.map(|store| Arc::new(store.clone()) as Arc<dyn KeyStore>);
    People::open(dir, store, Arc::new(System)).unwrap()
}

/// Somebody new, enrolled, with a draft and a PIN.
fn joins(people: &mut People, name: &str, digits: &str) -> String {
    let (id, home) = people.newcomer().unwrap();
    let mut phone = Phone::create(home, Arc::new(System), "zh").unwrap();
    enrolled(&mut phone, name);
    draft(&mut phone);
    people.note(&id, &phone).unwrap();
    people.set_pin(&id, &pin(digits)).unwrap();
    id
}

#[test]
fn two_people_have_a_store_each_and_neither_opens_the_other() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = {
        let mut people = people(dir.path(), None);
        (joins(&mut people, "甲", "480213"), joins(&mut people, "乙", "751902"))
    };
    let mut people = people(dir.path(), None);
    let names: Vec<_> = people.shown().unwrap().into_iter().map(|one| one.name).collect();
    assert_eq!(names, ["甲", "乙"]);
    assert_eq!(people.last(), Some(b.as_str()));
    assert!(matches!(people.unlock(&a, &pin("751902")), Err(FieldError::WrongPin)));
    let home = people.unlock(&a, &pin("480213")).unwrap();
    let mut phone = Phone::open(home, Arc::new(System), "zh").unwrap();
    assert_eq!(phone.whose().unwrap().0, "甲");
    draft(&mut phone);
    let home = people.unlock(&b, &pin("751902")).unwrap();
    let phone = Phone::open(home, Arc::new(System), "zh").unwrap();
    assert_eq!((phone.whose().unwrap().0.as_str(), phone.forms().unwrap().len()), ("乙", 1));
    // Without the PIN there is nothing in the folder that opens the store.
    let locked = Phone::open(people.folder(&a).as_path(), Arc::new(System), "zh").err();
    assert!(matches!(locked, Some(FieldError::Locked)));
}

#[test]
fn a_folder_of_the_command_line_is_taken_over_where_it_lies() {
    let dir = tempfile::tempdir().unwrap();
    let mut phone = Phone::create(dir.path(), Arc::new(System), "zh").unwrap();
    enrolled(&mut phone, "丙");
    draft(&mut phone);
    drop(phone);
    let mut people = people(dir.path(), None);
    let id = people.without_pin().unwrap();
    let phone = Phone::open(people.home(&id), Arc::new(System), "zh").unwrap();
    people.note(&id, &phone).unwrap();
    people.set_pin(&id, &pin("480213")).unwrap();
    assert!(!dir.path().join("phone.key").exists());
    assert_eq!(people.without_pin(), None);
    let home = people.unlock(&id, &pin("480213")).unwrap();
    assert_eq!(Phone::open(home, Arc::new(System), "zh").unwrap().forms().unwrap().len(), 1);
}

#[test]
fn a_pin_is_changed_at_once_and_for_good() {
    let dir = tempfile::tempdir().unwrap();
    let mut people = people(dir.path(), None);
    let id = joins(&mut people, "甲", "480213");
    let wrong = people.change_pin(&id, &pin("111222"), &pin("751902"));
    assert!(matches!(wrong, Err(FieldError::WrongPin)));
    people.change_pin(&id, &pin("480213"), &pin("751902")).unwrap();
    assert!(matches!(people.unlock(&id, &pin("480213")), Err(FieldError::WrongPin)));
    people.unlock(&id, &pin("751902")).unwrap();
    let left: Vec<_> = std::fs::read_dir(people.folder(&id))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("key"))
        .collect();
    assert_eq!(left, ["phone.key.pin"]);
}

#[test]
fn a_forgotten_pin_is_replaced_where_a_key_store_has_the_key_and_nowhere_else() {
    let dir = tempfile::tempdir().unwrap();
    let store = Memory::default();
    let id = joins(&mut people(dir.path(), Some(&store)), "甲", "480213");
    let mut with = people(dir.path(), Some(&store));
    assert!(with.shown().unwrap().iter().all(|one| one.can_reset));
    let home = with.home_of_forgotten(&id).unwrap();
    assert_eq!(Phone::open(home, Arc::new(System), "zh").unwrap().forms().unwrap().len(), 1);
    with.set_pin(&id, &pin("751902")).unwrap();
    with.unlock(&id, &pin("751902")).unwrap();
    // The key store loses the key: nothing is deleted, and the PIN alone is not enough.
    let kept = std::mem::take(&mut *store.0.lock().unwrap());
    assert!(matches!(with.unlock(&id, &pin("751902")), Err(FieldError::KeyGone)));
    assert!(matches!(with.home_of_forgotten(&id), Err(FieldError::KeyGone)));
    *store.0.lock().unwrap() = kept;
    with.unlock(&id, &pin("751902")).unwrap();
    let other = tempfile::tempdir().unwrap();
    let mut without = people(other.path(), None);
    let id = joins(&mut without, "乙", "480213");
    assert!(matches!(without.home_of_forgotten(&id), Err(FieldError::KeyGone)));
}

#[test]
fn an_enrolment_that_was_cut_off_goes_on_in_the_same_folder() {
    let dir = tempfile::tempdir().unwrap();
    let first = people(dir.path(), None).newcomer().unwrap().0;
    assert_eq!(people(dir.path(), None).newcomer().unwrap().0, first);
    let joined = joins(&mut people(dir.path(), None), "甲", "480213");
    assert_eq!(joined, first);
    assert_ne!(people(dir.path(), None).newcomer().unwrap().0, first);
}

#[test]
fn nobody_who_is_not_on_the_list_is_opened() {
    let dir = tempfile::tempdir().unwrap();
    let mut people = people(dir.path(), None);
    for id in ["..", "../..", "first", ""] {
        assert!(matches!(people.unlock(id, &pin("480213")), Err(FieldError::NotFound(_))), "{id}");
    }
}
