//! The contract suites on every implementation. A further one is a line here.

#![allow(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::sync::Arc;

use yaoguan_model::env::System;
use yaoguan_model::{Env as _, ReplicaId};
use yaoguan_store::{Key, Store};
use yaoguan_testkit::contract::{phone_store, town_storage};
use yaoguan_testkit::memory::MemoryStore;
use yaoguan_town::Storage;
use yaoguan_town::storage::sqlite::Sqlite;

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

#[tokio::test]
async fn town_storage_on_sqlcipher() {
    town_storage::run(async || {
        let dir = tempfile::tempdir().unwrap();
        let town = Sqlite::open(&dir.path().join("town.db"), &[1; 32]).unwrap();
        town.found("t", true, &System).await.unwrap();
        (dir, Arc::new(town) as Arc<dyn Storage>)
    })
    .await;
}
