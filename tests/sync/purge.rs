//! What has served its purpose goes, everywhere; what nobody had seen at that moment does not.

use yaoguan_model::{Env as _, Kind, RecordId, Role};
use yaoguan_testkit::town::{GRID, TestPhone, TestTown};
use yaoguan_town::audit::Attribution;
use yaoguan_town::storage::{Apart as _, Erasure, Purging as _, Storage as _, purge_all};

use crate::{assert_sound, change, edit, hazards, report};

const YEARS_2: i64 = 731 * 24 * 60 * 60;

async fn sync(phone: &mut TestPhone) -> yaoguan_field::SyncSummary {
    phone.phone.sync(|_| {}).await.unwrap()
}

fn add(phone: &mut TestPhone, kind: Kind, fields: &[(&str, &str)]) -> RecordId {
    let form = phone.phone.new_form(kind.clone()).unwrap();
    phone.phone.save(&form, edit(&kind, fields)).unwrap().ids[0]
}

async fn close(supervisor: &mut TestPhone, id: RecordId) {
    sync(supervisor).await;
    for status in ["verified", "closed"] {
        change(&mut supervisor.phone, id, "status", status);
    }
    sync(supervisor).await;
}

/// The bytes of a record that nothing else holds.
const CANARY: &str = "金丝雀七三一";

fn holds_canary(town: &TestTown) -> bool {
    town.town.storage.with_raw(|c| {
        let dump = town.data().join("plain.db");
        _ = std::fs::remove_file(&dump);
        let sql = format!(
            "ATTACH '{}' AS plain KEY ''; SELECT sqlcipher_export('plain'); DETACH plain;",
            dump.display()
        );
        c.execute_batch(&sql).unwrap();
        let bytes = std::fs::read(dump).unwrap();
        bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes())
    })
}

#[tokio::test]
async fn finished_records_go_after_two_years_and_open_ones_stay() {
    let town = TestTown::start().await.unwrap();
    let mut chief = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let mut supervisor = town.phone(Role::Supervisor, &[GRID]).await.unwrap();
    let [closed, open, late] = [1, 2, 3].map(|n| report(&mut chief.phone, n));
    change(&mut chief.phone, closed, "description", CANARY);
    sync(&mut chief).await;
    for id in [closed, late] {
        close(&mut supervisor, id).await;
    }
    sync(&mut chief).await;
    assert!(holds_canary(&town));
    let now = town.clock.now_s();
    assert!(purge_all(&town.town.storage, now).await.unwrap().is_empty(), "not yet");

    for clock in [&town.clock, &chief.clock, &supervisor.clock] {
        clock.shift(YEARS_2);
    }
    // Closed two years ago and edited today: the town's receipt of the last change counts.
    change(&mut chief.phone, late, "address", "今天补的");
    sync(&mut chief).await;
    // And one edit of the closed one that the purge will not have seen.
    change(&mut supervisor.phone, closed, "due_on", "2030-01-01");
    let purged = purge_all(&town.town.storage, town.clock.now_s()).await.unwrap();
    assert_eq!(purged.get("hazard"), Some(&1), "{purged:?}");
    assert!(!holds_canary(&town), "nothing of it is left in the file");

    let summary = sync(&mut chief).await;
    // The phone had given it up by itself long before.
    assert_eq!((summary.evicted, hazards(&chief.phone)), (0, [open, late].into()));
    assert_eq!(chief.phone.status().unwrap().stubs, 0, "nor is its hash left");
    let summary = sync(&mut supervisor).await;
    assert_eq!((summary.held, hazards(&supervisor.phone)), (1, [open, late].into()));
    let held = town.town.storage.held().await.unwrap();
    assert_eq!((held[0].about.id, held[0].code.as_str()), (closed, "purged"));
    let paths: Vec<_> = held[0].changes.paths.keys().map(ToString::to_string).collect();
    assert_eq!(paths, ["due_on"], "only what the purge had not seen");
    assert_eq!(town.town.storage.verify().await.unwrap().findings, []);
    assert_sound(&chief);
    assert_eq!(town.town.storage.purged_counts().await.unwrap().get("hazard"), Some(&1));
}

#[tokio::test]
async fn an_erased_household_is_gone_with_what_hangs_on_it() {
    let town = TestTown::start().await.unwrap();
    let mut chief = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let mut supervisor = town.phone(Role::Supervisor, &[GRID]).await.unwrap();
    let grid = ("grid", GRID);
    let household = add(&mut chief, Kind::Household, &[("address", CANARY), grid]);
    let neighbour = add(&mut chief, Kind::Household, &[("address", "2"), grid]);
    let name = household.to_string();
    let case = [("category", "gas"), ("severity", "major"), ("household", &name), grid];
    let hazard = add(&mut chief, Kind::Hazard, &case);
    sync(&mut chief).await;
    let storage = &town.town.storage;
    let done = Attribution::town(town.clock.now_s());
    assert_eq!(storage.erase(hazard, false, done.clone()).await.unwrap(), Erasure::NotFound);
    let open = storage.erase(household, false, done.clone()).await.unwrap();
    assert_eq!(open, Erasure::Open(vec![hazard]), "a danger is put right first");
    close(&mut supervisor, hazard).await;
    let Erasure::Done(counts) = storage.erase(household, false, done.clone()).await.unwrap() else {
        panic!("it is closed")
    };
    assert_eq!(counts, [("hazard".to_owned(), 1), ("household".to_owned(), 1)].into());
    assert!(!holds_canary(&town));
    for phone in [&mut chief, &mut supervisor] {
        sync(phone).await;
        assert_eq!(phone.phone.status().unwrap().records.get("household"), Some(&1));
        assert!(hazards(&phone.phone).is_empty());
        assert_sound(phone);
    }
    assert!(chief.phone.show(neighbour).is_ok());
    assert_eq!(storage.erase(household, true, done).await.unwrap(), Erasure::NotFound);
    assert_eq!(storage.verify().await.unwrap().findings, []);
}
