//! The contract suites on every implementation. A further one is a line here.

#![allow(clippy::unwrap_used, reason = "a test fails where it stands")]

use yaoguan_model::env::System;
use yaoguan_model::{Env as _, ReplicaId};
use yaoguan_store::{Key, Store};
use yaoguan_testkit::contract::phone_store;
use yaoguan_testkit::memory::MemoryStore;

#[test]
fn phone_store_in_memory() {
    phone_store::run(|| ((), MemoryStore::new(ReplicaId(System.random_16()))));
}

#[test]
fn phone_store_on_sqlcipher() {
    phone_store::run(|| {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::create(&dir.path().join("phone.db"), &Key([1; 32]), &System).unwrap();
        (dir, store)
    });
}
