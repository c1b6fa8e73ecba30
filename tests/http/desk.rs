//! A supervisor's daily work at the console: tasks, views, claims, search, many decisions at once, the day.

use serde_json::{Value, json};
use yaoguan_model::{Env as _, Role};
use yaoguan_testkit::town::{GRID, OTHER_GRID, TestTown};

use yaoguan_town::storage::Storage as _;
use yaoguan_town::storage::desk::{CLAIM_HOLDS_S, MAX_DECISIONS};
use yaoguan_town::storage::saved_views::MAX_VIEWS;

use crate::console::{get, hazard, post, step};
use crate::{Ask, cookie_of};

/// A town with a signed-in supervisor of [`GRID`].
async fn desk() -> (TestTown, String) {
    let town = TestTown::start().await.unwrap();
    let account = town.account(Role::Supervisor, &[GRID]).await.unwrap();
    let cookie = cookie_of(&town, account).await;
    (town, cookie)
}

fn ids(page: &Value) -> Vec<String> {
    let rows = page["rows"].as_array().unwrap();
    rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_task_is_given_found_and_given_to_somebody_else() {
    let (town, cookie) = desk().await;
    let chief = town.account(Role::Chief, &[GRID]).await.unwrap();
    let other = town.account(Role::Chief, &[GRID]).await.unwrap();
    let about = hazard(&town, GRID, "边坡").await;
    let tasks = "/console/v1/tasks";
    let task = json!({
        "what": "recheck", "words": "复查边坡", "about": about.to_string(),
        "assignee": chief.to_string(), "due_on": "2001-01-01",
    });
    let nobody = json!({ "what": "other", "words": "x" });
    assert_eq!(post(&town, &cookie, tasks, &nobody).await.code(), (400, "bad_request"));
    let foreign = json!({ "what": "other", "words": "x", "grid": OTHER_GRID });
    assert_eq!(post(&town, &cookie, tasks, &foreign).await.code(), (400, "not_allowed"));
    let made = post(&town, &cookie, tasks, &task).await;
    let id = made.json["id"].as_str().unwrap().to_owned();
    let grid = json!({ "what": "patrol", "words": "雨后巡查", "grid": GRID });
    assert_eq!(post(&town, &cookie, tasks, &grid).await.status, 200);
    let list = async |query: &str| {
        ids(&get(&town, &cookie, &format!("/console/v1/tasks?{query}")).await.json)
    };
    assert_eq!(list("").await.first(), Some(&id), "what is due stands on top");
    assert_eq!(list("").await.len(), 2);
    assert_eq!((list("overdue=true").await, list("q=边坡").await.len()), (vec![id.clone()], 1));
    assert_eq!(list(&format!("assignee={chief}")).await, std::slice::from_ref(&id));
    assert_eq!((list("mine=true").await.len(), list("state=done").await.len()), (2, 0));
    let path = format!("/console/v1/records/{id}");
    let shown = get(&town, &cookie, &path).await.json;
    assert_eq!(shown["links"][0]["relation"], "about");
    let hazard_page = get(&town, &cookie, &format!("/console/v1/records/{about}")).await.json;
    assert_eq!(hazard_page["links"][0]["id"], id, "the report names its task");
    let replaces = crate::console::dots(&shown, "assignee");
    let change =
        json!({ "changes": { "assignee": { "replaces": replaces, "value": other.to_string() } } });
    assert_eq!(post(&town, &cookie, &path, &change).await.status, 200);
    assert_eq!(list(&format!("assignee={other}")).await, [id]);
    assert!(list(&format!("assignee={chief}")).await.is_empty());
    assert!(town.town.storage.verify().await.unwrap().findings.is_empty());
}

#[tokio::test]
async fn many_reports_take_a_step_at_once_and_each_has_its_verdict() {
    let (town, cookie) = desk().await;
    for n in 0..3 {
        hazard(&town, GRID, &format!("no {n}")).await;
    }
    let elsewhere = hazard(&town, OTHER_GRID, "elsewhere").await;
    let rows = get(&town, &cookie, "/console/v1/hazards").await.json["rows"].clone();
    let shown = |row: &Value| json!({ "id": row["id"], "from": row["status"], "replaces": row["status_dots"] });
    let mut records: Vec<Value> = rows.as_array().unwrap().iter().map(shown).collect();
    // One was decided on in the meantime in a way that the step does not fit.
    let last = format!("/console/v1/records/{}", rows[2]["id"].as_str().unwrap());
    let page = get(&town, &cookie, &last).await.json;
    let away = step(&page, "reported", "unfounded", "没有");
    assert_eq!(post(&town, &cookie, &last, &away).await.status, 200);
    records[2]["from"] = json!("closed");
    records.push(json!({ "id": elsewhere.to_string(), "from": "reported", "replaces": [] }));
    let body = json!({ "to": "verified", "note": "一并核实", "records": records });
    let answer = post(&town, &cookie, "/console/v1/decisions", &body).await;
    let codes: Vec<&Value> =
        answer.json["verdicts"].as_array().unwrap().iter().map(|v| &v["code"]).collect();
    let (refused, gone) = (json!("step_not_allowed"), json!("not_found"));
    assert_eq!(codes, [&Value::Null, &Value::Null, &refused, &gone]);
    let verified = get(&town, &cookie, "/console/v1/hazards?state=verified").await.json;
    assert_eq!(ids(&verified).len(), 2);
    let many: Vec<Value> = (0..=MAX_DECISIONS).map(|_| records[0].clone()).collect();
    let body = json!({ "to": "verified", "records": many });
    let answer = post(&town, &cookie, "/console/v1/decisions", &body).await;
    assert_eq!(answer.code(), (400, "bad_request"));
}

#[tokio::test]
async fn a_claim_is_seen_by_others_and_holds_for_its_time() {
    let (town, cookie) = desk().await;
    let other = town.account(Role::Supervisor, &[GRID]).await.unwrap();
    let other = cookie_of(&town, other).await;
    let id = hazard(&town, GRID, "major").await;
    let me = get(&town, &cookie, "/console/v1/me").await.json["id"].clone();
    let claim = json!({ "changes": { "claimed_by": { "value": me } } });
    let seen = async || {
        let waiting = get(&town, &other, "/console/v1/waiting").await.json;
        let row = get(&town, &other, "/console/v1/hazards").await.json["rows"][0].clone();
        let own = get(&town, &cookie, "/console/v1/hazards?claimed=true").await.json;
        let by = row["claimed_by"].as_str().unwrap_or_default().to_owned();
        (waiting["urgent"].as_array().unwrap().len(), by.is_empty(), ids(&own).len())
    };
    assert_eq!(seen().await, (1, true, 0));
    let path = format!("/console/v1/records/{id}");
    assert_eq!(post(&town, &cookie, &path, &claim).await.status, 200);
    assert_eq!(seen().await, (0, false, 1));
    town.clock.shift(CLAIM_HOLDS_S + 5);
    assert_eq!(seen().await, (1, true, 0));
}

#[tokio::test]
async fn a_report_waits_as_new_corrected_or_changed_and_is_found_by_chinese_words() {
    let (town, cookie) = desk().await;
    let id = hazard(&town, GRID, "后山山体滑坡").await;
    hazard(&town, OTHER_GRID, "山体滑坡").await;
    let count = async |query: &str| {
        ids(&get(&town, &cookie, &format!("/console/v1/hazards?{query}")).await.json).len()
    };
    assert_eq!((count("q=滑坡").await, count("q=坡").await, count("q=滑落").await), (1, 1, 0));
    assert_eq!(count("q=滑坡%20后山").await, 1, "every word must occur");
    assert_eq!(count("stage=new").await, 1);
    let path = format!("/console/v1/records/{id}");
    let take = async |from: &str, to: &str, note: &str| {
        let page = get(&town, &cookie, &path).await.json;
        assert_eq!(post(&town, &cookie, &path, &step(&page, from, to, note)).await.status, 200);
        town.clock.shift(1);
    };
    take("reported", "returned", "请补充水井位置").await;
    assert_eq!((count("stage=new").await, count("q=水井").await), (0, 1), "notes are found too");
    take("returned", "reported", "").await;
    assert_eq!(count("stage=corrected").await, 1);
    take("reported", "verified", "").await;
    assert_eq!((count("stage=corrected").await, count("stage=changed").await), (0, 0));
    let waiting = get(&town, &cookie, "/console/v1/waiting").await.json;
    assert_eq!((waiting["new"].clone(), waiting["changed"].clone()), (json!(0), json!(0)));
}

#[tokio::test]
async fn views_are_kept_for_their_account_alone_and_not_without_end() {
    let (town, cookie) = desk().await;
    let other = town.account(Role::Supervisor, &[GRID]).await.unwrap();
    let other = cookie_of(&town, other).await;
    let views = "/console/v1/views";
    let keep = async |name: &str, query: &str| {
        post(&town, &cookie, views, &json!({ "name": name, "query": query })).await.status
    };
    for n in 0..MAX_VIEWS {
        assert_eq!(keep(&format!("v{n:02}"), "state=open").await, 200);
    }
    assert_eq!(
        (keep("one more", "").await, keep(" ", "").await, keep(&"x".repeat(41), "").await),
        (400, 400, 400)
    );
    assert_eq!(keep("v00", "stage=new").await, 200, "the same name is the same view");
    let mine = get(&town, &cookie, views).await.json["views"].clone();
    assert_eq!(
        (mine.as_array().unwrap().len(), mine[0]["query"].as_str()),
        (20, Some("stage=new"))
    );
    assert_eq!(get(&town, &other, views).await.json["views"], json!([]));
    let path = format!("{views}/{}", mine[0]["id"].as_str().unwrap());
    let drop =
        async |cookie: &str| Ask::new(&town, "DELETE", &path).session(cookie).send().await.status;
    assert_eq!((drop(&other).await, drop(&cookie).await, drop(&cookie).await), (404, 200, 404));
}

#[tokio::test]
async fn a_daily_report_counts_the_day_in_the_own_grids() {
    let (town, cookie) = desk().await;
    let id = hazard(&town, GRID, "major one").await;
    hazard(&town, OTHER_GRID, "elsewhere").await;
    let path = format!("/console/v1/records/{id}");
    let page = get(&town, &cookie, &path).await.json;
    assert_eq!(
        post(&town, &cookie, &path, &step(&page, "reported", "verified", "")).await.status,
        200
    );
    let report = get(&town, &cookie, "/console/v1/daily").await.json;
    let daily = &report["daily"];
    assert_eq!(daily["reported"], 1);
    assert_eq!(daily["categories"], json!({ "slope": 1 }));
    assert_eq!(daily["steps"], json!({ "verified": 1 }));
    assert_eq!(
        (daily["named"][0]["title"].clone(), daily["checks"].clone()),
        (json!("major one"), json!("0"))
    );
    let before = get(&town, &cookie, "/console/v1/daily?day=2020-01-01").await.json;
    assert_eq!(before["daily"]["reported"], 0);
    assert!(town.clock.now_s() > 0);
}
