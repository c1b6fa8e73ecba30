//! Lists as files: what they hold, that each asks for a reason and is written down, and their limits.

use serde_json::{Value, json};
use yaoguan_model::{Kind, RecordId, Role};
use yaoguan_testkit::town::{GRID, OTHER_GRID, TestTown};
use yaoguan_town::exports::{MAX_HOUSEHOLD_ROWS, MIN_REASON_CHARS};
use yaoguan_town::storage::Storage as _;

use crate::population::write;
use crate::{Answer, Ask, cookie_of};

const REASON: &str = "月度汇总";

async fn export(town: &TestTown, cookie: &str, file: &str, body: &Value) -> Answer {
    let path = format!("/console/v1/exports/{file}");
    let body = body.to_string();
    Ask::new(town, "POST", &path).session(cookie).body(body.as_bytes()).send().await
}

async fn hazard(town: &TestTown, grid: &str, title: &str, seen_at: i64) -> RecordId {
    let author = town.account(Role::Chief, &[grid]).await.unwrap();
    let fields = [
        ("category", "slope".into()),
        ("severity", "major".into()),
        ("grid", grid.into()),
        ("seen_at", seen_at.into()),
        ("status", "reported".into()),
        ("title", title.into()),
    ];
    let new = write(town, Kind::Hazard, author, &fields);
    let id = new.id;
    town.town.storage.write_own(vec![new], town.done()).await.unwrap();
    id
}

/// Reason and detail of the last export in the log.
fn last_entry(town: &TestTown) -> (String, String, Value) {
    town.town.storage.with_raw(|c| {
        let sql = "SELECT subject, reason, detail FROM audit WHERE act = 'exported' \
             ORDER BY sequence DESC LIMIT 1";
        let row = c.query_row(sql, [], |row| {
            let detail: String = row.get(2)?;
            Ok((row.get(0)?, row.get(1)?, serde_json::from_str(&detail).unwrap()))
        });
        row.unwrap()
    })
}

#[tokio::test]
async fn a_filtered_list_is_a_file_in_each_format_and_stands_in_the_log() {
    let town = TestTown::start().await.unwrap();
    let account = town.account(Role::Supervisor, &[GRID]).await.unwrap();
    let cookie = cookie_of(&town, account).await;
    for n in 0..210 {
        hazard(&town, GRID, &format!("第{n}号路段"), 1).await;
    }
    let formulas = ["=1+1", "+86", "-1", "@SUM(A1)", "\t=1", "\r=1"];
    for text in formulas {
        hazard(&town, GRID, text, 1).await;
    }
    hazard(&town, OTHER_GRID, "elsewhere", 1).await;
    let all = json!({ "reason": REASON });
    let csv = export(&town, &cookie, "hazards.csv", &all).await;
    assert_eq!(csv.status, 200, "{}", csv.json);
    assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
    assert_eq!(csv.headers["cache-control"], "no-store");
    let name = csv.headers["content-disposition"].to_str().unwrap();
    assert!(name.starts_with("attachment; filename=\"hazards-20") && name.ends_with(".csv\""));
    let text = String::from_utf8(csv.bytes).unwrap();
    assert!(text.starts_with("\u{FEFF}Id,") && text.ends_with("\r\n"), "BOM, English, CRLF");
    for formula in formulas {
        assert!(text.contains(&format!("'{formula}")), "{formula:?} is text");
    }
    assert!(!text.contains("elsewhere"));
    let (subject, reason, detail) = last_entry(&town);
    assert_eq!((subject.as_str(), reason.as_str()), ("hazard", REASON));
    assert_eq!(detail["count"], 216);
    assert_eq!(detail["format"], "csv");
    let filtered = json!({ "reason": REASON, "filter": { "q": "第77号", "state": "open" } });
    let geojson = export(&town, &cookie, "hazards.geojson", &filtered).await;
    assert_eq!(geojson.json["features"].as_array().unwrap().len(), 1);
    let (_, _, detail) = last_entry(&town);
    assert_eq!(detail["filter"], json!({ "q_chars": 4, "state": "open" }), "no text in the log");
    let xlsx = export(&town, &cookie, "hazards.xlsx", &filtered).await;
    assert!(xlsx.bytes.starts_with(b"PK"));
    assert_eq!(last_entry(&town).2["count"], 1);
}

#[tokio::test]
async fn an_export_without_a_reason_or_of_no_list_gives_nothing_and_is_not_written_down() {
    let town = TestTown::start().await.unwrap();
    let account = town.account(Role::Supervisor, &[GRID]).await.unwrap();
    let cookie = cookie_of(&town, account).await;
    let short = "x".repeat(MIN_REASON_CHARS - 1);
    for body in [
        json!({ "reason": short }),
        json!({ "reason": format!("  {short}  ") }),
        json!({ "reason": "x".repeat(201) }),
        json!({}),
        json!({ "reason": REASON, "filter": { "conflict": "x" } }),
        json!({ "reason": REASON, "filter": { "q": "x".repeat(101) } }),
        json!({ "reason": REASON, "fields": ["id"] }),
    ] {
        let answer = export(&town, &cookie, "hazards.csv", &body).await;
        assert_eq!(answer.code(), (400, "bad_request"), "{body}");
    }
    let unknown_key = json!({ "reason": REASON, "filter": { "name": "x" } });
    assert_eq!(export(&town, &cookie, "tasks.csv", &unknown_key).await.status, 400);
    let elsewhere =
        ["households.csv", "hazards.pdf", "hazards", "accounts.csv", "hazards.csv.xlsx"];
    let without_places = ["tasks.geojson", "checks.geojson"];
    for file in elsewhere.into_iter().chain(without_places) {
        let answer = export(&town, &cookie, file, &json!({ "reason": REASON })).await;
        assert_eq!(answer.code(), (404, "not_found"), "{file}");
    }
    let written: i64 = town.town.storage.with_raw(|c| {
        let sql = "SELECT count(*) FROM audit WHERE act = 'exported'";
        c.query_row(sql, [], |row| row.get(0)).unwrap()
    });
    assert_eq!(written, 0);
}

