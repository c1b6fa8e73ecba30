//! Differences that a person may make, and those that are refused: of hazards here, of other kinds in `kinds`.

mod kinds;

use std::collections::BTreeMap;

use super::*;
use crate::ids::{RecordId, ReplicaId};
use crate::record::Change;
use crate::{Dot, deletion, merge};

const G1: &str = "530521103200001";
const G2: &str = "530521103201001";
const ABROAD: &str = "530521104200001";
const ENTRY: &str = "timeline.01930000-0000-7000-8000-00000000000e";

fn account(n: u8) -> AccountId {
    AccountId::from_bytes([n; 16])
}

fn grids(codes: &[&str]) -> BTreeSet<GridCode> {
    codes.iter().map(|code| code.parse().unwrap()).collect()
}

fn actor(n: u8, role: Role, own: &[&str]) -> Actor {
    Actor { account: account(n), role, grids: grids(own) }
}

fn save(record: &mut Record, fields: &[(&str, Option<Value>)], replica: u8) {
    let change = |(path, value): &(&str, Option<Value>)| {
        let change = Change { replaces: record.dots(path), value: value.clone() };
        (path.parse::<FieldPath>().unwrap(), change)
    };
    let changes: BTreeMap<_, _> = fields.iter().map(change).collect();
    let counter = record.context.get(ReplicaId([replica; 16])) + 1;
    record.put(&changes, Dot::new(ReplicaId([replica; 16]), counter));
}

fn text(text: &str) -> Option<Value> {
    Some(text.into())
}

/// A hazard reported by account 1 in the first grid.
fn hazard() -> Record {
    let mut record = Record::new(RecordId::from_bytes([9; 16]), Kind::Hazard, account(1));
    let fields = [
        ("category", text("slope")),
        ("severity", text("major")),
        ("grid", text(G1)),
        ("seen_at", Some(1.into())),
        ("status", text("reported")),
    ];
    save(&mut record, &fields, 1);
    record
}

fn household(grid: &str) -> Record {
    let mut record = Record::new(RecordId::from_bytes([8; 16]), Kind::Household, account(1));
    save(&mut record, &[("address", text("1")), ("grid", text(grid))], 1);
    record
}

fn judge(before: Option<&Record>, incoming: &Record, actor: &Actor) -> Result<(), Refusal> {
    judge_around(before, incoming, actor, &Around::default())
}

fn judge_around(
    before: Option<&Record>,
    incoming: &Record,
    actor: &Actor,
    around: &Around,
) -> Result<(), Refusal> {
    let town_grids = grids(&[G1, G2]);
    let ground = Ground { town_grids: &town_grids, before: around, after: around };
    let merged = before.map(|before| {
        // As the town does: what is of another identity is judged without a merge.
        merge(before, incoming).map_or_else(|_| incoming.clone(), |merged| merged.record)
    });
    let after = merged.unwrap_or_else(|| incoming.clone());
    let difference = Difference { before, incoming, after: &after };
    authorise(difference, actor, ground)
}

/// The record after one save of replica 5 on it.
fn edited(before: &Record, fields: &[(&str, Option<Value>)]) -> Record {
    let mut record = before.clone();
    save(&mut record, fields, 5);
    record
}

fn entry(by: u8, step: Option<(&str, &str)>) -> Option<Value> {
    let mut pairs = vec![("by", Value::from(account(by).to_string())), ("at", 1.into())];
    if let Some((from, to)) = step {
        pairs.push(("step", Value::map([("from", from.into()), ("to", to.into())])));
    }
    Some(Value::map(pairs))
}

fn not_allowed(path: &str) -> Result<(), Refusal> {
    Err(Refusal::NotAllowed(path.parse().unwrap()))
}

#[test]
fn authors_report_and_correct() {
    let author = actor(1, Role::Volunteer, &[G1]);
    assert_eq!(judge(None, &hazard(), &author), Ok(()));
    let corrected = edited(&hazard(), &[("title", text("better"))]);
    assert_eq!(judge(Some(&hazard()), &corrected, &author), Ok(()));
}

#[test]
fn a_hazard_may_be_reported_anywhere_in_the_town_but_not_beyond() {
    let author = actor(1, Role::Volunteer, &[G2]);
    assert_eq!(judge(None, &hazard(), &author), Ok(()));
    let beyond = edited(&hazard(), &[("grid", text(ABROAD))]);
    let refused = Err(Refusal::UnknownGrid(ABROAD.parse().unwrap()));
    assert_eq!(judge(None, &beyond, &author), refused);
}

