//! Notices: given at the console, shown on the phones they are for, until they end, are put away or withdrawn.

use serde_json::{Value, json};
use yaoguan_model::Role;
use yaoguan_testkit::town::{GRID, OTHER_GRID, TestPhone, TestTown};
use yaoguan_town::days::{DAY_S, day_of};

use crate::admin::admin;
use crate::console::{get, post};
use crate::cookie_of;

const ALL: &str = "/console/v1/notices";

/// A notice that holds for so many days more.
fn notice(town: &TestTown, title: &str, days: i64, grids: &[&str]) -> Value {
    let until = day_of(town.town_time() + days * DAY_S);
    json!({ "title": title, "text": "请各网格注意", "until": until, "grids": grids })
}

/// Withdraws the notice of this title; the answer's status.
async fn withdraw(town: &TestTown, cookie: &str, title: &str) -> u16 {
    let rows = get(town, cookie, ALL).await.json["rows"].as_array().unwrap().clone();
    let row = rows.iter().find(|row| row["title"] == title).unwrap();
    let path = format!("{ALL}/{}/withdraw", row["id"].as_str().unwrap());
    post(town, cookie, &path, &json!({})).await.status
}

#[tokio::test]
async fn a_notice_reaches_those_it_is_for_until_it_ends_or_is_withdrawn() {
    let town = TestTown::start().await.unwrap();
    let (cookie, _) = admin(&town).await;
    let own = cookie_of(&town, town.account(Role::Supervisor, &[GRID]).await.unwrap()).await;
    let mut chief = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let mut other = town.phone(Role::Volunteer, &[OTHER_GRID]).await.unwrap();
    for (cookie, new) in [
        (&cookie, notice(&town, "全镇防火", 3, &[])),
        (&own, notice(&town, "清沟排水", 1, &[GRID])),
    ] {
        let given = post(&town, cookie, ALL, &new).await;
        assert_eq!(given.status, 200, "{}", given.json);
    }
    let foreign = post(&town, &own, ALL, &notice(&town, "越界", 1, &[OTHER_GRID])).await;
    assert_eq!(foreign.code(), (400, "not_allowed"));
    for days in [-1, 400] {
        let refused = post(&town, &cookie, ALL, &notice(&town, "日期", days, &[])).await;
        assert_eq!(refused.code(), (400, "bad_request"), "{days}");
    }
    let titles = |phone: &TestPhone| -> Vec<String> {
        let today = phone.phone.today().unwrap();
        today.notices.into_iter().map(|notice| notice.title).collect()
    };
    chief.phone.sync(|_| {}).await.unwrap();
    other.phone.sync(|_| {}).await.unwrap();
    assert_eq!(titles(&chief), ["清沟排水", "全镇防火"], "what ends first is on top");
    assert_eq!(titles(&other), ["全镇防火"]);

    let shown = chief.phone.today().unwrap().notices;
    chief.phone.put_notice_away(shown[0].id).unwrap();
    assert_eq!(titles(&chief), ["全镇防火"], "put away on this phone");
    assert_eq!(withdraw(&town, &own, "全镇防火").await, 400, "of the whole town");
    assert_eq!(withdraw(&town, &cookie, "全镇防火").await, 200);
    chief.phone.sync(|_| {}).await.unwrap();
    assert_eq!(titles(&chief), Vec::<String>::new());
    assert_eq!(titles(&other), ["全镇防火"], "it hears of it with its next sync");
    other.phone.sync(|_| {}).await.unwrap();
    assert_eq!(titles(&other), Vec::<String>::new());

    let states = async |cookie: &str| -> Vec<(String, String)> {
        let rows = get(&town, cookie, ALL).await.json["rows"].as_array().unwrap().clone();
        let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
        rows.iter().map(|row| (text(row, "title"), text(row, "state"))).collect()
    };
    let pair = |title: &str, state: &str| (title.to_owned(), state.to_owned());
    assert_eq!(states(&cookie).await, [pair("全镇防火", "withdrawn")]);
    let listed = states(&own).await;
    assert_eq!(listed, [pair("清沟排水", "holds"), pair("全镇防火", "withdrawn")]);
}

#[tokio::test]
async fn a_notice_ends_with_its_day_by_the_towns_clock() {
    let town = TestTown::start().await.unwrap();
    let (cookie, _) = admin(&town).await;
    let mut phone = town.phone(Role::Volunteer, &[GRID]).await.unwrap();
    assert_eq!(post(&town, &cookie, ALL, &notice(&town, "今日", 0, &[])).await.status, 200);
    phone.phone.sync(|_| {}).await.unwrap();
    assert_eq!(phone.phone.today().unwrap().notices.len(), 1);
    town.clock.shift(DAY_S);
    phone.phone.sync(|_| {}).await.unwrap();
    assert_eq!(phone.phone.today().unwrap().notices.len(), 0);
}
