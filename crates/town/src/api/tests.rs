//! What stands before the routes, without a network.

use axum::http::{Request, header};
use axum::routing::get;
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;
use yaoguan_model::env::System;

use super::*;
use crate::data::Town;

async fn app() -> (App, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let (data, key) = (dir.path().join("town"), dir.path().join("town.key"));
    let town = Town::init(&data, &key, "姚关镇", false, &System).await.unwrap();
    (App::of(&town, Arc::new(System)), dir)
}

async fn asked(router: Router, lang: &str) -> (StatusCode, serde_json::Value) {
    let request = Request::get("/").header(header::ACCEPT_LANGUAGE, lang);
    let response = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let status = response.status();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap())
}

#[tokio::test]
async fn a_panic_is_answered_in_the_askers_language_and_counted() {
    let (app, _dir) = app().await;
    async fn panics() -> &'static str {
        panic!("a fault")
    }
    let router = guarded(Router::new().route("/", get(panics)), app.clone());
    let (status, english) = asked(router.clone(), "fr, en;q=0.9").await;
    assert_eq!((status.as_u16(), english["code"].as_str()), (500, Some("internal")));
    assert!(english["message"].as_str().unwrap().is_ascii(), "{english}");
    assert_eq!(english["retriable"], true);
    let (_, chinese) = asked(router, "zh-CN").await;
    assert!(chinese["message"].as_str().unwrap().contains("镇端"), "{chinese}");
    assert_eq!(app.edges.panics(), 2);
}

#[test]
fn the_description_names_each_route_with_each_of_its_errors() {
    let document = serde_json::to_value(document()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let operations = |path: &serde_json::Value| path.as_object().unwrap().len();
    assert_eq!(paths.values().map(operations).sum::<usize>(), routes::ROUTES.len());
    for route in routes::ROUTES.iter() {
        let operation = &paths[route.path][route.method.to_ascii_lowercase()];
        for code in route.all_codes() {
            let status = error::status_of(&code).as_u16().to_string();
            let response = &operation["responses"][&status];
            let words = response["description"].as_str().unwrap_or_default();
            assert!(words.contains(&format!("`{code}`")), "{} {code}: {response}", route.path);
            let body = &response["content"]["application/json"]["schema"]["$ref"];
            assert_eq!(body, "#/components/schemas/ErrorBody", "{} {code}", route.path);
        }
    }
}
