//! Several processes on one town, and several towns in one database.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use yaoguan_model::cells::{self, Cell};
use yaoguan_model::env::System;
use yaoguan_model::{AccountId, Change, Env as _, FieldPath, Kind, Record, RecordId, Role, Value};
use yaoguan_testkit::postgres::Cluster;
use yaoguan_testkit::town::GRID;
use yaoguan_town::audit::Attribution;
use yaoguan_town::pull::{Ask, Row};
use yaoguan_town::storage::desk::Desk as _;
use yaoguan_town::storage::postgres::{DatabaseUrl, Postgres};
use yaoguan_town::storage::{OwnWrite, People as _, Storage as _};
use yaoguan_town::{TownError, demo};

const NOW: i64 = 1_795_000_000;
/// The end of a wait; what is waited for comes much sooner.
const LONG: Duration = Duration::from_secs(120);

/// A town in a database of its own.
pub(crate) struct World {
    pub(crate) cluster: Cluster,
    url: DatabaseUrl,
    pub(crate) town: Postgres,
    admin: AccountId,
}

impl World {
    pub(crate) async fn new() -> Self {
        let cluster = Cluster::start().await.unwrap();
        let url = cluster.database().await.unwrap();
        let town = Postgres::found(&url, "t", true, &System, None).await.unwrap();
        let admin = demo::add_admin(&town, &System).await.unwrap();
        demo::fill(&town, admin, &System).await.unwrap();
        Self { cluster, url, town, admin }
    }

    /// Another process, as far as the database can tell.
    pub(crate) async fn another(&self) -> Postgres {
        Postgres::open(&self.url, None).await.unwrap()
    }

    /// A save that adds an element to a report.
    pub(crate) fn add(&self, id: RecordId, element: &str) -> OwnWrite {
        let text = |text: &str| Change { replaces: Vec::new(), value: Some(Value::text(text)) };
        let mut changes =
            BTreeMap::from([(FieldPath::element("timeline", element).unwrap(), text("x"))]);
        changes.insert("grid".parse().unwrap(), text(GRID));
        OwnWrite { id, kind: Kind::Hazard, author: self.admin, changes }
    }
}

pub(crate) fn done() -> Attribution {
    Attribution::town(NOW)
}

fn supervisor_cells() -> Vec<Cell> {
    let grids = BTreeSet::from([GRID.parse().unwrap()]);
    let who = AccountId::from_bytes([7; 16]);
    cells::of_reader(who, Role::Supervisor, &grids).into_iter().collect()
}

