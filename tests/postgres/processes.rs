//! Real programs on PostgreSQL: two servers of one town, a town that moves, a database that is put back.

use std::time::Duration;

use serde_json::{Value, json};
use yaoguan_testkit::network::own_address;
use yaoguan_testkit::postgres::Cluster;
use yaoguan_testkit::town::GRID;
use yaoguan_transport::{Trust, client};

use crate::phone::{Phone, sync_each};
use crate::town::Town;

/// The end of a wait; what is waited for comes much sooner.
const LONG: Duration = Duration::from_secs(120);

/// A town's programs on a database.
fn on(address: &str, key_file: Option<&Town>) -> Town {
    let mut town = Town::within(tempfile::tempdir().unwrap());
    town.flags = vec!["--database-url".to_owned(), address.to_owned()];
    if let Some(other) = key_file {
        let key = other.folder.path().join("town.key").display().to_string();
        town.flags.extend(["--key-file".to_owned(), key]);
    }
    town
}

/// A new person's phone, at the server of this process.
fn phone(town: &Town, name: &str) -> Phone {
    let asked = ["invite", "--role", "chief", "--grid", GRID, "--address", &town.url];
    let invite = town.ok(&asked);
    let phone = town.bare_phone(name);
    phone.ok(&["enrol", invite["uri"].as_str().unwrap(), "--device-name", name]);
    phone
}

