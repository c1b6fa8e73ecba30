//! The map that phones fetch: received, looked at, published, given in parts, taken away.

use serde_json::{Value, json};
use yaoguan_model::{BlobHash, Role};
use yaoguan_testkit::map::pmtiles;
use yaoguan_testkit::town::{GRID, TestTown};

use crate::admin::{admin, audited};
use crate::console::{get, post};
use crate::{Answer, Ask, device_of};

const WEST: f64 = 99.1;
const ALL: &str = "/console/v1/admin/tiles";

/// Sends a file as an administrator.
pub(crate) async fn send(town: &TestTown, cookie: &str, bytes: &[u8]) -> Answer {
    Ask::new(town, "POST", ALL).session(cookie).body(bytes).send().await
}

pub(crate) async fn publish(town: &TestTown, cookie: &str, bytes: &[u8]) -> String {
    let received = send(town, cookie, bytes).await;
    assert_eq!(received.status, 200, "{}", received.json);
    let hash = received.json["hash"].as_str().unwrap().to_owned();
    let act = json!({ "act": "publish", "reason": "新底图" });
    let done = post(town, cookie, &format!("{ALL}/{hash}"), &act).await;
    assert_eq!(done.status, 200, "{}", done.json);
    hash
}

#[tokio::test]
async fn a_map_is_looked_at_then_published_and_given_to_phones_in_parts() {
    let town = TestTown::start().await.unwrap();
    let (cookie, _) = admin(&town).await;
    let chief = device_of(&town, town.account(Role::Chief, &[GRID]).await.unwrap()).await;
    let about = async || Ask::new(&town, "GET", "/v1/tiles").proof(&chief, |_| {}).send().await;
    for (bytes, why) in
        [(b"no map".to_vec(), "tiles_unfit"), (pmtiles(b"x", 12.0), "tiles_elsewhere")]
    {
        let refused = send(&town, &cookie, &bytes).await;
        assert_eq!((refused.status, refused.json["why"].as_str()), (409, Some(why)));
    }
    let bytes = pmtiles(&[7; 300], WEST);
    let received = send(&town, &cookie, &bytes).await.json;
    assert_eq!((received["kind"].as_str(), &received["published_at"]), (Some("png"), &Value::Null));
    assert_eq!(about().await.code(), (404, "not_found"), "received is not published");
    let hash = publish(&town, &cookie, &bytes).await;
    assert_eq!(hash, BlobHash::of(&bytes).to_string());
    let news = about().await.json;
    assert_eq!(
        (news["hash"].as_str(), news["size"].as_u64()),
        (Some(&*hash), Some(bytes.len() as u64))
    );
    assert_eq!(news["bounds"], json!([991_000_000, 245_000_000, 993_000_000, 247_000_000]));

    let file = format!("/v1/tiles/{hash}");
    let ask = || Ask::new(&town, "GET", &file).proof(&chief, |_| {});
    let whole = ask().send().await;
    assert_eq!((whole.status, whole.bytes.as_slice()), (200, bytes.as_slice()));
    let part = ask().header("range", "bytes=100-199").send().await;
    assert_eq!((part.status, part.bytes.as_slice()), (206, &bytes[100..200]));
    assert_eq!(part.headers["content-range"], format!("bytes 100-199/{}", bytes.len()));
    let beyond = ask().header("range", "bytes=99999-").send().await;
    assert_eq!(beyond.code(), (416, "range_not_satisfiable"));
    let held = ask().header("if-none-match", &format!("\"{hash}\"")).send().await;
    assert_eq!((held.status, held.bytes.len()), (304, 0));

    let shown = get(&town, &cookie, "/console/v1/tiles").await.json;
    assert_eq!(shown["tiles"]["attribution"], "of the test");
    let tile = format!("/console/v1/tiles/{hash}/0/0/0");
    let tile = Ask::new(&town, "GET", &tile).session(&cookie).send().await;
    assert_eq!((tile.status, tile.bytes), (200, vec![7; 300]));
    assert_eq!(audited(&town, &cookie, "tiles_published").await[0]["detail"]["hash"], hash);

    let remove = json!({ "act": "remove", "reason": "过期" });
    assert_eq!(post(&town, &cookie, &format!("{ALL}/{hash}"), &remove).await.status, 200);
    assert_eq!(about().await.status, 404);
    assert_eq!(ask().send().await.status, 404);
    assert_eq!(std::fs::read_dir(town.data().join("map")).unwrap().count(), 0, "nothing is left");
    assert_eq!(audited(&town, &cookie, "tiles_removed").await[0]["reason"], "过期");
}
