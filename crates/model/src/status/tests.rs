//! Steps as a person takes them: alone, offline in a row, against another, and wrongly.

use std::collections::BTreeMap;

use super::*;
use crate::ids::{AccountId, RecordId, ReplicaId};
use crate::record::Change;
use crate::{FieldPath, merge};

const BOSS: &[Writer] = &[Writer::Reader, Writer::Supervisor];
const AUTHOR: &[Writer] = &[Writer::Reader, Writer::Author];
const FIXER: &[Writer] = &[Writer::Reader, Writer::Assignee];

/// One replica's pen: every save has a fresh dot.
struct Pen(u8, u64);

impl Pen {
    fn write(&mut self, record: &mut Record, fields: Vec<(String, Option<Value>)>) {
        self.1 += 1;
        let dot = Dot::new(ReplicaId([self.0; 16]), self.1);
        let change = |(path, value): (String, Option<Value>)| {
            let replaces = record.dots(&path);
            (path.parse::<FieldPath>().unwrap(), Change { replaces, value })
        };
        let changes: BTreeMap<_, _> = fields.into_iter().map(change).collect();
        record.put(&changes, dot);
    }

    /// A state without a step.
    fn state(&mut self, record: &mut Record, word: &str) {
        self.write(record, vec![("status".into(), Some(word.into()))]);
    }

    /// Steps of one save, each from the former's end.
    fn steps(&mut self, record: &mut Record, from: &str, chain: &[&str], note: Option<&str>) {
        let mut fields = Vec::new();
        let mut from = from;
        for (n, to) in chain.iter().enumerate() {
            let step = Value::map([("from", Value::from(from)), ("to", Value::from(*to))]);
            let mut entry = vec![("step", step), ("at", 1.into())];
            entry.extend(note.map(|note| ("note", Value::from(note))));
            let key = format!("timeline.{}-{}-{n}", self.0, self.1 + 1);
            fields.push((key, Some(Value::map(entry))));
            from = to;
        }
        fields.push(("status".into(), Some(from.into())));
        self.write(record, fields);
    }
}

fn reported() -> Record {
    let author = AccountId::from_bytes([1; 16]);
    let mut record = Record::new(RecordId::from_bytes([2; 16]), Kind::Hazard, author);
    Pen(1, 0).state(&mut record, "reported");
    record
}

/// A case brought to a state by a supervisor, over these steps.
fn brought_to(chain: &[&str]) -> Record {
    let mut record = reported();
    let mut pen = Pen(2, 0);
    let mut from = "reported";
    for to in chain {
        pen.steps(&mut record, from, &[to], Some("reason"));
        from = to;
    }
    record
}

fn merged(a: &Record, b: &Record) -> Record {
    merge(a, b).unwrap().record
}

fn not_explained(word: &str) -> Result<(), StepError> {
    Err(StepError::NotExplained(word.into()))
}

#[test]
fn a_new_record_starts_as_its_kind_starts() {
    assert_eq!(legal_steps(None, &reported(), AUTHOR), Ok(()));
    let blank = |word| {
        let author = AccountId::from_bytes([1; 16]);
        let mut record = Record::new(RecordId::from_bytes([2; 16]), Kind::Hazard, author);
        Pen(1, 0).state(&mut record, word);
        record
    };
    let wrong = legal_steps(None, &blank("closed"), AUTHOR);
    assert_eq!(wrong, Err(StepError::WrongStart("reported")));
}

#[test]
fn on_the_spot_fixing_is_report_and_rectification_in_one_save() {
    let author = AccountId::from_bytes([1; 16]);
    let mut record = Record::new(RecordId::from_bytes([2; 16]), Kind::Hazard, author);
    Pen(1, 0).steps(&mut record, "reported", &["rectified"], None);
    assert_eq!(legal_steps(None, &record, AUTHOR), Ok(()));
}

#[test]
fn a_legal_chain_of_offline_saves_is_taken_at_once() {
    let before = brought_to(&["verified", "assigned"]);
    let mut offline = before.clone();
    let mut pen = Pen(3, 0);
    pen.steps(&mut offline, "assigned", &["rectifying"], None);
    pen.steps(&mut offline, "rectifying", &["rectified"], None);
    assert_eq!(legal_steps(Some(&before), &offline, FIXER), Ok(()));
    let mut at_once = before.clone();
    Pen(3, 0).steps(&mut at_once, "assigned", &["rectifying", "rectified"], None);
    assert_eq!(legal_steps(Some(&before), &at_once, FIXER), Ok(()));
}

#[test]
fn a_jump_is_refused() {
    let before = reported();
    let mut jump = before.clone();
    Pen(3, 0).steps(&mut jump, "reported", &["closed"], None);
    let (from, to) = ("reported".into(), "closed".into());
    let refused = Err(StepError::NoSuchStep { from, to });
    assert_eq!(legal_steps(Some(&before), &jump, BOSS), refused);
}

