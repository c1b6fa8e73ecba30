//! The rule at its thresholds, and what answers of every sort do.

use proptest::prelude::*;

use super::*;
use crate::household_check;
use crate::ids::{AccountId, RecordId, ReplicaId};
use crate::record::Change;
use crate::{Dot, FieldPath, Kind};

fn item(key: &str, weight: i64, critical: bool) -> Item {
    Item {
        key: key.to_owned(),
        zh: format!("项目{key}"),
        en: format!("item {key}"),
        weight,
        critical,
        advice_zh: format!("处理{key}"),
        advice_en: format!("mend {key}"),
        photo_when_problem: false,
    }
}

fn answers<const N: usize>(pairs: [(&str, Answer); N]) -> BTreeMap<String, Answer> {
    pairs.map(|(key, answer)| (key.to_owned(), answer)).into()
}

/// One problem of so much weight beside fine items that make up the whole.
fn level(problem: i64, whole: i64) -> Level {
    let items = [item("p", problem, false), item("f", whole - problem, false)];
    assess(&items, &answers([("p", Answer::Problem), ("f", Answer::Fine)])).level
}

#[test]
fn thresholds_are_met_exactly() {
    assert_eq!(level(3, 10), Level::High);
    assert_eq!(level(299, 1000), Level::Medium);
    assert_eq!(level(300, 1000), Level::High);
    assert_eq!(level(1, 10), Level::Medium);
    assert_eq!(level(99, 1000), Level::Low);
    assert_eq!(level(100, 1000), Level::Medium);
    // 0.3 and 0.1 are no exact binary fractions: a float may fall short of the threshold here.
    assert_eq!(level(9, 30), Level::High);
    assert_eq!(level(2, 7), Level::Medium);
    assert_eq!(level(0, 5), Level::Low);
}

#[test]
fn a_critical_problem_is_high_whatever_the_share() {
    let items = [item("c", 1, true), item("f", 5, false), item("g", 5, false)];
    let fine = answers([("c", Answer::Fine), ("f", Answer::Fine), ("g", Answer::Fine)]);
    assert_eq!(assess(&items, &fine).level, Level::Low);
    let problem = answers([("c", Answer::Problem), ("f", Answer::Fine), ("g", Answer::Fine)]);
    let assessment = assess(&items, &problem);
    assert_eq!((assessment.level, assessment.reason), (Level::High, Reason::CriticalProblem));
    assert_eq!(assessment.share_per_mille, 90);
}

#[test]
fn unanswered_and_inapplicable_items_count_on_neither_side() {
    let items = [item("a", 1, false), item("b", 5, false), item("c", 5, true), item("d", 9, false)];
    let given = answers([
        ("a", Answer::Problem),
        ("b", Answer::NotApplicable),
        ("d", Answer::Fine),
        ("x", Answer::Problem),
    ]);
    let assessment = assess(&items, &given);
    assert_eq!((assessment.problem_weight, assessment.applicable_weight), (1, 10));
    assert_eq!(assessment.level, Level::Medium);
    assert_eq!(assessment.unanswered, ["c"]);
    assert_eq!(assessment.not_in_template, ["x"]);
    let [problem] = &assessment.problems[..] else { panic!() };
    assert_eq!((problem.key.as_str(), problem.share_per_mille), ("a", 100));
}

#[test]
fn without_answers_it_is_low_and_everything_is_unanswered() {
    let items = [item("a", 1, false), item("c", 5, true)];
    let assessment = assess(&items, &BTreeMap::new());
    assert_eq!((assessment.level, assessment.share_per_mille), (Level::Low, 0));
    assert_eq!(assessment.unanswered, ["a", "c"]);
    let none = answers([("a", Answer::NotApplicable), ("c", Answer::NotApplicable)]);
    assert_eq!(assess(&items, &none).level, Level::Low);
}

#[test]
fn rechecks_are_due_after_7_30_and_365_days() {
    assert_eq!([Level::High, Level::Medium, Level::Low].map(recheck_days), [7, 30, 365]);
}

#[test]
fn advice_names_the_problems_critical_ones_first() {
    let items = [item("a", 1, false), item("b", 1, true), item("c", 1, false)];
    let given = answers([("a", Answer::Problem), ("b", Answer::Problem), ("c", Answer::Fine)]);
    assert_eq!(advice(&items, &given, true), "1. 项目b：处理b\n2. 项目a：处理a");
    assert_eq!(advice(&items, &given, false), "1. item b: mend b\n2. item a: mend a");
    assert_eq!(advice(&items, &BTreeMap::new(), true), "");
}

#[test]
fn answers_are_read_from_a_check() {
    let author = AccountId::from_bytes([1; 16]);
    let mut record = Record::new(RecordId::from_bytes([2; 16]), Kind::HouseholdCheck, author);
    let put = |word: &str| Change {
        replaces: vec![],
        value: Some(Value::map([("answer", Value::from(word))])),
    };
    let path = |text: &str| text.parse::<FieldPath>().unwrap();
    let changes = [("answers.a", "problem"), ("answers.b", "fine"), ("answers.c", "perhaps")]
        .map(|(p, word)| (path(p), put(word)))
        .into();
    record.put(&changes, Dot::new(ReplicaId([3; 16]), 1));
    assert_eq!(answers_of(&record), answers([("a", Answer::Problem), ("b", Answer::Fine)]));
}

#[test]
fn every_answer_of_the_schema_has_a_meaning() {
    let read: Vec<_> = household_check::ANSWERS.iter().map(|word| Answer::of(word)).collect();
    assert_eq!(read, [Some(Answer::Fine), Some(Answer::Problem), Some(Answer::NotApplicable)]);
    assert_eq!(Answer::of("perhaps"), None);
}

proptest! {
    #[test]
    fn turning_an_answer_into_a_problem_never_lowers_the_level(
        rows in prop::collection::vec((1_i64..=5, any::<bool>(), 0_u8..3), 1..20),
        chosen in any::<prop::sample::Index>(),
    ) {
        let items: Vec<Item> =
            rows.iter().enumerate().map(|(n, (w, c, _))| item(&n.to_string(), *w, *c)).collect();
        let words = [Answer::Fine, Answer::Problem, Answer::NotApplicable];
        let mut given: BTreeMap<String, Answer> = rows
            .iter()
            .enumerate()
            .map(|(n, (_, _, word))| (n.to_string(), words[usize::from(*word)]))
            .collect();
        let before = assess(&items, &given);
        given.insert(chosen.index(rows.len()).to_string(), Answer::Problem);
        prop_assert!(assess(&items, &given).level >= before.level);
    }
}
