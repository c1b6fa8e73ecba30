//! What a phone says of what waits on it, and what an administrator sees of that.

use serde_json::{Value, json};
use yaoguan_model::Role;
use yaoguan_testkit::town::{GRID, TestTown};

use crate::admin::admin;
use crate::console::get;
use crate::{Ask, device_of, empty_request};

#[tokio::test]
async fn a_phone_says_how_old_its_oldest_unsent_record_is() {
    let town = TestTown::start().await.unwrap();
    let (cookie, _) = admin(&town).await;
    let device = device_of(&town, town.account(Role::Chief, &[GRID]).await.unwrap()).await;
    let sync = async |waiting: Value| {
        let mut request = empty_request();
        if !waiting.is_null() {
            request["waiting"] = waiting;
        }
        let body = request.to_string();
        let ask = Ask::new(&town, "POST", "/v1/sync").body(body.as_bytes());
        assert_eq!(ask.proof(&device, |_| {}).send().await.status, 200);
        let rows = get(&town, &cookie, "/console/v1/admin/devices").await.json["rows"].clone();
        let rows = rows.as_array().unwrap().clone();
        rows.into_iter().find(|row| row["id"] == device.id.to_string()).unwrap()
    };
    let two_days = 2 * 24 * 3600;
    assert_eq!(sync(Value::Null).await["waiting_since"], Value::Null, "an old app says nothing");
    // Between the time before the request and the time after it.
    let since = |row: &Value, before: i64, age_s: i64| {
        let at = row["waiting_since"].as_i64().unwrap() + age_s;
        assert!((before..=town.town_time()).contains(&at), "{row}");
    };
    let before = town.town_time();
    let row = sync(json!({ "records": 3, "oldest_s": two_days })).await;
    since(&row, before, two_days);
    assert!(row["attention"].as_array().unwrap().contains(&json!("waits")), "{row}");
    let row = sync(json!({ "records": 0, "oldest_s": two_days })).await;
    assert_eq!(row["waiting_since"], Value::Null, "nothing is left behind");
    let before = town.town_time();
    // A later app may say more.
    let row = sync(json!({ "records": 1, "oldest_s": -5, "later": true })).await;
    since(&row, before, 0);
}