/// The console's events at the server of this process, for a new supervisor.
async fn events(town: &Town) -> reqwest::Response {
    let role = ["accounts", "add", "--login", "s1", "--name", "s", "--role", "supervisor"];
    town.ok(&[&role[..], &["--grids", GRID]].concat());
    town.fed(&["accounts", "password", "s1"], "correct horse battery\n").done();
    let ca = town.ok(&["ca"])["ca_pem"].as_str().unwrap().to_owned();
    let http = client(Trust::Ca(ca)).unwrap();
    let typed = json!({ "login": "s1", "password": "correct horse battery" }).to_string();
    let asked = http.post(format!("{}/console/v1/session", town.url));
    let asked = asked.header("origin", &town.url).header("content-type", "application/json");
    let answer = asked.body(typed).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let events = format!("{}/console/v1/events", town.url);
    let answer = http.get(events).header("cookie", cookie).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    answer
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn two_servers_serve_one_town() {
    let cluster = Cluster::start().await.unwrap();
    cluster.database().await.unwrap();
    let address = cluster.address("county_0", "yaoguan");
    let mut one = on(&address, None);
    one.ok(&["init", "--demo"]);
    assert_eq!(one.run(&["init"]).error()["code"], "town", "there is a town already");
    one.serve(&own_address().to_string());
    let mut other = on(&address, Some(&one));
    other.serve(&own_address().to_string());
    assert_eq!(one.fingerprint, other.fingerprint);
    let (a, b) = (phone(&one, "a"), phone(&other, "b"));
    let mut stream = events(&other).await;
    // What comes to one server is heard of at the other.
    let id = a.add("hazard", &["category=water", "title=first"]);
    a.sync();
    let heard = tokio::time::timeout(LONG, async {
        let mut text = String::new();
        while !text.contains(&id) {
            let chunk = stream.chunk().await.unwrap().expect("the stream goes on");
            text += std::str::from_utf8(&chunk).unwrap();
        }
    });
    heard.await.expect("an event at the other server");
    drop(stream);
    b.sync();
    assert_eq!(b.show(&id)["fields"]["title"], "first");
    // Both write the same report; neither loses what the other said.
    b.edit(&id, "address=by b");
    a.edit(&id, "title=by a");
    sync_each(&[&b, &a, &b]);
    for phone in [&a, &b] {
        let fields = &phone.show(&id)["fields"];
        assert_eq!((&fields["title"], &fields["address"]), (&json!("by a"), &json!("by b")));
        phone.assert_sound();
    }
    // One of them ends as a crash does, the other goes on.
    one.kill();
    let address = other.url.clone();
    a.ok(&["address", &address]);
    a.add("hazard", &["category=fire", "title=second"]);
    sync_each(&[&a, &b]);
    assert_eq!((b.hazards(), other.hazards()), (2, 2));
    other.assert_sound();
    let checked = other.ok(&["audit", "verify"]);
    assert_eq!(checked["flaws"], json!([]));
    let doctor = other.run(&["doctor"]).json();
    let found = |name: &str| -> Value {
        let checks = doctor["checks"].as_array().unwrap();
        checks.iter().find(|check| check["name"] == name).unwrap()["state"].clone()
    };
    assert_eq!(
        ["database", "schema", "feed", "line", "files"].map(found),
        ["ok"; 5].map(Value::from)
    );
    assert_eq!(found("durable"), "bad", "fsync is off: {doctor}");
    let settings = other.run(&["--database-url", "postgres://u:secret@h/d", "settings"]);
    assert!(!settings.out.contains("secret"), "{settings}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn a_town_moves_and_its_phones_go_on() {
    let cluster = Cluster::start().await.unwrap();
    cluster.database().await.unwrap();
    let address = cluster.address("county_0", "yaoguan");
    let mut town = Town::demo();
    town.ok(&["demo-activity", "--days", "3"]);
    town.serve(&own_address().to_string());
    let phones = ["a", "b"].map(|name| phone(&town, name));
    let id = phones[0].add("hazard", &["category=water", "title=before"]);
    sync_each(&[&phones[0], &phones[1]]);
    let asked = ["move", "--to", &address];
    assert!(town.say("en", &asked).err.contains("stop it first"), "a served town stays");
    town.stop();
    let waits = phones[1].add("hazard", &["category=gas", "title=waits"]);
    let before = town.ok(&["status"]);
    let moved = town.ok(&asked);
    let records: u64 =
        before["records"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
    assert_eq!(moved["records"], records);
    assert!(moved["rows"].as_u64() > Some(records), "{moved}");
    // Nobody serves what was left.
    let words = town.say("zh", &["serve"]).err;
    assert!(words.contains("已迁到 PostgreSQL"), "{words}");
    assert_eq!(town.ok(&asked)["records"], records, "a second time changes nothing");

    town.flags = vec!["--database-url".to_owned(), address.clone()];
    let after = town.ok(&["status"]);
    assert_ne!(after["epoch"], before["epoch"], "a new line of history");
    for same in ["town", "records", "accounts", "devices", "held", "demo"] {
        assert_eq!(after[same], before[same], "{same}");
    }
    town.serve_again();
    sync_each(&[&phones[0], &phones[1], &phones[0]]);
    for phone in &phones {
        assert_eq!(phone.show(&id)["state"], "sent");
        assert_eq!(phone.show(&waits)["fields"]["title"], "waits");
        assert_eq!(phone.status()["quarantined"], 0);
        phone.assert_sound();
    }
    phones[0].edit(&id, "title=after");
    sync_each(&[&phones[0], &phones[1]]);
    assert_eq!(phones[1].show(&id)["fields"]["title"], "after");
    town.assert_sound();
    assert_eq!(town.ok(&["audit", "verify"])["flaws"], json!([]));
    // Another town does not take its place.
    let other = Town::demo();
    assert_eq!(other.run(&asked).error()["code"], "town");
    assert_eq!(other.ok(&["status"])["demo"], true, "it stays where it was");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn a_database_put_back_to_an_earlier_moment_is_a_new_line_and_gets_everything_back() {
    let cluster = Cluster::start_with("-c archive_mode=on").await.unwrap();
    cluster.database().await.unwrap();
    let mut town = on(&cluster.address("county_0", "yaoguan"), None);
    town.ok(&["init", "--demo"]);
    town.serve(&own_address().to_string());
    let (a, b) = (phone(&town, "a"), phone(&town, "b"));
    cluster.keep().await.unwrap();
    let kept = a.add("hazard", &["category=water", "title=kept"]);
    sync_each(&[&a, &b]);
    let root = cluster.as_root("county_0").await.unwrap();
    let sql = "SELECT CAST(clock_timestamp() AS text) AS at";
    let until: String = root.query_one(sql, &[]).await.unwrap().get("at");
    let lost = a.add("hazard", &["category=gas", "title=lost"]);
    b.edit(&kept, "title=lost too");
    sync_each(&[&a, &b, &a]);
    let before = town.ok(&["status"]);
    assert_eq!(before["records"]["hazard"], 2);

    cluster.recover(&until).await.unwrap();
    // The server runs on; connections that died are made anew.
    tokio::time::timeout(LONG, async {
        while a.run(&["sync"]).code != Some(0) {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    for _ in 0..2 {
        sync_each(&[&a, &b]);
    }
    let after = town.ok(&["status"]);
    assert_ne!(after["epoch"], before["epoch"], "phones were told of another line");
    town.ok(&["recovered", "take", "--all"]);
    sync_each(&[&a, &b]);
    for phone in [&a, &b] {
        assert_eq!(phone.show(&lost)["fields"]["title"], "lost");
        assert_eq!(phone.show(&kept)["fields"]["title"], "lost too");
        phone.assert_sound();
    }
    assert_eq!(town.hazards(), 2);
    town.assert_sound();
    let line = town.run(&["doctor"]).json()["checks"].as_array().unwrap().clone();
    let line = line.iter().find(|check| check["name"] == "line").unwrap().clone();
    assert_eq!(line["found"], "later_line");
}
