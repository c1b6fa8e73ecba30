//! The commands, on real stores, with a clock that the test owns.

use std::sync::atomic::{AtomicI64, Ordering};

use serde_json::json;
use yaoguan_model::Env;
use yaoguan_model::env::System;

use super::*;
use crate::Platform;
use crate::platform::{Keys, Line};
use crate::testing::enrolled;

#[derive(Default, Clone)]
struct Boot(Arc<AtomicI64>);

impl Boot {
    fn minutes(&self, minutes: i64) {
        self.0.fetch_add(minutes * 60_000, Ordering::SeqCst);
    }
}

impl Env for Boot {
    fn now_ms(&self) -> i64 {
        System.now_ms()
    }
    fn boot_elapsed_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
    fn random_16(&self) -> [u8; 16] {
        System.random_16()
    }
}

struct App {
    host: Arc<Host>,
    boot: Boot,
    _dir: tempfile::TempDir,
}

impl App {
    fn new() -> Self {
        let (dir, boot) = (tempfile::tempdir().unwrap(), Boot::default());
        enrolled(dir.path());
        let platform = Platform { keys: Keys::Pin(None), ..Platform::with_line(Line::Down) };
        let host = Host::with_env(dir.path(), platform, Arc::new(boot.clone())).unwrap();
        Self { host, boot, _dir: dir }
    }

    async fn call(&self, command: &str, body: Json) -> Result<Json, Json> {
        let body = serde_json::to_vec(&body).unwrap();
        let done = crate::run(Arc::clone(&self.host), command.to_owned(), body).await;
        done.map_err(|failure| failure.to_json()["code"].clone())
    }

    async fn lock(&self) -> Json {
        self.call("people", json!({})).await.unwrap()["lock"].clone()
    }
}

#[tokio::test]
async fn a_folder_without_a_pin_asks_for_one_and_is_locked_after_that() {
    let app = App::new();
    assert_eq!(app.lock().await, "pin_missing");
    assert_eq!(app.call("set_pin", json!({ "pin": "123456" })).await, Err(json!("weak_pin")));
    let set = app.call("set_pin", json!({ "pin": "480213" })).await.unwrap();
    assert_eq!((&set["lock"], &set["people"][0]["name"]), (&json!("open"), &json!("联防长")));
    // The PIN that is there is not replaced without being asked for.
    assert_eq!(app.call("set_pin", json!({ "pin": "751902" })).await, Err(json!("wrong_pin")));
    let form = app.call("start_form", json!({ "kind": "hazard" })).await.unwrap();
    app.call("lock", json!({})).await.unwrap();
    assert_eq!(app.lock().await, "locked");
    for command in ["today", "forms", "health", "patrol"] {
        assert_eq!(app.call(command, json!({})).await, Err(json!("locked")), "{command}");
    }
    let person = set["people"][0]["id"].clone();
    let wrong = app.call("unlock", json!({ "person": person, "pin": "111222" })).await;
    assert_eq!(wrong, Err(json!("wrong_pin")));
    app.call("unlock", json!({ "person": person, "pin": "480213" })).await.unwrap();
    assert_eq!(app.call("forms", json!({})).await.unwrap()[0]["id"], form["id"]);
}

#[tokio::test]
async fn the_store_is_locked_after_the_time_in_the_background_and_not_while_a_patrol_runs() {
    let app = App::new();
    app.call("set_pin", json!({ "pin": "480213" })).await.unwrap();
    let away = async |minutes| {
        app.call("background", json!({ "hidden": true })).await.unwrap();
        app.boot.minutes(minutes);
        app.call("background", json!({ "hidden": false })).await.unwrap()["lock"].clone()
    };
    assert_eq!(away(4).await, "open");
    app.call("start_patrol", json!({})).await.unwrap();
    assert_eq!(away(40).await, "open");
    app.call("stop_patrol", json!({})).await.unwrap();
    app.call("discard_patrol", json!({})).await.unwrap();
    assert_eq!(away(5).await, "locked");
}

#[tokio::test]
async fn language_and_size_are_known_before_anybody_is_in() {
    let app = App::new();
    app.call("set_pin", json!({ "pin": "480213" })).await.unwrap();
    let settings = json!({ "lang": "en", "text_px": 30, "theme": "outdoor" });
    app.call("set_settings", settings).await.unwrap();
    app.call("lock", json!({})).await.unwrap();
    let shown = app.call("settings", json!({})).await.unwrap();
    assert_eq!((&shown["lang"], &shown["text_px"]), (&json!("en"), &json!(30)));
}