#[test]
fn a_state_without_a_step_is_refused_to_everyone() {
    let before = brought_to(&["verified"]);
    let mut silent = before.clone();
    Pen(3, 0).state(&mut silent, "closed");
    for relations in [AUTHOR, FIXER, BOSS] {
        assert_eq!(legal_steps(Some(&before), &silent, relations), not_explained("closed"));
    }
}

#[test]
fn a_step_from_a_state_that_is_past_is_refused_to_one_who_saw_it_pass() {
    let before = brought_to(&["verified", "assigned", "rectified"]);
    for relations in [FIXER, BOSS] {
        let mut late = before.clone();
        Pen(3, 0).steps(&mut late, "assigned", &["rectifying"], None);
        let refused = legal_steps(Some(&before), &late, relations);
        assert_eq!(refused, not_explained("rectifying"));
    }
}

#[test]
fn a_step_from_a_state_that_never_was_is_refused_even_beside_the_status() {
    let before = reported();
    let mut stray = before.clone();
    let step = Value::map([("from", Value::from("rectifying")), ("to", Value::from("rectified"))]);
    let entry = Value::map([("step", step), ("at", 1.into())]);
    Pen(3, 0).write(&mut stray, vec![("timeline.x".into(), Some(entry))]);
    assert_eq!(legal_steps(Some(&before), &stray, FIXER), not_explained("rectifying"));
}

#[test]
fn a_step_is_refused_to_a_role_that_may_not_take_it() {
    let before = reported();
    let mut record = before.clone();
    Pen(3, 0).steps(&mut record, "reported", &["verified"], None);
    assert_eq!(legal_steps(Some(&before), &record, BOSS), Ok(()));
    let (from, to) = ("reported".into(), "verified".into());
    let refused = Err(StepError::NotAllowed { from, to });
    assert_eq!(legal_steps(Some(&before), &record, AUTHOR), refused);
}

#[test]
fn a_return_needs_words_and_blanks_are_none() {
    let before = reported();
    let (from, to) = ("reported".to_owned(), "returned".to_owned());
    for note in [None, Some("  \n")] {
        let mut record = before.clone();
        Pen(3, 0).steps(&mut record, "reported", &["returned"], note);
        let missing = StepError::NoteMissing { from: from.clone(), to: to.clone() };
        assert_eq!(legal_steps(Some(&before), &record, BOSS), Err(missing));
    }
    let mut record = before.clone();
    Pen(3, 0).steps(&mut record, "reported", &["returned"], Some("地点不清"));
    assert_eq!(legal_steps(Some(&before), &record, BOSS), Ok(()));
}

#[test]
fn concurrent_steps_are_both_kept() {
    let common = brought_to(&["verified", "assigned"]);
    let (mut town, mut phone) = (common.clone(), common);
    Pen(3, 0).steps(&mut town, "assigned", &["transferred"], None);
    Pen(4, 0).steps(&mut phone, "assigned", &["rectified"], None);
    assert_eq!(legal_steps(Some(&town), &phone, FIXER), Ok(()));
    let both = merged(&town, &phone);
    assert_eq!(both.distinct("status").len(), 2);
    // The least finished is shown.
    assert_eq!(both.shown_text("status"), Some("rectified"));
}

#[test]
fn a_step_pushed_after_pulling_a_concurrent_one_is_still_taken() {
    let common = brought_to(&["verified", "assigned"]);
    let (mut town, mut phone) = (common.clone(), common);
    Pen(3, 0).steps(&mut town, "assigned", &["transferred"], None);
    Pen(4, 0).steps(&mut phone, "assigned", &["rectified"], None);
    let pulled = merged(&phone, &town);
    assert_eq!(legal_steps(Some(&town), &pulled, FIXER), Ok(()));
    assert_eq!(merged(&town, &pulled).distinct("status").len(), 2);
}

#[test]
fn an_edit_of_other_fields_made_before_a_step_was_seen_is_no_step() {
    let common = reported();
    let (mut town, mut phone) = (common.clone(), common);
    Pen(3, 0).steps(&mut town, "reported", &["verified"], None);
    Pen(4, 0).write(&mut phone, vec![("title".into(), Some("late words".into()))]);
    assert_eq!(legal_steps(Some(&town), &phone, AUTHOR), Ok(()));
    assert_eq!(merged(&town, &phone).shown_text("status"), Some("verified"));
}

/// Transferred by one, rectified by another.
fn contested() -> Record {
    let common = brought_to(&["verified", "assigned"]);
    let (mut one, mut other) = (common.clone(), common);
    Pen(3, 0).steps(&mut one, "assigned", &["transferred"], None);
    Pen(4, 0).steps(&mut other, "assigned", &["rectified"], None);
    merged(&one, &other)
}

