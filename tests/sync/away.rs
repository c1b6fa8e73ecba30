//! Long away, and forms that were open while others wrote.

use yaoguan_model::Role;
use yaoguan_testkit::town::{GRID, OTHER_GRID, TestTown};
use yaoguan_town::Storage as _;

use crate::{assert_same, assert_sound, change, edit, hazards, report};

#[tokio::test]
async fn a_phone_that_was_away_for_a_year_brings_all_of_2_000_saves() {
    let mut town = TestTown::start().await.unwrap();
    let mut away = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let mut other = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let shared = report(&mut away.phone, 0);
    away.phone.sync(|_| {}).await.unwrap();
    other.phone.sync(|_| {}).await.unwrap();
    let mut written = vec![shared];
    written.extend((1..=1_000).map(|n| report(&mut away.phone, n)));
    for (n, id) in written.iter().enumerate().skip(1) {
        change(&mut away.phone, *id, "description", &format!("第 {n} 条补充"));
    }
    change(&mut away.phone, shared, "title", "一年前改的");
    // Meanwhile: others write, the person has another scope, the server was restarted, the clock is off.
    change(&mut other.phone, shared, "address", "别人改的");
    let theirs = report(&mut other.phone, 5_000);
    other.phone.sync(|_| {}).await.unwrap();
    let account = away.phone.store().identity().unwrap().unwrap().account;
    for grids in [&[GRID, OTHER_GRID][..], &[GRID], &[GRID, OTHER_GRID]] {
        town.rescope(account, Role::Chief, grids);
    }
    town.restart().await.unwrap();
    away.clock.shift(-365 * 24 * 60 * 60);
    let summary = away.phone.sync(|_| {}).await.unwrap();
    println!("{summary:?}");
    assert_eq!((summary.sent, summary.refused, summary.held, summary.pending), (1_001, 0, 0, 0));
    other.phone.sync(|_| {}).await.unwrap();
    written.push(theirs);
    assert_eq!(hazards(&other.phone), written.iter().copied().collect());
    assert_eq!(hazards(&away.phone), hazards(&other.phone));
    for id in &written {
        assert_same(&away.phone, &other.phone, *id);
    }
    let shown = other.phone.show(shared).unwrap();
    assert_eq!(shown.fields["title"].as_text(), Some("一年前改的"));
    assert_eq!(shown.fields["address"].as_text(), Some("别人改的"));
    assert_sound(&away);
    assert_eq!(town.town.storage.verify().await.unwrap().findings, []);
}

#[tokio::test]
async fn a_form_saved_after_a_sync_behind_it_overwrites_nothing_unseen() {
    let town = TestTown::start().await.unwrap();
    let mut a = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let mut b = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let id = report(&mut a.phone, 1);
    a.phone.sync(|_| {}).await.unwrap();
    b.phone.sync(|_| {}).await.unwrap();
    let form = a.phone.open_form(id).unwrap();
    change(&mut b.phone, id, "title", "乙写的");
    change(&mut b.phone, id, "address", "乙的地址");
    b.phone.sync(|_| {}).await.unwrap();
    a.phone.sync(|_| {}).await.unwrap();
    let kind = form.record().kind.clone();
    a.phone.save(&form, edit(&kind, &[("title", "甲写的")])).unwrap();
    for phone in [&mut a, &mut b] {
        phone.phone.sync(|_| {}).await.unwrap();
        let shown = phone.phone.show(id).unwrap();
        let titles: Vec<_> =
            shown.siblings["title"].iter().filter_map(|s| s.value.as_text()).collect();
        assert_eq!(titles.len(), 2, "{titles:?}");
        assert!(titles.contains(&"甲写的") && titles.contains(&"乙写的"));
        assert_eq!(shown.fields["address"].as_text(), Some("乙的地址"));
        assert_eq!(shown.siblings.len(), 1);
    }
    assert_same(&a.phone, &b.phone, id);
}

#[tokio::test]
async fn a_refused_save_mended_after_the_record_moved_on_loses_neither_side() {
    let town = TestTown::start().await.unwrap();
    let line = town.line().await.unwrap();
    let account = town.account(Role::Chief, &[GRID]).await.unwrap();
    let mut chief = town.phone_of(account, line.address).await.unwrap();
    let mut boss = town.phone(Role::Supervisor, &[]).await.unwrap();
    let id = report(&mut chief.phone, 1);
    let before = line.bytes().1;
    chief.phone.sync(|_| {}).await.unwrap();
    let whole = i64::try_from(line.bytes().1 - before).unwrap();
    boss.phone.sync(|_| {}).await.unwrap();
    change(&mut boss.phone, id, "status", "verified");
    boss.phone.sync(|_| {}).await.unwrap();
    // The chief has not heard of it: the step is not legal any more. The first answer is lost, and a save
    // is made while nobody knows what became of the push.
    let form = chief.phone.open_form(id).unwrap();
    let kind = form.record().kind.clone();
    let step = edit(&kind, &[("status", "rectified"), ("description", "已处理")]);
    chief.phone.save(&form, step).unwrap();
    line.cut_down_after(whole - 200);
    chief.phone.sync(|_| {}).await.unwrap_err();
    line.mend();
    change(&mut chief.phone, id, "address", "推送途中补的");
    let summary = chief.phone.sync(|_| {}).await.unwrap();
    println!("{summary:?}");
    // The record moves on again before the save is mended.
    change(&mut boss.phone, id, "title", "后来的标题");
    boss.phone.sync(|_| {}).await.unwrap();
    chief.phone.sync(|_| {}).await.unwrap();
    for entry in chief.phone.quarantined().unwrap() {
        let paths = entry.save.kept.changes.paths.keys();
        let dropped = paths
            .filter(|path| path.as_str() == "status" || path.as_str().starts_with("timeline."));
        let without = dropped.map(|path| (path.clone(), None)).collect();
        chief.phone.mend(entry.number, &without).unwrap();
    }
    chief.phone.sync(|_| {}).await.unwrap();
    boss.phone.sync(|_| {}).await.unwrap();
    chief.phone.sync(|_| {}).await.unwrap();
    assert!(chief.phone.quarantined().unwrap().is_empty());
    assert_same(&chief.phone, &boss.phone, id);
    let shown = boss.phone.show(id).unwrap();
    let text = |path: &str| shown.fields[path].as_text().unwrap().to_owned();
    assert_eq!(text("title"), "后来的标题");
    assert_eq!(text("address"), "推送途中补的");
    assert_eq!(text("description"), "已处理");
    assert_sound(&chief);
}
