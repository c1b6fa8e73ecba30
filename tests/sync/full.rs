//! A full disk: nothing is said to be saved, what was typed stays, and a town without room still answers
//! those who read.

use yaoguan_field::ErrorCode;
use yaoguan_model::{Kind, Role};
use yaoguan_testkit::town::{GRID, OTHER_GRID, TestPhone, TestTown};
use yaoguan_town::Storage as _;

use crate::{assert_sound, change, edit, hazards, report};

fn limit(connection: &rusqlite::Connection, room: Option<i64>) {
    let pages: i64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    let most = room.map_or(1_000_000_000, |room| pages + room);
    connection.query_row(&format!("PRAGMA max_page_count = {most}"), [], |_| Ok(())).unwrap();
}

/// Long enough that it finds no room in pages that are there.
fn long(n: usize) -> String {
    format!("{n}{}", "裂缝变宽，路面有落石。".repeat(300))
}

#[tokio::test]
async fn a_phone_without_room_says_so_keeps_the_draft_and_loses_nothing() {
    let town = TestTown::start().await.unwrap();
    let mut phone = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let saved = report(&mut phone.phone, 1);
    let form = phone.phone.new_form(Kind::Hazard).unwrap();
    let text = long(1);
    let typed =
        edit(&Kind::Hazard, &[("category", "fire"), ("description", &text), ("grid", GRID)]);
    phone.phone.keep_draft(&form, typed.clone()).unwrap();
    limit(phone.phone.store().raw(), Some(0));
    let before = phone.phone.store().state().unwrap();
    let error = phone.phone.save(&form, typed.clone()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::DiskFull, "{error}");
    assert_eq!(hazards(&phone.phone), [saved].into(), "what is not saved is not shown");
    assert_eq!(phone.phone.store().state().unwrap(), before, "no counter is spent");
    let drafts = phone.phone.drafts().unwrap();
    assert_eq!((drafts.len(), &drafts[0].values), (1, &typed), "what was typed stays");
    assert_sound(&phone);
    limit(phone.phone.store().raw(), None);
    let again = phone.phone.save(&form, typed).unwrap().ids[0];
    let mut phone = phone.restart().unwrap();
    assert_eq!(phone.phone.sync(|_| {}).await.unwrap().sent, 2);
    assert_eq!(hazards(&phone.phone), [saved, again].into());
}

async fn pushes(phone: &mut TestPhone, n: usize) -> Result<u64, yaoguan_field::FieldError> {
    for n in 0..n {
        let id = report(&mut phone.phone, n);
        change(&mut phone.phone, id, "description", &long(n));
    }
    phone.phone.sync(|_| {}).await.map(|summary| summary.sent)
}

#[tokio::test]
async fn a_town_without_room_refuses_pushes_and_still_answers_who_reads() {
    let town = TestTown::start().await.unwrap();
    let mut writer = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let mut reader = town.phone(Role::Chief, &[GRID, OTHER_GRID]).await.unwrap();
    assert_eq!(pushes(&mut writer, 3).await.unwrap(), 3);
    town.town.storage.embedded().unwrap().with_raw(|connection| limit(connection, Some(0)));
    // What the town would note beside a sync: a day without contact, and another scope.
    let account = reader.phone.store().identity().unwrap().unwrap().account;
    town.rescope(account, Role::Chief, &[GRID]);
    town.clock.shift(24 * 60 * 60);
    let error = pushes(&mut writer, 40).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::TownRefused);
    let yaoguan_field::FieldError::Transport(error) = error else { panic!("{error}") };
    assert_eq!(error.code().map(|code| code.as_str()), Some("storage_full"));
    assert_eq!(writer.phone.status().unwrap().pending, 40, "nothing counts as sent");
    assert_eq!(reader.phone.sync(|_| {}).await.unwrap().received, 3, "pulls go on");
    let answer = reader.phone.ask("/v1/records/hazard").await.unwrap();
    assert_eq!(answer["records"].as_array().unwrap().len(), 3);

    town.town.storage.embedded().unwrap().with_raw(|connection| limit(connection, None));
    assert_eq!(writer.phone.sync(|_| {}).await.unwrap().sent, 40);
    reader.phone.sync(|_| {}).await.unwrap();
    assert_eq!(hazards(&reader.phone).len(), 43);
    assert_sound(&reader);
    assert_eq!(town.town.storage.verify().await.unwrap().findings, []);
}
