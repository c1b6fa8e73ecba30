//! The console's sessions, inbox, decisions and events, as a browser asks.

use std::time::Duration;

use serde_json::{Value, json};
use yaoguan_model::{AccountId, Kind, RecordId, Role};
use yaoguan_testkit::town::{GRID, OTHER_GRID, TestTown};
use yaoguan_town::people::{Account, NewPerson, password};
use yaoguan_town::storage::{People as _, SignIns as _, Storage as _};

use crate::population::write;
use crate::{Answer, Ask, cookie_of, http};

pub(crate) const PASSWORD: &str = "correct horse battery";

/// A right sign-in of one of [`people`].
pub(crate) fn typed(login: &str) -> Value {
    json!({ "login": login, "password": PASSWORD })
}

pub(crate) async fn person(town: &TestTown, login: &str, role: Role) -> AccountId {
    let id = AccountId(yaoguan_model::Env::new_record_id(&town.clock).0);
    let grids = match role {
        Role::Admin => std::collections::BTreeSet::new(),
        Role::Volunteer | Role::Chief | Role::Supervisor => [GRID.parse().unwrap()].into(),
    };
    let name = login.to_owned();
    let account = Account { id, name, role, whole_town: false, grids, scope_version: 1 };
    let new = vec![NewPerson { account, login: Some(login.to_owned()) }];
    town.town.storage.write_people(new, Vec::new(), town.done()).await.unwrap();
    let hash = password::hash(PASSWORD.to_owned(), &town.clock).await.unwrap();
    town.town.storage.set_password(id, hash, town.done()).await.unwrap();
    id
}

/// A supervisor with a one-time password, a closed one, a chief.
pub(crate) async fn people(town: &TestTown) {
    let totp = person(town, "totp", Role::Supervisor).await;
    let closed = person(town, "closed", Role::Supervisor).await;
    person(town, "chief", Role::Chief).await;
    town.town.storage.with_raw(|c| {
        let sql = "UPDATE credential SET totp_secret = ?2, totp_confirmed = 1 WHERE account = ?1";
        c.execute(sql, (totp.as_bytes(), [0_u8])).unwrap();
        let sql = "UPDATE account SET disabled_at = 1 WHERE id = ?1";
        c.execute(sql, [closed.as_bytes()]).unwrap();
    });
}

pub(crate) async fn sign_in(town: &TestTown, body: &Value) -> Answer {
    let body = body.to_string();
    Ask::new(town, "POST", "/console/v1/session").own_page().body(body.as_bytes()).send().await
}

/// The cookie that an answer sets, and what it says of it.
pub(crate) fn set_cookie(answer: &Answer) -> (String, String) {
    let text = answer.headers["set-cookie"].to_str().unwrap();
    let (pair, rest) = text.split_once("; ").unwrap();
    (pair.strip_prefix("__Secure-yaoguan=").unwrap().to_owned(), rest.to_owned())
}

pub(crate) async fn get(town: &TestTown, cookie: &str, path: &str) -> Answer {
    Ask::new(town, "GET", path).session(cookie).send().await
}

pub(crate) async fn post(town: &TestTown, cookie: &str, path: &str, body: &Value) -> Answer {
    let body = body.to_string();
    Ask::new(town, "POST", path).session(cookie).body(body.as_bytes()).send().await
}

pub(crate) async fn hazard(town: &TestTown, grid: &str, title: &str) -> RecordId {
    let author = town.account(Role::Chief, &[grid]).await.unwrap();
    let fields: [(&str, yaoguan_model::Value); 6] = [
        ("category", "slope".into()),
        ("severity", "major".into()),
        ("grid", grid.into()),
        ("seen_at", 1.into()),
        ("status", "reported".into()),
        ("title", title.into()),
    ];
    let new = write(town, Kind::Hazard, author, &fields);
    let id = new.id;
    town.town.storage.write_own(vec![new], town.done()).await.unwrap();
    id
}

