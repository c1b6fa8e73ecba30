//! Households and their checks, tasks, notices and grids: who may write them, and where.

use super::*;

#[test]
fn volunteers_and_admins_make_no_household() {
    for role in [Role::Volunteer, Role::Admin] {
        let refused = Err(Refusal::KindNotAllowed(Kind::Household));
        assert_eq!(judge(None, &household(G1), &actor(1, role, &[G1])), refused);
    }
    assert_eq!(judge(None, &household(G1), &actor(1, Role::Chief, &[G1])), Ok(()));
}

#[test]
fn a_household_of_a_foreign_grid_is_refused() {
    let refused = Err(Refusal::ForeignGrid(G2.parse().unwrap()));
    assert_eq!(judge(None, &household(G2), &actor(1, Role::Chief, &[G1])), refused);
    let moved = edited(&household(G1), &[("grid", text(G2))]);
    assert_eq!(judge(Some(&household(G1)), &moved, &actor(1, Role::Chief, &[G1])), refused);
    assert_eq!(judge(Some(&household(G1)), &moved, &actor(1, Role::Chief, &[G1, G2])), Ok(()));
}

#[test]
fn a_check_stands_where_its_household_stands() {
    let mut check = Record::new(RecordId::from_bytes([7; 16]), Kind::HouseholdCheck, account(1));
    let fields = [
        ("household", text(&RecordId::from_bytes([8; 16]).to_string())),
        ("template", text("home_safety")),
        ("template_version", Some(1.into())),
        ("outcome", text("done")),
        ("checked_at", Some(1.into())),
    ];
    save(&mut check, &fields, 1);
    let chief = actor(1, Role::Chief, &[G1]);
    let here = Around { household_grids: grids(&[G1]) };
    let there = Around { household_grids: grids(&[G2]) };
    assert_eq!(judge_around(None, &check, &chief, &here), Ok(()));
    assert_eq!(judge_around(None, &check, &chief, &there), Err(Refusal::OutOfScope));
    let volunteer = actor(1, Role::Volunteer, &[G1]);
    let refused = Err(Refusal::KindNotAllowed(Kind::HouseholdCheck));
    assert_eq!(judge_around(None, &check, &volunteer, &here), refused);
    // Nor does a check come to hang on a household of a foreign grid beside its own.
    let both = Around { household_grids: grids(&[G1, G2]) };
    let refused = Err(Refusal::ForeignGrid(G2.parse().unwrap()));
    assert_eq!(judge_around(None, &check, &chief, &both), refused);
}

#[test]
fn a_task_is_given_by_chiefs_and_supervisors_in_their_own_grids() {
    let task = |grid: &str| {
        let mut task = Record::new(RecordId::from_bytes([4; 16]), Kind::Task, account(1));
        let fields = [
            ("what", text("patrol")),
            ("words", text("看看河沟")),
            ("status", text("open")),
            ("grid", text(grid)),
        ];
        save(&mut task, &fields, 1);
        task
    };
    for role in [Role::Chief, Role::Supervisor] {
        assert_eq!(judge(None, &task(G1), &actor(1, role, &[G1])), Ok(()));
        let refused = Err(Refusal::ForeignGrid(G2.parse().unwrap()));
        assert_eq!(judge(None, &task(G2), &actor(1, role, &[G1])), refused);
    }
    for role in [Role::Volunteer, Role::Admin] {
        let refused = Err(Refusal::KindNotAllowed(Kind::Task));
        assert_eq!(judge(None, &task(G1), &actor(1, role, &[G1])), refused);
    }
}

#[test]
fn a_supervisor_of_one_village_does_not_speak_to_another() {
    let notice = |lists: &[&str]| {
        let mut notice = Record::new(RecordId::from_bytes([6; 16]), Kind::Notice, account(1));
        let listed = Value::List(lists.iter().map(|grid| Value::text(*grid)).collect());
        let fields = [("title", text("暴雨")), ("text", text("注意")), ("grids", Some(listed))];
        save(&mut notice, &fields, 1);
        notice
    };
    let supervisor = actor(1, Role::Supervisor, &[G1]);
    assert_eq!(judge(None, &notice(&[G1]), &supervisor), Ok(()));
    let refused = Err(Refusal::ForeignGrid(G2.parse().unwrap()));
    assert_eq!(judge(None, &notice(&[G1, G2]), &supervisor), refused);
}

#[test]
fn only_the_town_speaks_in_notices_and_writes_grids() {
    let mut notice = Record::new(RecordId::from_bytes([6; 16]), Kind::Notice, account(1));
    save(&mut notice, &[("title", text("暴雨")), ("text", text("注意"))], 1);
    for (role, allowed) in [
        (Role::Volunteer, false),
        (Role::Chief, false),
        (Role::Supervisor, true),
        (Role::Admin, true),
    ] {
        let whole_town = actor(1, role, &[G1, G2]);
        assert_eq!(judge(None, &notice, &whole_town).is_ok(), allowed, "{role:?}");
    }
    let mut grid = Record::new(RecordId::from_bytes([5; 16]), Kind::Grid, account(1));
    let fields = [
        ("code", text(G1)),
        ("name", text("一")),
        ("village", text("530521103200")),
        ("village_name", text("清平")),
    ];
    save(&mut grid, &fields, 1);
    assert_eq!(judge(None, &grid, &actor(1, Role::Admin, &[])), Ok(()));
    assert_eq!(judge(None, &grid, &actor(1, Role::Supervisor, &[G1])), not_allowed("code"));
}

#[test]
fn relations_follow_role_grid_and_assignment() {
    let mut task = Record::new(RecordId::from_bytes([4; 16]), Kind::Task, account(1));
    save(&mut task, &[("grid", text(G1))], 1);
    let of = |actor: &Actor| relations(&task, actor, &Around::default());
    let chief = of(&actor(2, Role::Chief, &[G1]));
    assert_eq!(chief, [Writer::Reader, Writer::Assignee, Writer::Chief]);
    assert_eq!(of(&actor(2, Role::Chief, &[G2])), [Writer::Reader]);
    assert_eq!(of(&actor(1, Role::Volunteer, &[])), [Writer::Reader, Writer::Author]);
    assert_eq!(of(&actor(2, Role::Supervisor, &[G2])), [Writer::Reader]);
    assert_eq!(of(&actor(2, Role::Admin, &[])), [Writer::Reader, Writer::Admin]);
}
