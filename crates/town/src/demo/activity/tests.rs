use yaoguan_model::canonical;

use super::*;
use crate::data::Town;
use crate::demo::{add_admin, fill as people, publish_template};
use crate::storage::Apart as _;

const ASK: Ask = Ask { seed: 7, days: 6 };
/// 2026-11-24, 20:00 in the town.
const NOW: i64 = 1_795_521_600;

async fn town(demo: bool) -> (tempfile::TempDir, Town, Dice) {
    let dir = tempfile::tempdir().unwrap();
    let (data, key) = (dir.path().join("town"), dir.path().join("key"));
    let env = Dice::new(1);
    env.set_now(NOW);
    let town = Town::init(&data, &key, "姚关镇", demo, &env).await.unwrap();
    let admin = add_admin(&town.storage, &env).await.unwrap();
    publish_template(&town.storage, admin, &env).await.unwrap();
    people(&town.storage, admin, &env).await.unwrap();
    (dir, town, env)
}

async fn hashes(town: &Town) -> Vec<[u8; 32]> {
    let mut all = Vec::new();
    for kind in Kind::ALL {
        let records = town.storage.records(kind).await.unwrap();
        all.extend(records.iter().map(|record| canonical::hash(&canonical::encode(record))));
    }
    all
}

#[tokio::test]
async fn a_seed_makes_the_same_days_again_and_the_town_holds_what_must_hold() {
    let (_a, first, env) = town(true).await;
    let made = fill(&first.storage, &env, ASK).await.unwrap();
    let (_b, second, env) = town(true).await;
    fill(&second.storage, &env, ASK).await.unwrap();
    assert_eq!(hashes(&first).await, hashes(&second).await);
    assert_eq!(first.storage.verify().await.unwrap().findings, []);
    for kind in ["hazard", "patrol", "household", "household_check", "task"] {
        assert!(made.records.get(kind).is_some_and(|n| *n > 10), "{made:?}");
    }
    let hazards = first.storage.records(Kind::Hazard).await.unwrap();
    let states: BTreeSet<&str> = hazards.iter().filter_map(|h| h.shown_text("status")).collect();
    assert!(states.len() >= 8, "{states:?}");
    assert!(hazards.iter().any(|hazard| hazard.conflicts().next().is_some()));
    assert_eq!(first.storage.held().await.unwrap().len(), 3);
    let notices = first.storage.records(Kind::Notice).await.unwrap();
    assert!(notices.iter().any(|notice| notice.shown("grids").is_none()), "one to the whole town");
    let again = fill(&first.storage, &env, ASK).await;
    assert!(again.is_err(), "the same phones are not enrolled twice");
}

#[tokio::test]
async fn a_town_that_is_no_demo_gets_nothing_made_up() {
    let (_dir, town, env) = town(false).await;
    assert!(matches!(fill(&town.storage, &env, ASK).await, Err(TownError::Input(_))));
    assert!(town.storage.records(Kind::Hazard).await.unwrap().is_empty());
}