/// The dots of a path as the page has them.
pub(crate) fn dots(record: &Value, path: &str) -> Vec<Value> {
    let fields = record["fields"].as_array().unwrap();
    let field = fields.iter().find(|field| field["path"] == path);
    field.map_or(Vec::new(), |field| {
        field["siblings"].as_array().unwrap().iter().map(|s| s["dot"].clone()).collect()
    })
}

fn values(record: &Value, path: &str) -> Vec<Value> {
    let fields = record["fields"].as_array().unwrap();
    let field = fields.iter().find(|field| field["path"] == path).unwrap();
    field["siblings"].as_array().unwrap().iter().map(|s| s["value"].clone()).collect()
}

pub(crate) fn step(record: &Value, from: &str, to: &str, note: &str) -> Value {
    let replaces = dots(record, "status");
    json!({ "step": { "from": from, "to": to, "replaces": replaces }, "note": note })
}

#[tokio::test]
async fn a_session_is_the_browsers_own_and_ends_by_time_sign_out_and_another_password() {
    let town = TestTown::start().await.unwrap();
    let id = person(&town, "li", Role::Supervisor).await;
    let wrong = json!({ "login": "li", "password": "wrong password" });
    assert_eq!(sign_in(&town, &wrong).await.code(), (401, "sign_in_wrong"));
    let answer = sign_in(&town, &typed("li")).await;
    assert_eq!((answer.status, answer.json["name"].as_str()), (200, Some("li")));
    let (cookie, rest) = set_cookie(&answer);
    assert_eq!(rest, "Path=/console; Max-Age=86400; HttpOnly; Secure; SameSite=Strict");
    let me = get(&town, &cookie, "/console/v1/me").await;
    assert_eq!(me.json["token"], answer.json["token"]);
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(me.headers[name], value);
    }
    let csp = me.headers["content-security-policy"].to_str().unwrap();
    assert!(csp.contains("frame-ancestors 'none'") && !csp.contains("unsafe"), "{csp}");
    // In use it lives on, but not for ever.
    for hours in [7, 7, 7] {
        town.clock.shift(hours * 3600);
        assert_eq!(get(&town, &cookie, "/console/v1/me").await.status, 200);
    }
    town.clock.shift(4 * 3600);
    assert_eq!(get(&town, &cookie, "/console/v1/me").await.status, 401);
    let idle = set_cookie(&sign_in(&town, &typed("li")).await).0;
    town.clock.shift(8 * 3600);
    assert_eq!(get(&town, &idle, "/console/v1/me").await.status, 401);
    let mut sessions = Vec::new();
    for _ in 0..4 {
        sessions.push(set_cookie(&sign_in(&town, &typed("li")).await).0);
    }
    let end = "/console/v1/session/end";
    assert_eq!(post(&town, &sessions[0], end, &json!({})).await.status, 200);
    assert_eq!(get(&town, &sessions[0], "/console/v1/me").await.status, 401);
    assert_eq!(get(&town, &sessions[1], "/console/v1/me").await.status, 200);
    assert_eq!(post(&town, &sessions[1], end, &json!({ "everywhere": true })).await.status, 200);
    assert_eq!(get(&town, &sessions[2], "/console/v1/me").await.status, 401);
    let before = set_cookie(&sign_in(&town, &typed("li")).await).0;
    let hash = password::hash(PASSWORD.to_owned(), &town.clock).await.unwrap();
    town.town.storage.set_password(id, hash, town.done()).await.unwrap();
    assert_eq!(get(&town, &before, "/console/v1/me").await.status, 401);
}