/// Reports that stand in the feed after a position, and its head.
async fn reports_after(town: &Postgres, after: u64) -> (BTreeSet<RecordId>, u64) {
    let (cells, skip_records) = (supervisor_cells(), Vec::new());
    let ask = Ask { cells, after, upto: None, skip_origin: None, skip_records };
    let page = town.pull(ask).await.unwrap();
    let records = page.rows.iter().filter_map(|row| match row {
        Row::Record(record) if record.kind == Kind::Hazard => Some(record.id),
        Row::Record(_) | Row::Left(_) | Row::Purged(_) => None,
    });
    (records.collect(), page.head)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn two_processes_that_write_the_same_records_lose_nothing() {
    let world = World::new().await;
    let other = world.another().await;
    let ids: Vec<RecordId> = (0..3).map(|_| System.new_record_id()).collect();
    let mut wanted: BTreeMap<RecordId, BTreeSet<String>> = BTreeMap::new();
    let mut running = Vec::new();
    for round in 0..40 {
        let town = if round % 2 == 0 { world.town.clone() } else { other.clone() };
        let mut writes = Vec::new();
        // In another order each time: whoever locked them one by one would wait for the other.
        for step in 0..ids.len() {
            let id = ids[(step + round) % ids.len()];
            let element = System.new_record_id().to_string();
            wanted.entry(id).or_default().insert(element.clone());
            writes.push(world.add(id, &element));
        }
        running.push(tokio::spawn(async move { town.write_own(writes, done()).await }));
    }
    for write in running {
        write.await.unwrap().unwrap();
    }
    let records: Vec<Record> = other.records(Kind::Hazard).await.unwrap();
    let found: BTreeMap<RecordId, BTreeSet<String>> = records
        .iter()
        .map(|record| {
            (record.id, record.elements("timeline").map(|(key, _)| key.to_owned()).collect())
        })
        .collect();
    assert_eq!(found, wanted);
    assert_eq!(world.town.verify().await.unwrap().findings, []);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn no_reader_skips_a_position_while_a_transaction_is_open() {
    let world = World::new().await;
    let before = world.town.info().await.unwrap().head;
    // A process that has drawn its position and not committed.
    let slow = world.cluster.as_root("county_0").await.unwrap();
    slow.batch_execute(
        "BEGIN; UPDATE feed_head SET position = position + 1; SELECT set_config('yaoguan.town', '1', true)",
    )
    .await
    .unwrap();
    let (fast, id) = (world.another().await, System.new_record_id());
    let write = world.add(id, &System.new_record_id().to_string());
    let later = tokio::spawn({
        let fast = fast.clone();
        async move { fast.write_own(vec![write], done()).await }
    });
    // The later one waits for the counter: until then nobody sees a position beyond the open one.
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    let watch = world.cluster.as_root("county_0").await.unwrap();
    tokio::time::timeout(LONG, async {
        while watch.query_one(waits, &[]).await.unwrap().get::<_, i64>(0) == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    assert_eq!(reports_after(&world.town, before).await, (BTreeSet::new(), before));
    slow.batch_execute("COMMIT").await.unwrap();
    later.await.unwrap().unwrap();
    assert_eq!(reports_after(&world.town, before).await, (BTreeSet::from([id]), before + 2));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn news_of_the_feed_reach_another_process() {
    let world = World::new().await;
    let other = world.another().await;
    let mut moves = other.feed_moves();
    let id = System.new_record_id();
    let write = world.add(id, &System.new_record_id().to_string());
    // From the first message on it listens; until then it looks when it begins to.
    world.town.write_own(vec![write], done()).await.unwrap();
    let head = world.town.info().await.unwrap().head;
    tokio::time::timeout(LONG, moves.wait_for(|position| *position >= head))
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn a_lost_database_is_no_success_and_the_write_can_be_made_again() {
    let world = World::new().await;
    let (id, element) = (System.new_record_id(), System.new_record_id().to_string());
    let held = world.add(id, &element);
    let slow = world.cluster.as_root("county_0").await.unwrap();
    slow.batch_execute("BEGIN; UPDATE feed_head SET position = position").await.unwrap();
    let write = tokio::spawn({
        let town = world.town.clone();
        async move { town.write_own(vec![held], done()).await }
    });
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    let watch = world.cluster.as_root("county_0").await.unwrap();
    tokio::time::timeout(LONG, async {
        while watch.query_one(waits, &[]).await.unwrap().get::<_, i64>(0) == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    world.cluster.kill().unwrap();
    let lost = write.await.unwrap().unwrap_err();
    assert!(matches!(lost, TownError::Away(_)), "{lost}");
    world.cluster.run("").unwrap();
    tokio::time::timeout(LONG, async {
        while world.town.write_own(vec![world.add(id, &element)], done()).await.is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    let records = world.town.records(Kind::Hazard).await.unwrap();
    assert_eq!(records.iter().map(|record| record.id).collect::<Vec<_>>(), [id]);
    assert_eq!(world.town.verify().await.unwrap().findings, []);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn towns_of_one_database_do_not_see_each_other() {
    let world = World::new().await;
    let url = world.cluster.url("county_0", "other");
    assert!(matches!(Postgres::open(&url, None).await, Err(TownError::Missing(_))));
    let other = Postgres::found(&url, "o", true, &System, None).await.unwrap();
    assert!(matches!(
        Postgres::found(&url, "o", true, &System, None).await,
        Err(TownError::Exists(_))
    ));
    assert_eq!((other.people().await.unwrap().len(), other.grids().await.unwrap().len()), (0, 0));
    let id = System.new_record_id();
    world.town.write_own(vec![world.add(id, "a")], done()).await.unwrap();
    assert_eq!(other.records(Kind::Hazard).await.unwrap(), []);
    // One id may stand in both.
    other.write_own(vec![world.add(id, "b")], done()).await.unwrap();
    let of = |records: Vec<Record>| records.iter().map(|r| r.fields.len()).collect::<Vec<_>>();
    assert_eq!(of(other.records(Kind::Hazard).await.unwrap()), [2]);
    assert_eq!(of(world.town.records(Kind::Hazard).await.unwrap()), [2]);
    let root = world.cluster.as_root("county_0").await.unwrap();
    let open = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace \
         AND relkind = 'r' AND NOT (relrowsecurity AND relforcerowsecurity) ORDER BY relname";
    let open: Vec<String> =
        root.query(open, &[]).await.unwrap().iter().map(|row| row.get("relname")).collect();
    assert_eq!(open, ["migration", "town_key"], "every other table keeps towns apart");
    assert_eq!(other.verify().await.unwrap().findings, []);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn a_role_that_sees_every_town_and_a_newer_schema_are_refused() {
    let world = World::new().await;
    let root: DatabaseUrl = world.url.to_string().parse().unwrap();
    assert_eq!(root.to_string(), world.url.to_string());
    let above = world.cluster.as_root("county_0").await.unwrap();
    above.batch_execute("ALTER ROLE town BYPASSRLS").await.unwrap();
    let refused = Postgres::open(&world.url, None).await.err().unwrap();
    assert!(matches!(refused, TownError::Input(_)), "{refused}");
    above
        .batch_execute("ALTER ROLE town NOBYPASSRLS; INSERT INTO migration (number) VALUES (99)")
        .await
        .unwrap();
    let refused = Postgres::open(&world.url, None).await.err().unwrap();
    assert!(matches!(refused, TownError::SchemaNewer { found: 99, .. }), "{refused}");
}
