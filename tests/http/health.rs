//! `/healthz`, `/readyz`, the API's description, and what is not there.

use serde_json::Value;
use yaoguan_testkit::town::TestTown;
use yaoguan_town::api::routes::ROUTES;

use crate::{Ask, http};

async fn get(town: &TestTown, path: &str) -> (u16, Value) {
    let response = http(town).get(format!("{}{path}", town.url)).send().await.unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or(Value::Null))
}

#[tokio::test]
async fn a_sound_town_is_alive_and_ready() {
    let town = TestTown::start().await.unwrap();
    assert_eq!(get(&town, "/healthz").await.0, 200);
    let (status, body) = get(&town, "/readyz").await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(body["database_writable"], true);
    assert_eq!(body["feed_moving"], true);
    // Not a reason for 503.
    assert_eq!((&body["warnings"][0], &body["backup_age_s"]), (&"backup_off".into(), &Value::Null));
    assert_eq!(body["panics"], 0);
}

#[tokio::test]
async fn a_feed_that_does_not_agree_with_its_counter_is_not_ready() {
    let town = TestTown::start().await.unwrap();
    town.town
        .storage
        .with_raw(|c| c.execute("UPDATE feed_head SET position = position + 7", []).unwrap());
    let (status, body) = get(&town, "/readyz").await;
    assert_eq!((status, &body["feed_moving"]), (503, &Value::Bool(false)));
}

#[tokio::test]
async fn a_database_that_takes_no_write_is_not_ready() {
    let town = TestTown::start().await.unwrap();
    town.breaks("UPDATE", "town");
    let (status, body) = get(&town, "/readyz").await;
    assert_eq!((status, &body["database_writable"]), (503, &Value::Bool(false)));
}

#[tokio::test]
async fn the_description_names_every_route_of_the_router() {
    let town = TestTown::start().await.unwrap();
    let (status, document) = get(&town, "/api/openapi.json").await;
    assert_eq!(status, 200);
    let mut paths: Vec<&str> =
        document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    paths.sort_unstable();
    let mut routes: Vec<&str> = ROUTES.iter().map(|route| route.path).collect();
    routes.sort_unstable();
    // One path may have several methods.
    routes.dedup();
    assert_eq!(paths, routes);
}

#[tokio::test]
async fn what_is_not_there_says_so() {
    let town = TestTown::start().await.unwrap();
    let (status, body) = get(&town, "/v1/nothing").await;
    assert_eq!((status, body["code"].as_str().unwrap()), (404, "not_found"));
}

#[tokio::test]
async fn a_wrong_method_says_so_in_the_same_shape() {
    let town = TestTown::start().await.unwrap();
    let answer = Ask::new(&town, "GET", "/v1/sync").send().await;
    assert_eq!(answer.code(), (405, "method_not_allowed"));
    assert_eq!(answer.headers["allow"], "POST");
}