#[test]
fn kind_and_author_never_change() {
    let before = hazard();
    let boss = actor(2, Role::Supervisor, &[G1]);
    let task = Record { kind: Kind::Task, ..before.clone() };
    assert_eq!(judge(Some(&before), &task, &boss), Err(Refusal::IdentityChanged));
    let other = Record { created_by: account(2), ..before.clone() };
    assert_eq!(judge(Some(&before), &other, &boss), Err(Refusal::IdentityChanged));
    // A new record is by the one who sends it.
    assert_eq!(judge(None, &before, &boss), Err(Refusal::IdentityChanged));
}

#[test]
fn an_unknown_kind_or_field_is_refused() {
    let author = actor(1, Role::Volunteer, &[G1]);
    let other = Record { kind: Kind::Unknown("dispute".into()), ..hazard() };
    assert_eq!(judge(None, &other, &author), Err(Refusal::UnknownKind("dispute".into())));
    let more = edited(&hazard(), &[("mood", text("x"))]);
    let refused = judge(Some(&hazard()), &more, &author).unwrap_err();
    assert!(matches!(refused, Refusal::Invalid(Invalid { problem: Problem::UnknownField, .. })));
}

#[test]
fn knowing_an_id_gives_nothing() {
    let before = hazard();
    let note = edited(&before, &[(ENTRY, entry(4, None))]);
    let outside = actor(4, Role::Supervisor, &[G2]);
    assert_eq!(judge(Some(&before), &note, &outside), Err(Refusal::OutOfScope));
    let inside = actor(4, Role::Volunteer, &[G1]);
    assert_eq!(judge(Some(&before), &note, &inside), Ok(()));
}

#[test]
fn readers_add_notes_but_change_no_report() {
    let before = hazard();
    let neighbour = actor(4, Role::Volunteer, &[G1]);
    let change = edited(&before, &[("title", text("mine now"))]);
    assert_eq!(judge(Some(&before), &change, &neighbour), not_allowed("title"));
    let chief = actor(4, Role::Chief, &[G1]);
    assert_eq!(judge(Some(&before), &change, &chief), Ok(()));
}

#[test]
fn only_supervisors_assign() {
    let before = hazard();
    let assign = edited(&before, &[("assignee", text(&account(3).to_string()))]);
    for (n, role) in [(1, Role::Volunteer), (2, Role::Chief)] {
        assert_eq!(judge(Some(&before), &assign, &actor(n, role, &[G1])), not_allowed("assignee"));
    }
    assert_eq!(judge(Some(&before), &assign, &actor(2, Role::Supervisor, &[G1])), Ok(()));
}

#[test]
fn a_covering_context_without_the_supervisors_fields_is_a_removal_and_refused() {
    let fields = [("due_on", text("2026-12-01")), ("assignee", text(&account(3).to_string()))];
    let before = edited(&hazard(), &fields);
    let mut partial = edited(&before, &[(ENTRY, entry(3, None))]);
    partial.fields.remove("due_on");
    let assignee = actor(3, Role::Volunteer, &[]);
    assert_eq!(judge(Some(&before), &partial, &assignee), not_allowed("due_on"));
    // Under the very same context nothing is removed: the merge keeps the union (and raises an alarm).
    let mut same = before.clone();
    same.fields.remove("due_on");
    assert_eq!(judge(Some(&before), &same, &assignee), Ok(()));
    assert_eq!(merge(&before, &same).unwrap().record, before);
    // Not having seen them is no removal.
    let stale = edited(&hazard(), &[("title", text("late"))]);
    let author = actor(1, Role::Volunteer, &[G1]);
    let town = {
        let mut town = hazard();
        save(&mut town, &fields, 6);
        town
    };
    assert_eq!(judge(Some(&town), &stale, &author), Ok(()));
}

#[test]
fn what_is_required_cannot_be_removed() {
    let before = hazard();
    let without = edited(&before, &[("severity", None)]);
    let refused = judge(Some(&before), &without, &actor(1, Role::Volunteer, &[G1])).unwrap_err();
    assert!(matches!(refused, Refusal::Invalid(Invalid { problem: Problem::Missing, .. })));
}