#[tokio::test]
async fn another_page_and_a_request_without_the_token_change_nothing() {
    let town = TestTown::start().await.unwrap();
    let account = town.account(Role::Supervisor, &[GRID]).await.unwrap();
    let cookie = cookie_of(&town, account).await;
    let id = hazard(&town, GRID, "x").await;
    let path = format!("/console/v1/records/{id}");
    let body = json!({ "note": "x" }).to_string();
    let bare = || {
        let cookie = format!("__Secure-yaoguan={cookie}");
        Ask::new(&town, "POST", &path).body(body.as_bytes()).header("cookie", &cookie)
    };
    let me = get(&town, &cookie, "/console/v1/me").await;
    let token = me.json["token"].as_str().unwrap();
    let refused = [
        bare(),
        bare().own_page(),
        bare().own_page().header("x-csrf-token", "wrong"),
        bare().header("x-csrf-token", token),
        bare().header("x-csrf-token", token).header("origin", "https://elsewhere.example"),
    ];
    for ask in refused {
        assert_eq!(ask.send().await.code(), (403, "cross_site"));
    }
    assert_eq!(get(&town, &cookie, &path).await.json["timeline"], json!([]));
    assert_eq!(bare().own_page().header("x-csrf-token", token).send().await.status, 200);
    let foreign = Ask::new(&town, "POST", "/console/v1/session").body(body.as_bytes());
    assert_eq!(foreign.send().await.code(), (403, "cross_site"));
}

#[tokio::test]
async fn the_inbox_is_paged_filtered_and_follows_each_write() {
    let town = TestTown::start().await.unwrap();
    let account = town.account(Role::Supervisor, &[GRID]).await.unwrap();
    let cookie = cookie_of(&town, account).await;
    for n in 0..60 {
        hazard(&town, GRID, &format!("no {n} 100%")).await;
    }
    hazard(&town, OTHER_GRID, "elsewhere").await;
    let first = get(&town, &cookie, "/console/v1/hazards").await.json;
    let next = first["next"].as_str().unwrap();
    let second = get(&town, &cookie, &format!("/console/v1/hazards?after={next}")).await.json;
    let ids = |page: &Value| -> Vec<String> {
        page["rows"].as_array().unwrap().iter().map(|row| row["id"].to_string()).collect()
    };
    let mut all = [ids(&first), ids(&second)].concat();
    assert_eq!((ids(&first).len(), all.len()), (50, 60));
    all.sort();
    all.dedup();
    assert_eq!((all.len(), second["next"].is_null()), (60, true));
    let count = async |query: &str| {
        let answer = get(&town, &cookie, &format!("/console/v1/hazards?{query}")).await;
        ids(&answer.json).len()
    };
    assert_eq!(count("q=7%20no%20").await, 1, "every word must occur");
    assert_eq!(count("q=5").await, 11, "a digit by itself is where a number begins");
    assert_eq!(count("q=7_").await, 0, "what is typed is no pattern");
    assert_eq!(count("state=verified").await, 0);
    assert_eq!(count("category=fire").await, 0);
    assert_eq!(count(&format!("grid={OTHER_GRID}")).await, 0);
    let id = first["rows"][0]["id"].as_str().unwrap();
    let path = format!("/console/v1/records/{id}");
    let shown = get(&town, &cookie, &path).await.json;
    assert_eq!(
        post(&town, &cookie, &path, &step(&shown, "reported", "verified", "")).await.status,
        200
    );
    let due = json!({ "changes": { "due_on": { "value": "2001-01-01" } } });
    assert_eq!(post(&town, &cookie, &path, &due).await.status, 200);
    assert_eq!((count("state=verified").await, count("overdue=true").await), (1, 1));
    assert_eq!(
        (count("conflict=true").await, count("state=open&severity=major&q=no").await),
        (0, 50)
    );
}

#[tokio::test]
async fn a_decision_made_on_an_old_page_becomes_a_sibling_and_is_settled() {
    let town = TestTown::start().await.unwrap();
    let account = town.account(Role::Supervisor, &[GRID]).await.unwrap();
    let cookie = cookie_of(&town, account).await;
    let id = hazard(&town, GRID, "x").await;
    let path = format!("/console/v1/records/{id}");
    let old = get(&town, &cookie, &path).await.json;
    let silent = step(&old, "reported", "returned", " ");
    assert_eq!(post(&town, &cookie, &path, &silent).await.code(), (400, "step_not_allowed"));
    let returned = step(&old, "reported", "returned", "照片不清");
    assert_eq!(post(&town, &cookie, &path, &returned).await.status, 200);
    // Somebody else still has the old page.
    assert_eq!(
        post(&town, &cookie, &path, &step(&old, "reported", "verified", "")).await.status,
        200
    );
    let both = get(&town, &cookie, &path).await.json;
    assert_eq!(values(&both, "status"), ["returned", "verified"]);
    let inbox = get(&town, &cookie, "/console/v1/hazards?conflict=true").await.json;
    assert_eq!(inbox["rows"][0]["id"], id.to_string());
    let by = &both["fields"].as_array().unwrap().iter().find(|f| f["path"] == "status").unwrap();
    assert_eq!(by["siblings"][0]["by"]["id"], account.to_string());
    let keep = step(&both, "verified", "verified", "");
    assert_eq!(post(&town, &cookie, &path, &keep).await.status, 200);
    let settled = get(&town, &cookie, &path).await.json;
    assert_eq!(values(&settled, "status"), ["verified"]);
    let timeline = settled["timeline"].as_array().unwrap();
    assert_eq!(timeline.len(), 3);
    assert_eq!(timeline[0]["note"], "照片不清");
    assert!(town.town.storage.verify().await.unwrap().findings.is_empty());
}

