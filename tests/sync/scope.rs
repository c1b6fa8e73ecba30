//! A phone holds its own grids and nothing else.

use yaoguan_model::{Kind, Role};
use yaoguan_testkit::town::{GRID, OTHER_GRID, TestTown};

use crate::{assert_sound, change, edit, hazards, report};

#[tokio::test]
async fn a_phone_of_another_grid_receives_nothing() {
    let town = TestTown::start().await.unwrap();
    let mut a = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let mut other = town.phone(Role::Chief, &[OTHER_GRID]).await.unwrap();
    report(&mut a.phone, 1);
    a.phone.sync(|_| {}).await.unwrap();
    other.phone.sync(|_| {}).await.unwrap();
    assert!(hazards(&other.phone).is_empty());
    // The API reads within the same scope.
    let read = async |phone: &yaoguan_field::Phone| {
        let page = phone.ask("/v1/records/hazard").await.unwrap();
        page["records"].as_array().unwrap().len()
    };
    assert_eq!((read(&a.phone).await, read(&other.phone).await), (1, 0));
}

#[tokio::test]
async fn a_volunteer_never_sees_a_household() {
    let town = TestTown::start().await.unwrap();
    let mut chief = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let mut second = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let mut volunteer = town.phone(Role::Volunteer, &[GRID]).await.unwrap();
    let form = chief.phone.new_form(Kind::Household).unwrap();
    let fields = edit(&Kind::Household, &[("address", "村口 12 号"), ("occupants", "2_3")]);
    let household = chief.phone.save(&form, fields).unwrap().ids[0];
    let form = chief.phone.new_form(Kind::HouseholdCheck).unwrap();
    let id = household.to_string();
    let fields = [("household", id.as_str()), ("answers.smoke_alarm", r#"{"answer":"problem"}"#)];
    chief.phone.save(&form, edit(&Kind::HouseholdCheck, &fields)).unwrap();
    let hazard = report(&mut chief.phone, 1);
    change(&mut chief.phone, hazard, "household", &id);
    assert_eq!(chief.phone.sync(|_| {}).await.unwrap().sent, 3);
    volunteer.phone.sync(|_| {}).await.unwrap();
    second.phone.sync(|_| {}).await.unwrap();
    let seen = volunteer.phone.status().unwrap().records;
    for kind in ["household", "household_check", "hazard"] {
        assert!(!seen.contains_key(kind), "{kind}: {seen:?}");
        assert_eq!(second.phone.status().unwrap().records[kind], 1);
    }
    assert_sound(&second);
}

#[tokio::test]
async fn a_hazard_moved_to_another_grid_leaves_the_readers_of_the_old_one() {
    let town = TestTown::start().await.unwrap();
    let mut a = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let mut b = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let mut other = town.phone(Role::Chief, &[OTHER_GRID]).await.unwrap();
    let id = report(&mut a.phone, 1);
    for phone in [&mut a, &mut b] {
        phone.phone.sync(|_| {}).await.unwrap();
    }
    change(&mut a.phone, id, "grid", OTHER_GRID);
    for phone in [&mut a, &mut b, &mut other] {
        phone.phone.sync(|_| {}).await.unwrap();
    }
    assert!(hazards(&a.phone).contains(&id), "an author keeps what they wrote");
    assert!(!hazards(&b.phone).contains(&id), "it left the old grid's readers");
    assert!(hazards(&other.phone).contains(&id));
    assert_sound(&b);
}
