//! `verify` of the town reports each sort of corruption that is planted, and nothing else.

use std::collections::BTreeSet;

use yaoguan_model::canonical::{self, encode};
use yaoguan_model::{Kind, Role};
use yaoguan_testkit::town::{GRID, TestTown};
use yaoguan_town::Storage as _;

use crate::{edit, report};

/// A town with a hazard, a household and a check.
async fn town() -> TestTown {
    let town = TestTown::start().await.unwrap();
    let mut phone = town.phone(Role::Chief, &[GRID]).await.unwrap();
    report(&mut phone.phone, 1);
    report(&mut phone.phone, 2);
    let form = phone.phone.new_form(Kind::Household).unwrap();
    let fields = edit(&Kind::Household, &[("address", "村口 12 号")]);
    let household = phone.phone.save(&form, fields).unwrap().ids[0].to_string();
    let form = phone.phone.new_form(Kind::HouseholdCheck).unwrap();
    let fields = edit(&Kind::HouseholdCheck, &[("household", &household)]);
    phone.phone.save(&form, fields).unwrap();
    assert_eq!(phone.phone.sync(|_| {}).await.unwrap().sent, 4);
    assert_eq!(town.town.storage.verify().await.unwrap().findings, []);
    town
}

async fn sorts(town: &TestTown) -> BTreeSet<&'static str> {
    town.town.storage.verify().await.unwrap().findings.iter().map(|finding| finding.sort).collect()
}

#[tokio::test]
async fn each_planted_row_is_reported_by_its_sort() {
    let plants = [
        ("hash", "UPDATE record SET hash = zeroblob(32) WHERE kind = 'hazard'"),
        ("record", "UPDATE record SET kind = 'patrol' WHERE kind = 'hazard'"),
        ("feed", "DELETE FROM feed WHERE record IN (SELECT id FROM record WHERE kind = 'hazard')"),
        ("head", "UPDATE feed_head SET position = position - 1"),
        ("grid", "DELETE FROM grid WHERE code = '530521103201001'"),
        ("check", "DELETE FROM check_of"),
    ];
    for (sort, sql) in plants {
        let town = town().await;
        assert!(town.town.storage.with_raw(|c| c.execute(sql, []).unwrap()) > 0, "{sql}");
        assert!(sorts(&town).await.contains(sort), "{sort}: {:?}", sorts(&town).await);
    }
}

#[tokio::test]
async fn a_dot_in_two_records_and_one_outside_its_context_are_reported() {
    let town = town().await;
    let mut hazards = town.town.storage.records(Kind::Hazard).await.unwrap();
    let write = |id: yaoguan_model::RecordId, body: Vec<u8>| {
        let hash = canonical::hash(&body);
        town.town.storage.with_raw(|c| {
            let sql = "UPDATE record SET body = ?2, hash = ?3 WHERE id = ?1";
            assert_eq!(c.execute(sql, (id.as_bytes(), body, hash)).unwrap(), 1);
        });
    };
    let (first, second) = (hazards.remove(0), hazards.remove(0));
    let mut twin = first.clone();
    twin.context = second.context.clone();
    twin.fields = second.fields.clone();
    write(first.id, encode(&twin));
    assert_eq!(sorts(&town).await, BTreeSet::from(["dot"]));
    let mut bare = first.clone();
    bare.context = yaoguan_model::VersionVector::new();
    write(first.id, encode(&bare));
    assert_eq!(sorts(&town).await, BTreeSet::from(["coverage"]));
    write(first.id, encode(&first));
    assert_eq!(sorts(&town).await, BTreeSet::new());
}