#[tokio::test]
async fn whoever_listens_hears_of_each_change_in_their_grids_also_of_those_missed() {
    let town = TestTown::start().await.unwrap();
    let account = town.account(Role::Supervisor, &[GRID]).await.unwrap();
    let cookie = cookie_of(&town, account).await;
    let listen = async |last: Option<&str>| {
        let url = format!("{}/console/v1/events", town.url);
        let mut request =
            http(&town).get(url).header("cookie", format!("__Secure-yaoguan={cookie}"));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        request.send().await.unwrap()
    };
    let heard = async |response: &mut reqwest::Response| {
        let mut text = String::new();
        while !text.contains("\n\n") {
            let chunk = tokio::time::timeout(Duration::from_secs(10), response.chunk()).await;
            let chunk = chunk.expect("an event within 10 s").unwrap().expect("the stream goes on");
            text += std::str::from_utf8(&chunk).unwrap();
        }
        text
    };
    let mut stream = listen(None).await;
    hazard(&town, OTHER_GRID, "elsewhere").await;
    let first = hazard(&town, GRID, "first").await;
    let event = heard(&mut stream).await;
    assert!(
        event.contains("event: changed") && event.contains(&format!("[\"{first}\"]")),
        "{event}"
    );
    let last = event.lines().find_map(|line| line.strip_prefix("id: ")).unwrap().to_owned();
    drop(stream);
    let missed = hazard(&town, GRID, "missed").await;
    let event = heard(&mut listen(Some(&last)).await).await;
    assert!(event.contains(&format!("[\"{missed}\"]")), "{event}");
    // Signing out ends the stream with the next change.
    let mut open = listen(None).await;
    let end = "/console/v1/session/end";
    assert_eq!(post(&town, &cookie, end, &json!({})).await.status, 200);
    hazard(&town, GRID, "later").await;
    let ended = tokio::time::timeout(Duration::from_secs(10), async {
        let mut said = Vec::new();
        while let Some(chunk) = open.chunk().await.unwrap() {
            said.extend_from_slice(&chunk);
        }
        said
    });
    assert!(ended.await.expect("the stream ends").is_empty());
}

#[tokio::test]
async fn reading_a_household_stands_in_the_audit_log() {
    let town = TestTown::start().await.unwrap();
    let account = town.account(Role::Supervisor, &[GRID]).await.unwrap();
    let cookie = cookie_of(&town, account).await;
    let fields = [("address", "上街3号".into()), ("grid", GRID.into())];
    let new = write(&town, Kind::Household, account, &fields);
    let id = new.id;
    town.town.storage.write_own(vec![new], town.done()).await.unwrap();
    let shown = get(&town, &cookie, &format!("/console/v1/records/{id}")).await;
    assert_eq!(values(&shown.json, "address"), ["上街3号"]);
    let read: i64 = town.town.storage.with_raw(|c| {
        let sql =
            "SELECT count(*) FROM audit WHERE act = 'household_read' AND subject = ?1 AND by = ?2";
        c.query_row(sql, [id.to_string(), account.to_string()], |row| row.get(0)).unwrap()
    });
    assert_eq!(read, 1);
}