#[tokio::test]
async fn patrols_are_exported_by_grid_and_days_and_tasks_as_their_list_is_asked_for() {
    let town = TestTown::start().await.unwrap();
    let account = town.account(Role::Supervisor, &[GRID, OTHER_GRID]).await.unwrap();
    let cookie = cookie_of(&town, account).await;
    let mut writes = Vec::new();
    // 2026-01-01T00:00:00+08:00 and the second before.
    let midnight = 1_767_196_800_i64;
    for (grid, at) in [(GRID, midnight - 1), (GRID, midnight), (OTHER_GRID, midnight)] {
        let fields = [("team", "chief".into()), ("grid", grid.into()), ("started_at", at.into())];
        writes.push(write(&town, Kind::Patrol, account, &fields));
    }
    for (due, status) in [("2026-01-01", "open"), ("2026-01-02", "done"), ("", "open")] {
        let fields = [
            ("what", "other".into()),
            ("words", format!("巡查{due}").into()),
            ("status", status.into()),
            ("grid", GRID.into()),
        ];
        let due = (!due.is_empty()).then_some(("due_on", due.into()));
        let fields: Vec<_> = fields.into_iter().chain(due).collect();
        writes.push(write(&town, Kind::Task, account, &fields));
    }
    town.town.storage.write_own(writes, town.done()).await.unwrap();
    let count = async |file: &str, filter: Value| {
        let body = json!({ "reason": REASON, "filter": filter });
        let answer = export(&town, &cookie, file, &body).await;
        assert_eq!(answer.status, 200, "{}", answer.json);
        if file.ends_with(".geojson") {
            return answer.json["features"].as_array().unwrap().len();
        }
        String::from_utf8(answer.bytes).unwrap().lines().count() - 1
    };
    let patrols = "patrols.geojson";
    assert_eq!(count(patrols, json!({})).await, 3);
    assert_eq!(count(patrols, json!({ "grid": GRID })).await, 2);
    assert_eq!(count(patrols, json!({ "from": "2026-01-01" })).await, 2);
    assert_eq!(count(patrols, json!({ "until": "2025-12-31", "grid": GRID })).await, 1);
    assert_eq!(last_entry(&town).2["filter"]["until"], "2025-12-31");
    for filter in [
        json!({}),
        json!({ "state": "done" }),
        json!({ "state": "active", "overdue": true }),
        json!({ "q": "巡查2026", "mine": true }),
        json!({ "assignee": RecordId::from_bytes([9; 16]).to_string() }),
        json!({ "grid": OTHER_GRID }),
    ] {
        let pairs = filter.as_object().unwrap().iter();
        let plain = |value: &Value| value.as_str().map_or(value.to_string(), str::to_owned);
        let query: Vec<_> = pairs.map(|(key, value)| format!("{key}={}", plain(value))).collect();
        let path = format!("/console/v1/tasks?{}", query.join("&"));
        let listed = Ask::new(&town, "GET", &path).session(&cookie).send().await;
        let listed = listed.json["rows"].as_array().unwrap().len();
        assert_eq!(count("tasks.csv", filter.clone()).await, listed, "{filter}");
    }
}

#[tokio::test]
async fn checks_name_their_households_in_the_log_and_are_bounded() {
    let town = TestTown::start().await.unwrap();
    let account = town.account(Role::Supervisor, &[GRID]).await.unwrap();
    let cookie = cookie_of(&town, account).await;
    let fields = [("address", "上街3号".into()), ("grid", GRID.into())];
    let household = write(&town, Kind::Household, account, &fields);
    let id = household.id.to_string();
    let check = || {
        let fields = [
            ("household", id.as_str().into()),
            ("template", "home_safety".into()),
            ("template_version", 1.into()),
            ("outcome", "done".into()),
            ("checked_at", 1.into()),
        ];
        write(&town, Kind::HouseholdCheck, account, &fields)
    };
    town.town.storage.write_own(vec![household, check()], town.done()).await.unwrap();
    let all = json!({ "reason": REASON });
    for (grid, rows) in [(GRID, 1), (OTHER_GRID, 0)] {
        let of_grid = json!({ "reason": REASON, "filter": { "grid": grid } });
        let csv = export(&town, &cookie, "checks.csv", &of_grid).await;
        let found = String::from_utf8(csv.bytes).unwrap().lines().count() - 1;
        assert_eq!(found, rows, "a check lies where its household does");
    }
    let csv = export(&town, &cookie, "checks.csv", &all).await;
    let text = String::from_utf8(csv.bytes).unwrap();
    assert!(text.contains(&id) && !text.contains("上街"), "a household is its id");
    assert_eq!(last_entry(&town).2["households"], json!([id]));
    let many = (0..MAX_HOUSEHOLD_ROWS).map(|_| check()).collect();
    town.town.storage.write_own(many, town.done()).await.unwrap();
    let refused = export(&town, &cookie, "checks.csv", &all).await;
    assert_eq!(refused.code(), (413, "too_large"), "{}", refused.json);
    assert_eq!(last_entry(&town).2["count"], 1, "nothing was given, nothing is written down");
}
