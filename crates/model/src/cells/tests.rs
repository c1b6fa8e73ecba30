//! Who reads what: the cells of records against the cells of readers.

use super::*;
use crate::ids::{RecordId, ReplicaId};
use crate::record::Change;
use crate::value::Value;
use crate::{Dot, FieldPath};

const G1: &str = "530521103200001";
const G2: &str = "530521103201001";

fn account(n: u8) -> AccountId {
    AccountId::from_bytes([n; 16])
}

fn grid(text: &str) -> GridCode {
    text.parse().unwrap()
}

/// A record by account 1 whose fields are all concurrent (no save replaces another).
fn record(kind: Kind, fields: &[(&str, Value)]) -> Record {
    let mut record = Record::new(RecordId::from_bytes([9; 16]), kind, account(1));
    for (n, (path, value)) in fields.iter().enumerate() {
        let change = Change { replaces: vec![], value: Some(value.clone()) };
        let path: FieldPath = path.parse().unwrap();
        record.put(&[(path, change)].into(), Dot::new(ReplicaId([n as u8; 16]), 1));
    }
    record
}

fn reads(record: &Record, n: u8, role: Role, grids: &[&str]) -> bool {
    let own = of_reader(account(n), role, &grids.iter().map(|g| grid(g)).collect());
    !of_record(record, &Around::default()).is_disjoint(&own)
}

fn id(n: u8) -> Value {
    account(n).to_string().into()
}

#[test]
fn a_patrol_is_for_its_author_and_the_chiefs_of_its_grid() {
    let patrol = record(Kind::Patrol, &[("grid", G1.into())]);
    assert!(reads(&patrol, 1, Role::Volunteer, &[]));
    assert!(!reads(&patrol, 2, Role::Volunteer, &[G1]));
    assert!(reads(&patrol, 2, Role::Chief, &[G1]));
    assert!(reads(&patrol, 2, Role::Supervisor, &[G1]));
    assert!(!reads(&patrol, 2, Role::Chief, &[G2]));
}

#[test]
fn a_hazard_is_for_its_grid_its_author_and_its_assignee() {
    let hazard = record(Kind::Hazard, &[("grid", G1.into()), ("assignee", id(3))]);
    assert!(reads(&hazard, 2, Role::Volunteer, &[G1]));
    assert!(reads(&hazard, 1, Role::Volunteer, &[G2]));
    assert!(reads(&hazard, 3, Role::Volunteer, &[]));
    assert!(!reads(&hazard, 2, Role::Supervisor, &[G2]));
    assert!(!reads(&hazard, 2, Role::Admin, &[G1]));
}

#[test]
fn a_hazard_of_a_household_is_closed_to_volunteers_even_its_author() {
    let fields = [("grid", G1.into()), ("household", id(7)), ("assignee", id(3))];
    let hazard = record(Kind::Hazard, &fields);
    for n in [1, 2, 3] {
        assert!(!reads(&hazard, n, Role::Volunteer, &[G1]), "{n}");
    }
    assert!(reads(&hazard, 2, Role::Chief, &[G1]));
    assert!(reads(&hazard, 1, Role::Chief, &[]));
    assert!(reads(&hazard, 3, Role::Supervisor, &[]));
}

#[test]
fn concurrent_grids_are_both_cells() {
    let hazard = record(Kind::Hazard, &[("grid", G1.into()), ("grid", G2.into())]);
    assert!(reads(&hazard, 2, Role::Volunteer, &[G1]) && reads(&hazard, 2, Role::Volunteer, &[G2]));
    assert_eq!(grids_of(&hazard), [grid(G1), grid(G2)].into());
}

#[test]
fn a_household_is_for_chiefs_and_supervisors_of_its_grid_alone() {
    let household = record(Kind::Household, &[("grid", G1.into())]);
    assert!(
        reads(&household, 2, Role::Chief, &[G1]) && reads(&household, 2, Role::Supervisor, &[G1])
    );
    assert!(!reads(&household, 1, Role::Volunteer, &[G1]));
    assert!(!reads(&household, 1, Role::Chief, &[G2]));
    assert!(!reads(&household, 2, Role::Admin, &[G1]));
}

#[test]
fn a_check_moves_with_its_household() {
    let check = record(Kind::HouseholdCheck, &[]);
    let cells = |grids: &[&str]| {
        of_record(&check, &Around { household_grids: grids.iter().map(|g| grid(g)).collect() })
    };
    assert!(cells(&[G1]).contains(&Cell::Grid(grid(G1), Level::Chiefs)));
    assert!(!cells(&[G2]).contains(&Cell::Grid(grid(G1), Level::Chiefs)));
    // Its author reads it while no volunteer.
    assert!(reads(&check, 1, Role::Chief, &[]) && !reads(&check, 1, Role::Volunteer, &[]));
}

#[test]
fn a_task_is_for_its_assignee_its_author_and_the_chiefs_of_its_grid() {
    let task = record(Kind::Task, &[("assignee", id(3)), ("grid", G1.into())]);
    assert!(reads(&task, 3, Role::Volunteer, &[]) && reads(&task, 1, Role::Volunteer, &[]));
    assert!(reads(&task, 2, Role::Chief, &[G1]) && !reads(&task, 2, Role::Volunteer, &[G1]));
}

#[test]
fn a_notice_goes_to_its_audience() {
    let list = |words: &[&str]| Value::List(words.iter().map(|w| Value::from(*w)).collect());
    let everyone = record(Kind::Notice, &[]);
    assert!(reads(&everyone, 2, Role::Volunteer, &[]));
    let chiefs = record(Kind::Notice, &[("roles", list(&["chief"]))]);
    assert!(reads(&chiefs, 2, Role::Chief, &[]) && !reads(&chiefs, 2, Role::Volunteer, &[]));
    let here = record(Kind::Notice, &[("grids", list(&[G1]))]);
    assert!(reads(&here, 2, Role::Volunteer, &[G1]) && !reads(&here, 2, Role::Volunteer, &[G2]));
    let fields = [("grids", list(&[G1])), ("roles", list(&["chief", "supervisor"]))];
    let chiefs_here = record(Kind::Notice, &fields);
    assert!(reads(&chiefs_here, 2, Role::Chief, &[G1]));
    assert!(!reads(&chiefs_here, 2, Role::Volunteer, &[G1]));
    assert!(!reads(&chiefs_here, 2, Role::Chief, &[G2]));
}

#[test]
fn grids_and_templates_are_for_everyone_enrolled() {
    for kind in [Kind::Grid, Kind::Template] {
        for role in Role::ALL {
            assert!(reads(&record(kind.clone(), &[]), 2, role, &[]));
        }
    }
}

#[test]
fn an_unknown_kind_is_its_authors_alone() {
    let other = record(Kind::Unknown("dispute".into()), &[("grid", G1.into())]);
    assert!(reads(&other, 1, Role::Volunteer, &[]));
    assert!(!reads(&other, 2, Role::Supervisor, &[G1]));
}

#[test]
fn cells_have_texts_of_their_own() {
    let cells = [
        Cell::Grid(grid(G1), Level::Everyone),
        Cell::Grid(grid(G1), Level::Chiefs),
        Cell::Grid(grid(G1), Level::Supervisors),
        Cell::Account(account(1), Level::Chiefs),
        Cell::Town(Level::Everyone),
        Cell::TownRole(Role::Admin),
    ];
    let texts: BTreeSet<String> = cells.iter().map(Cell::to_string).collect();
    assert_eq!(texts.len(), cells.len());
    assert!(texts.contains("g/530521103200001/c") && texts.contains("r/admin"));
}
