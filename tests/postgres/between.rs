//! A write that is held up at each table that it touches: another process writes the same record meanwhile, or
//! the connection is cut.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio_postgres::Client;
use yaoguan_model::env::System;
use yaoguan_model::{Env as _, Kind, RecordId};
use yaoguan_town::TownError;
use yaoguan_town::storage::Storage as _;
use yaoguan_town::storage::postgres::Postgres;

use crate::many::{World, done};

/// The end of a wait; what is waited for comes much sooner.
const LONG: Duration = Duration::from_secs(120);
/// In the order in which a write comes to them.
const TABLES: [&str; 8] =
    ["town", "record", "hazard_fact", "feature", "inbox", "inbox_text", "feed_head", "feed"];

/// Everybody who waits for a lock of a table: the process of the server that does.
async fn waiting(root: &Client, table: &str) -> i32 {
    let sql = "SELECT pid FROM pg_locks WHERE NOT granted AND relation = to_regclass($1)";
    let found = tokio::time::timeout(LONG, async {
        loop {
            if let Some(row) = root.query(sql, &[&table]).await.unwrap().first() {
                return row.get("pid");
            }
            tokio::task::yield_now().await;
        }
    });
    found.await.unwrap_or_else(|_| panic!("nobody waits for {table}"))
}

async fn elements(town: &Postgres, id: RecordId) -> BTreeSet<String> {
    let records = town.records(Kind::Hazard).await.unwrap();
    let found = records.iter().find(|record| record.id == id).unwrap();
    found.elements("timeline").map(|(key, _)| key.to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn a_write_between_any_two_statements_of_another_loses_nothing() {
    let world = World::new().await;
    let (other, id) = (world.another().await, System.new_record_id());
    let mut wanted = BTreeSet::new();
    for table in TABLES {
        let root = world.cluster.as_root("county_0").await.unwrap();
        let hold = format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE");
        root.batch_execute(&hold).await.unwrap();
        let write = |town: &Postgres, element: &str| {
            let (town, write) = (town.clone(), world.add(id, element));
            tokio::spawn(async move { town.write_own(vec![write], done()).await })
        };
        let names = ["first", "second"].map(|name| format!("{name}_{table}"));
        let first = write(&world.town, &names[0]);
        let watch = world.cluster.as_root("county_0").await.unwrap();
        waiting(&watch, table).await;
        // It is in the middle; the other process comes.
        let second = write(&other, &names[1]);
        let sql = "SELECT count(*) AS n FROM pg_locks WHERE NOT granted";
        tokio::time::timeout(LONG, async {
            while watch.query_one(sql, &[]).await.unwrap().get::<_, i64>("n") < 2 {
                tokio::task::yield_now().await;
            }
        })
        .await
        .unwrap();
        root.batch_execute("COMMIT").await.unwrap();
        first.await.unwrap().unwrap();
        second.await.unwrap().unwrap();
        wanted.extend(names);
        assert_eq!(elements(&world.town, id).await, wanted, "{table}");
    }
    assert_eq!(world.town.verify().await.unwrap().findings, []);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn a_connection_cut_in_the_middle_is_no_verdict_and_the_write_can_be_made_again() {
    let world = World::new().await;
    let id = System.new_record_id();
    let mut wanted = BTreeSet::new();
    for table in TABLES {
        let root = world.cluster.as_root("county_0").await.unwrap();
        let hold = format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE");
        root.batch_execute(&hold).await.unwrap();
        let element = format!("cut_{table}");
        let (town, write) = (world.town.clone(), world.add(id, &element));
        let cut = tokio::spawn(async move { town.write_own(vec![write], done()).await });
        let watch = world.cluster.as_root("county_0").await.unwrap();
        let pid = waiting(&watch, table).await;
        watch.execute("SELECT pg_terminate_backend($1)", &[&pid]).await.unwrap();
        let told = cut.await.unwrap().unwrap_err();
        assert!(matches!(told, TownError::Away(_)), "{table}: {told}");
        root.batch_execute("COMMIT").await.unwrap();
        world.town.write_own(vec![world.add(id, &element)], done()).await.unwrap();
        wanted.insert(element);
        assert_eq!(elements(&world.town, id).await, wanted, "{table}");
    }
    assert_eq!(world.town.verify().await.unwrap().findings, []);
}
