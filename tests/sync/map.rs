//! The town's map on a phone: fetched in parts, gone on with, looked at before it takes the place of the one before.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use yaoguan_app::platform::Line;
use yaoguan_app::{Host, Platform};
use yaoguan_field::FieldError;
use yaoguan_field::tiles::{self, MapStep, PART_BYTES};
use yaoguan_model::{BlobHash, Role};
use yaoguan_testkit::map::pmtiles;
use yaoguan_testkit::town::{GRID, TestTown};
use yaoguan_town::storage::Maps as _;
use yaoguan_town::storage::tiles::Published;

/// Has the town publish a map.
async fn publish(town: &TestTown, bytes: &[u8]) {
    let mut incoming = town.town.tiles.begin("test").unwrap();
    incoming.append(bytes).unwrap();
    let received = incoming.finish().unwrap();
    let (hash, size, about) = (received.hash, received.size, received.about);
    let published = Published { hash, size, about, published_at: town.town_time() };
    town.town.storage.publish_tiles(Some(published), town.done()).await.unwrap();
}

fn tile(app: &std::path::Path) -> Option<Vec<u8>> {
    Some(tiles::open(app)?.tile(0, 0, 0).unwrap()?.bytes)
}

#[tokio::test]
async fn a_map_comes_in_parts_and_a_broken_one_is_gone_on_with() {
    let town = TestTown::start().await.unwrap();
    let mut own = town.phone(Role::Volunteer, &[GRID]).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let app = dir.path();
    let phone = &mut own.phone;
    assert_eq!(phone.fetch_map(app).await.unwrap(), MapStep::Nothing, "the town has none");
    let large = vec![9; PART_BYTES as usize + 1_000];
    let bytes = pmtiles(&large, 99.1);
    publish(&town, &bytes).await;
    phone.set_metered(true);
    assert_eq!(phone.fetch_map(app).await.unwrap(), MapStep::Nothing, "bytes cost money");
    phone.set_metered(false);
    assert_eq!(phone.fetch_map(app).await.unwrap(), MapStep::More(PART_BYTES));
    assert_eq!(tile(app), None, "a part is no map");
    // The line broke in the middle of what came next.
    let part = app.join("map.pmtiles.part");
    let came = std::fs::read(&part).unwrap();
    std::fs::write(&part, &came[..came.len() - 500]).unwrap();
    assert_eq!(phone.fetch_map(app).await.unwrap(), MapStep::More(bytes.len() as u64));
    let installed = phone.fetch_map(app).await.unwrap();
    assert!(matches!(installed, MapStep::Installed(shown) if shown.bytes == bytes.len() as u64));
    assert_eq!(tile(app), Some(large));
    assert_eq!(phone.fetch_map(app).await.unwrap(), MapStep::Nothing, "it is here");

    publish(&town, &pmtiles(b"newer", 99.1)).await;
    while !matches!(phone.fetch_map(app).await.unwrap(), MapStep::Installed(_)) {}
    assert_eq!(tile(app).as_deref(), Some(&b"newer"[..]));
    tiles::remove(app).unwrap();
    assert_eq!(phone.fetch_map(app).await.unwrap(), MapStep::Nothing, "taken away it stays away");
    tiles::want_again(app).unwrap();
    while !matches!(phone.fetch_map(app).await.unwrap(), MapStep::Installed(_)) {}
    assert_eq!(tile(app).as_deref(), Some(&b"newer"[..]));
}

#[tokio::test]
async fn a_map_of_other_bytes_is_thrown_away_and_the_one_before_stays() {
    let town = TestTown::start().await.unwrap();
    let phone = town.phone(Role::Volunteer, &[GRID]).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let app = dir.path();
    tiles::install(app, &mut &*pmtiles(b"own", 99.1)).unwrap();
    let bytes = pmtiles(b"of the town", 99.1);
    publish(&town, &bytes).await;
    let file = town.data().join(format!("map/{}.pmtiles", BlobHash::of(&bytes)));
    std::fs::write(file, pmtiles(b"of somebody", 99.1)).unwrap();
    assert!(matches!(phone.phone.fetch_map(app).await.unwrap(), MapStep::More(_)));
    assert!(matches!(phone.phone.fetch_map(app).await, Err(FieldError::BadMap(_))));
    assert_eq!(tile(app).as_deref(), Some(&b"own"[..]));
    assert!(!app.join("map.pmtiles.part").exists());
}

async fn app(host: &Arc<Host>, command: &str, body: Value) -> Value {
    let answer = yaoguan_app::run(Arc::clone(host), command.to_owned(), body.to_string()).await;
    serde_json::to_value(answer.unwrap_or_else(|_| panic!("{command}"))).unwrap()
}

/// Waits until the app's answer is as wanted.
async fn when(host: &Arc<Host>, command: &str, wanted: impl Fn(&Value) -> bool) {
    let asking = async {
        while !wanted(&app(host, command, json!({})).await) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), asking).await.expect(command);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_app_fetches_a_map_by_itself_after_a_sync_over_a_line_that_costs_nothing() {
    let town = TestTown::start().await.unwrap();
    let large = vec![9; PART_BYTES as usize + 1_000];
    publish(&town, &pmtiles(&large, 99.1)).await;
    let dir = tempfile::tempdir().unwrap();
    let host = Host::open(dir.path(), Platform::with_line(Line::Metered)).unwrap();
    let account = town.account(Role::Volunteer, &[GRID]).await.unwrap();
    let invite = town.invite(account, town.address).await.unwrap();
    tokio::spawn(yaoguan_app::sync_in_background(Arc::clone(&host)));
    app(&host, "enrol", json!({ "invite": invite, "device_name": "test", "newcomer": true })).await;
    let synced = |sync: &Value| sync["runs"] != 0 && sync["running"] == false;
    when(&host, "sync", synced).await;
    let sync = app(&host, "sync", json!({})).await;
    assert_eq!(sync["error"], Value::Null, "{sync}");
    assert_eq!(app(&host, "map", json!({})).await, Value::Null, "bytes cost money");
    app(&host, "line", json!({ "online": true, "metered": false })).await;
    app(&host, "sync_now", json!({})).await;
    when(&host, "map", |map| !map.is_null()).await;
    assert_eq!(tile(dir.path()), Some(large));
}