#[test]
fn a_supervisor_settles_by_choosing_one_of_the_states_read() {
    let before = contested();
    let settle = |word| {
        let mut record = before.clone();
        Pen(5, 0).state(&mut record, word);
        record
    };
    assert_eq!(legal_steps(Some(&before), &settle("transferred"), BOSS), Ok(()));
    assert_eq!(legal_steps(Some(&before), &settle("rectified"), BOSS), Ok(()));
    assert_eq!(legal_steps(Some(&before), &settle("closed"), BOSS), not_explained("closed"));
}

#[test]
fn nobody_else_settles_neither_by_choosing_nor_by_a_step_nor_by_removal() {
    let before = contested();
    for relations in [AUTHOR, FIXER] {
        let mut chosen = before.clone();
        Pen(5, 0).state(&mut chosen, "rectified");
        assert_eq!(legal_steps(Some(&before), &chosen, relations), not_explained("rectified"));
    }
    let mut removed = before.clone();
    let dots: Vec<Dot> = before
        .siblings("status")
        .iter()
        .filter(|s| s.value.as_text() == Some("transferred"))
        .map(|s| s.dot)
        .collect();
    let change = Change { replaces: dots, value: None };
    removed.put(&[("status".parse().unwrap(), change)].into(), Dot::new(ReplicaId([5; 16]), 1));
    let (from, to) = ("transferred".to_owned(), "rectified".to_owned());
    let refused = Err(StepError::NotAllowed { from, to });
    assert_eq!(legal_steps(Some(&before), &removed, FIXER), refused);
    assert_eq!(legal_steps(Some(&before), &removed, BOSS), Ok(()));

    let common = brought_to(&["verified", "assigned"]);
    let (mut one, mut other) = (common.clone(), common);
    Pen(3, 0).steps(&mut one, "assigned", &["transferred"], None);
    Pen(4, 0).steps(&mut other, "assigned", &["rectifying"], None);
    let before = merged(&one, &other);
    let mut stepped = before.clone();
    Pen(5, 0).steps(&mut stepped, "rectifying", &["rectified"], None);
    let (from, to) = ("transferred".to_owned(), "rectified".to_owned());
    let refused = Err(StepError::NotAllowed { from, to });
    assert_eq!(legal_steps(Some(&before), &stepped, FIXER), refused);
    assert_eq!(legal_steps(Some(&before), &stepped, BOSS), Ok(()));
}

#[test]
fn a_settlement_made_before_the_own_step_was_pushed_is_taken() {
    let common = brought_to(&["verified"]);
    let (mut town, mut phone) = (common.clone(), common);
    Pen(3, 0).steps(&mut town, "verified", &["unfounded"], Some("looked"));
    let mut pen = Pen(4, 0);
    pen.steps(&mut phone, "verified", &["assigned"], None);
    let mut phone = merged(&phone, &town);
    pen.state(&mut phone, "assigned");
    assert_eq!(legal_steps(Some(&town), &phone, BOSS), Ok(()));
    assert_eq!(merged(&town, &phone).distinct("status").len(), 1);
}

#[test]
fn the_giver_of_a_task_settles_it() {
    let author = AccountId::from_bytes([1; 16]);
    let mut common = Record::new(RecordId::from_bytes([2; 16]), Kind::Task, author);
    Pen(1, 0).state(&mut common, "open");
    let (mut one, mut other) = (common.clone(), common);
    Pen(3, 0).steps(&mut one, "open", &["done"], None);
    Pen(4, 0).steps(&mut other, "open", &["cancelled"], None);
    let before = merged(&one, &other);
    let mut settled = before.clone();
    Pen(5, 0).state(&mut settled, "done");
    assert_eq!(legal_steps(Some(&before), &settled, AUTHOR), Ok(()));
    assert_eq!(legal_steps(Some(&before), &settled, FIXER), not_explained("done"));
}

#[test]
fn kinds_without_a_status_have_no_steps_to_judge() {
    let author = AccountId::from_bytes([1; 16]);
    let patrol = Record::new(RecordId::from_bytes([2; 16]), Kind::Patrol, author);
    assert_eq!(legal_steps(None, &patrol, &[]), Ok(()));
}

#[test]
fn every_step_joins_two_states_and_none_is_listed_twice() {
    for (steps, words) in
        [(crate::hazard::STEPS, crate::hazard::STATUS), (crate::task::STEPS, crate::task::STATUS)]
    {
        for (at, step) in steps.iter().enumerate() {
            assert!(words.contains(&step.from) && words.contains(&step.to) && !step.by.is_empty());
            let same = |other: &Step| (other.from, other.to) == (step.from, step.to);
            assert!(!steps[at + 1..].iter().any(same), "{} {}", step.from, step.to);
        }
    }
}
