//! How long finished records are kept: set within bounds, tried out before, and gone by.

use serde_json::{Value, json};
use yaoguan_model::Kind;
use yaoguan_testkit::town::TestTown;
use yaoguan_town::Storage as _;
use yaoguan_town::days::DAY_S;
use yaoguan_town::storage::purge_all;

use crate::admin::{admin, audited};
use crate::console::{get, post};

const PATH: &str = "/console/v1/admin/retention";

#[tokio::test]
async fn fewer_days_are_tried_out_then_set_and_the_purge_goes_by_them() {
    let town = TestTown::start().await.unwrap();
    let (cookie, _) = admin(&town).await;
    let until = yaoguan_town::days::day_of(town.town_time());
    for title in ["一", "二"] {
        let notice = json!({ "title": title, "text": "x", "until": until });
        assert_eq!(post(&town, &cookie, "/console/v1/notices", &notice).await.status, 200);
    }
    // The first of them came 400 days ago, both are over.
    let old = town.town_time() - 400 * DAY_S;
    town.town.storage.with_raw(|c| {
        let sql = "UPDATE record SET changed_at = ?1 \
             WHERE id = (SELECT min(id) FROM record WHERE kind = 'notice')";
        c.execute(sql, [old]).unwrap();
    });
    town.clock.shift(2 * DAY_S);
    let (cookie, _) = crate::console::set_cookie(
        &crate::console::sign_in(&town, &crate::console::typed("boss")).await,
    );
    let shown = get(&town, &cookie, PATH).await.json;
    assert_eq!((&shown["days"], &shown["max_days"]), (&json!(730), &json!(730)));
    assert_eq!(shown["would_go"], json!({}));
    let tried = get(&town, &cookie, &format!("{PATH}?days=365")).await.json;
    assert_eq!((&tried["days"], &tried["would_go"]), (&json!(730), &json!({ "notice": 1 })));
    for days in [364, 731] {
        assert_eq!(get(&town, &cookie, &format!("{PATH}?days={days}")).await.status, 400);
        let refused = post(&town, &cookie, PATH, &json!({ "days": days, "reason": "x" })).await;
        assert_eq!((refused.status, refused.json["why"].as_str()), (409, Some("retention")));
    }
    let now = town.town_time();
    assert!(purge_all(&town.town.storage, now).await.unwrap().is_empty(), "nothing is set yet");
    let set = post(&town, &cookie, PATH, &json!({ "days": 365, "reason": "镇里决定" })).await;
    assert_eq!((set.status, &set.json["days"]), (200, &json!(365)), "{}", set.json);
    let entry = &audited(&town, &cookie, "setting_changed").await[0];
    assert_eq!((&entry["reason"], &entry["detail"]["before"]), (&json!("镇里决定"), &json!(730)));
    let gone = purge_all(&town.town.storage, now).await.unwrap();
    assert_eq!(gone.into_iter().collect::<Vec<_>>(), [("notice".to_owned(), 1)]);
    assert_eq!(town.town.storage.records(Kind::Notice).await.unwrap().len(), 1);
    assert_eq!(
        get(&town, &cookie, PATH).await.json["would_go"],
        Value::Object([].into_iter().collect())
    );
}
