//! The town's larger storage, on a PostgreSQL of the test's own. They run by `scripts/test-postgres`, which
//! installs one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails where it stands"
)]

mod between;
mod many;
#[allow(dead_code, reason = "the other programs' tests use the rest")]
#[path = "../e2e/phone.rs"]
mod phone;
mod processes;
#[allow(dead_code, reason = "the other programs' tests use the rest")]
#[path = "../e2e/program.rs"]
mod program;
#[allow(dead_code, reason = "the other programs' tests use the rest")]
#[path = "../e2e/town.rs"]
mod town;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use yaoguan_model::env::System;
use yaoguan_testkit::contract::{console, people, town_storage};
use yaoguan_testkit::postgres::Cluster;
use yaoguan_town::Storage;
use yaoguan_town::storage::postgres::Postgres;
use yaoguan_town::storage::sqlite::Sqlite;

/// Towns of one database, beside each other.
struct Towns {
    cluster: Cluster,
    made: AtomicU32,
}

impl Towns {
    async fn new() -> Self {
        let cluster = Cluster::start().await.unwrap();
        cluster.database().await.unwrap();
        Self { cluster, made: AtomicU32::new(0) }
    }

    /// A new one, whose heads are noted in a folder of its own.
    async fn town(&self) -> (tempfile::TempDir, Arc<dyn Storage>) {
        let dir = tempfile::tempdir().unwrap();
        let heads = dir.path().join("town.audit-head");
        let name = format!("town-{}", self.made.fetch_add(1, Ordering::SeqCst));
        let url = self.cluster.url("county_0", &name);
        let heads = Some((heads.as_path(), &[1; 32]));
        let town = Postgres::found(&url, "t", true, &System, heads).await.unwrap();
        (dir, Arc::new(town) as Arc<dyn Storage>)
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn town_storage_on_postgres() {
    let towns = Towns::new().await;
    town_storage::run(|| towns.town()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn people_on_postgres() {
    let towns = Towns::new().await;
    people::run(|| towns.town()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn both_engines_answer_the_console_alike() {
    let dir = tempfile::tempdir().unwrap();
    let env = console::Counted::default();
    let embedded = Sqlite::open(&dir.path().join("town.db"), &[1; 32]).unwrap();
    embedded.found("镇", true, &env).await.unwrap();
    console::fill(&embedded, &env, 12).await;

    let cluster = Cluster::start().await.unwrap();
    let url = cluster.database().await.unwrap();
    let env = console::Counted::default();
    let larger = Postgres::found(&url, "镇", true, &env, None).await.unwrap();
    console::fill(&larger, &env, 12).await;

    let (one, other) = (console::answers(&embedded).await, console::answers(&larger).await);
    assert_eq!(one.0.len(), other.0.len());
    let mut told = 0;
    for (one, other) in one.0.iter().zip(&other.0) {
        assert_eq!(one, other);
        told += usize::from(one.1.len() > 40);
    }
    println!("{} questions, {told} with something in the answer", one.0.len());
    assert!(told * 2 > one.0.len(), "most questions have an answer: {told}");
}
