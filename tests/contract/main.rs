//! The contract suites on every implementation. A further one is a line here.

#![allow(clippy::unwrap_used, reason = "a test fails where it stands")]

mod bucket;

use std::sync::Arc;

use yaoguan_model::env::System;
use yaoguan_model::{Env as _, ReplicaId};
use yaoguan_store::{Key, Store};
use yaoguan_testkit::contract::{blob_store, people, phone_store, town_storage};
use yaoguan_testkit::memory::MemoryStore;
use yaoguan_town::Storage;
use yaoguan_town::blobs::{BlobPlace, Kept};
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

/// A town's storage in a folder of its own.
async fn town_on_sqlcipher() -> (tempfile::TempDir, Arc<dyn Storage>) {
    let dir = tempfile::tempdir().unwrap();
    let heads = dir.path().join("town.audit-head");
    let file = dir.path().join("town.db");
    let town = Sqlite::open_noting(&file, &[1; 32], Some(&heads)).unwrap();
    town.found("t", true, &System).await.unwrap();
    (dir, Arc::new(town) as Arc<dyn Storage>)
}

#[tokio::test]
async fn town_storage_on_sqlcipher() {
    town_storage::run(town_on_sqlcipher).await;
}

#[tokio::test]
async fn people_on_sqlcipher() {
    people::run(town_on_sqlcipher).await;
}

#[tokio::test]
async fn files_in_a_folder() {
    let dir = tempfile::tempdir().unwrap();
    let open = || Kept::at(&BlobPlace::Folder, dir.path(), "town", &[1; 32]).unwrap().store;
    blob_store::run(open(), open()).await;
}
