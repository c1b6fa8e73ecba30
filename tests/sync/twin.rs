//! A phone's folder copied while it was in use: two phones write under one replica id until the town
//! notices. Nothing is lost and nothing doubled.

use std::path::Path;
use std::sync::Arc;

use yaoguan_field::Phone;
use yaoguan_model::Role;
use yaoguan_model::env::System;
use yaoguan_testkit::town::{GRID, TestTown};

use crate::{hazards, report};

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[tokio::test]
async fn a_copied_phone_takes_a_new_replica_id_and_both_writers_keep_everything() {
    let town = TestTown::start().await.unwrap();
    let mut original = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let shared = report(&mut original.phone, 0);
    original.phone.sync(|_| {}).await.unwrap();
    let replica = original.phone.status().unwrap().replica;
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("twin");
    let original = original.restart().unwrap();
    copy(&original.data(), &place);
    let mut original = original;
    let mut twin = Phone::open(&place, Arc::new(System), "en").unwrap();

    let first = report(&mut original.phone, 1);
    let second = report(&mut twin, 2);
    original.phone.sync(|_| {}).await.unwrap();
    twin.sync(|_| {}).await.unwrap();
    original.phone.sync(|_| {}).await.unwrap();
    let all = [shared, first, second].into_iter().collect();
    assert_eq!(hazards(&original.phone), all);
    assert_eq!(hazards(&twin), all);
    assert_eq!(original.phone.status().unwrap().replica, replica);
    assert_ne!(twin.status().unwrap().replica, replica, "the twin took a new id");
    for phone in [&original.phone, &twin] {
        assert_eq!(phone.verify().unwrap(), []);
        assert_eq!(phone.status().unwrap().alarms, 0);
        assert_eq!(phone.status().unwrap().siblings, 0);
    }
}