#[test]
fn the_timeline_is_never_changed_nor_removed() {
    let boss = actor(2, Role::Supervisor, &[G1]);
    let before = edited(&hazard(), &[(ENTRY, entry(2, None))]);
    for value in [entry(3, None), None] {
        let changed = edited(&before, &[(ENTRY, value)]);
        let refused = judge(Some(&before), &changed, &boss).unwrap_err();
        assert!(matches!(refused, Refusal::Invalid(Invalid { problem: Problem::Immutable, .. })));
    }
}

#[test]
fn a_timeline_entry_is_signed_by_its_writer_or_entered_by_a_supervisor() {
    let before = hazard();
    let forged = edited(&before, &[(ENTRY, entry(2, None))]);
    assert_eq!(
        judge(Some(&before), &forged, &actor(1, Role::Volunteer, &[G1])),
        not_allowed(ENTRY)
    );
    assert_eq!(judge(Some(&before), &forged, &actor(4, Role::Chief, &[G1])), not_allowed(ENTRY));
    assert_eq!(judge(Some(&before), &forged, &actor(5, Role::Supervisor, &[G1])), Ok(()));
    let own = edited(&before, &[(ENTRY, entry(1, None))]);
    assert_eq!(judge(Some(&before), &own, &actor(1, Role::Volunteer, &[G1])), Ok(()));
}

#[test]
fn a_grid_of_ones_own_beside_a_foreign_one_gains_nothing() {
    let beside = |before: &Record| {
        let mut record = before.clone();
        let change = Change { replaces: Vec::new(), value: text(G2) };
        let dot = Dot::new(ReplicaId([5; 16]), 1);
        record.put(&[("grid".parse::<FieldPath>().unwrap(), change)].into(), dot);
        assert_eq!(record.siblings("grid").len(), 2);
        record
    };
    for before in [hazard(), household(G1)] {
        for role in [Role::Chief, Role::Supervisor] {
            let outside = actor(2, role, &[G2]);
            let judged = judge(Some(&before), &beside(&before), &outside);
            assert_eq!(judged, Err(Refusal::OutOfScope), "{role:?}");
        }
    }
    // Nor does a household come into another's grid that way.
    let refused = Err(Refusal::ForeignGrid(G2.parse().unwrap()));
    let before = household(G1);
    assert_eq!(judge(Some(&before), &beside(&before), &actor(2, Role::Chief, &[G1])), refused);
}

#[test]
fn a_status_step_is_judged_with_the_role() {
    let before = hazard();
    let fields =
        |by| [("status", text("verified")), (ENTRY, entry(by, Some(("reported", "verified"))))];
    let verified = edited(&before, &fields(2));
    assert_eq!(judge(Some(&before), &verified, &actor(2, Role::Supervisor, &[G1])), Ok(()));
    let own = edited(&before, &fields(1));
    let refused = judge(Some(&before), &own, &actor(1, Role::Volunteer, &[G1]));
    assert!(matches!(refused, Err(Refusal::Step(StepError::NotAllowed { .. }))));
}

#[test]
fn any_reader_adds_a_photo_and_only_those_in_charge_take_one_away() {
    let photo = "photos.0000000000000000000000000000000000000000000000000000000000000000";
    let before = hazard();
    let with = edited(&before, &[(photo, Some(Value::Map(BTreeMap::new())))]);
    let volunteer = actor(2, Role::Volunteer, &[G1]);
    assert_eq!(judge(Some(&before), &with, &volunteer), Ok(()));
    let without = edited(&with, &[(photo, None)]);
    assert_eq!(judge(Some(&with), &without, &volunteer), not_allowed(photo));
    assert_eq!(judge(Some(&with), &without, &actor(2, Role::Chief, &[G1])), Ok(()));
    assert_eq!(judge(Some(&with), &without, &actor(1, Role::Volunteer, &[G1])), Ok(()));
}

#[test]
fn deleting_is_for_the_writers_of_the_report() {
    let before = hazard();
    let mut gone = before.clone();
    gone.put(&[deletion::delete(&before)].into(), Dot::new(ReplicaId([5; 16]), 1));
    assert_eq!(judge(Some(&before), &gone, &actor(1, Role::Volunteer, &[])), Ok(()));
    assert_eq!(judge(Some(&before), &gone, &actor(2, Role::Supervisor, &[G1])), Ok(()));
    let neighbour = actor(4, Role::Volunteer, &[G1]);
    assert_eq!(judge(Some(&before), &gone, &neighbour), not_allowed("$deleted"));
}
