//! Two people, one record, no line between them.

use yaoguan_field::Edit;
use yaoguan_model::{Kind, RecordId, Role, Value};
use yaoguan_testkit::town::{GRID, TestPhone, TestTown};

use crate::{assert_same, assert_sound, change, edit, report};

async fn shared() -> (TestTown, TestPhone, TestPhone, RecordId) {
    let town = TestTown::start().await.unwrap();
    let mut a = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let mut b = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let id = report(&mut a.phone, 1);
    a.phone.sync(|_| {}).await.unwrap();
    b.phone.sync(|_| {}).await.unwrap();
    (town, a, b, id)
}

async fn exchange(a: &mut TestPhone, b: &mut TestPhone) {
    a.phone.sync(|_| {}).await.unwrap();
    b.phone.sync(|_| {}).await.unwrap();
    a.phone.sync(|_| {}).await.unwrap();
}

#[tokio::test]
async fn edits_of_different_fields_merge_by_themselves() {
    let (_town, mut a, mut b, id) = shared().await;
    change(&mut a.phone, id, "title", "甲改的标题");
    change(&mut b.phone, id, "severity", "major");
    exchange(&mut a, &mut b).await;
    let shown = a.phone.show(id).unwrap();
    assert!(shown.siblings.is_empty());
    assert_eq!(shown.fields["title"], Value::text("甲改的标题"));
    assert_eq!(shown.fields["severity"], Value::text("major"));
    assert_same(&a.phone, &b.phone, id);
}

#[tokio::test]
async fn edits_of_one_field_are_both_kept_until_a_person_settles() {
    let (_town, mut a, mut b, id) = shared().await;
    change(&mut a.phone, id, "title", "甲");
    change(&mut b.phone, id, "title", "乙");
    exchange(&mut a, &mut b).await;
    for phone in [&a, &b] {
        let shown = phone.phone.show(id).unwrap();
        let titles: Vec<_> = shown.siblings["title"].iter().map(|s| s.value.clone()).collect();
        assert_eq!(titles.len(), 2);
        assert!(titles.contains(&Value::text("甲")) && titles.contains(&Value::text("乙")));
        assert_eq!(phone.phone.status().unwrap().siblings, 1);
    }
    let settled: Edit = edit(&Kind::Hazard, &[("title", "甲和乙")]);
    a.phone.resolve(id, settled).unwrap();
    exchange(&mut a, &mut b).await;
    for phone in [&a, &b] {
        let shown = phone.phone.show(id).unwrap();
        assert!(shown.siblings.is_empty());
        assert_eq!(shown.fields["title"], Value::text("甲和乙"));
        assert_sound(phone);
    }
    assert_same(&a.phone, &b.phone, id);
}

#[tokio::test]
async fn a_deletion_beside_an_edit_is_shown_not_lost() {
    let (_town, mut a, mut b, id) = shared().await;
    a.phone.delete(id).unwrap();
    change(&mut b.phone, id, "title", "仍在");
    exchange(&mut a, &mut b).await;
    for phone in [&a, &b] {
        let shown = phone.phone.show(id).unwrap();
        assert_eq!(shown.deletion, "contested");
        assert_eq!(shown.fields["title"], Value::text("仍在"));
    }
    b.phone.undelete(id).unwrap();
    exchange(&mut b, &mut a).await;
    assert_eq!(a.phone.show(id).unwrap().deletion, "live");
    assert_same(&a.phone, &b.phone, id);
}

#[tokio::test]
async fn a_form_does_not_overwrite_what_a_sync_brought_in_behind_it() {
    let (_town, mut a, mut b, id) = shared().await;
    let open = a.phone.open_form(id).unwrap();
    change(&mut b.phone, id, "title", "乙先改了");
    exchange(&mut b, &mut a).await;
    a.phone.save(&open, edit(&Kind::Hazard, &[("title", "甲后存")])).unwrap();
    let shown = a.phone.show(id).unwrap();
    assert_eq!(shown.siblings["title"].len(), 2, "both are there: {shown:?}");
    exchange(&mut a, &mut b).await;
    assert_same(&a.phone, &b.phone, id);
}
