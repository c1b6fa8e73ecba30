//! The risk of a dwelling from the answers of one check, explained item by item.
//!
//! The rule (records.md, *household_check*): any critical item with a problem makes it high; else the
//! share of the weight with a problem among the items that apply and were answered: 30 % or more is
//! high, 10 % or more medium, less is low. Whole numbers only, so that a threshold is met exactly and
//! every machine says the same. It is a property of the dwelling on that day, never of a person.
//!
//! An unanswered item counts on neither side of the share, like one that does not apply, and is listed:
//! a level with unanswered items is a level so far, and the screen says so. Answers to items that the
//! template does not have (another version) change nothing and are listed too.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::record::Record;
use crate::value::Value;

#[cfg(test)]
mod tests;

pub use crate::template::{Item, Template};

/// Share of weight, in percent, from which the risk is high.
pub const HIGH_PERCENT: i64 = 30;
/// Share of weight, in percent, from which the risk is medium.
pub const MEDIUM_PERCENT: i64 = 10;

/// An answer to one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    Fine,
    Problem,
    NotApplicable,
}

impl Answer {
    /// From the word in the register; see [`crate::household_check::ANSWERS`].
    pub fn of(word: &str) -> Option<Self> {
        match word {
            "fine" => Some(Self::Fine),
            "problem" => Some(Self::Problem),
            "not_applicable" => Some(Self::NotApplicable),
            _ => None,
        }
    }
}

/// How dangerous the dwelling is; least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Low,
    Medium,
    High,
}

impl Level {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// One item with a problem, and what it adds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProblemItem {
    pub key: String,
    pub weight: i64,
    pub critical: bool,
    /// Its part of the applicable weight in thousandths, rounded down.
    pub share_per_mille: i64,
}

/// What decided the level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// At least one critical item has a problem.
    CriticalProblem,
    /// The share of the weight.
    Share,
}

/// A level and how it came about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Assessment {
    pub level: Level,
    pub reason: Reason,
    /// Weight of the items with a problem.
    pub problem_weight: i64,
    /// Weight of the items that apply and were answered.
    pub applicable_weight: i64,
    /// Their quotient in thousandths, rounded down, for showing; 0 when nothing applies. The level is
    /// decided on the weights themselves.
    pub share_per_mille: i64,
    /// In the order of the template.
    pub problems: Vec<ProblemItem>,
    /// Keys of items without an answer, in the order of the template.
    pub unanswered: Vec<String>,
    /// Keys of answers to which the template has no item.
    pub not_in_template: Vec<String>,
}

/// Assesses the answers of a check.
pub fn assess(items: &[Item], answers: &BTreeMap<String, Answer>) -> Assessment {
    let answered =
        |item: &&Item| matches!(answers.get(&item.key), Some(Answer::Fine | Answer::Problem));
    let applicable_weight: i64 = items.iter().filter(answered).map(|item| item.weight).sum();
    let per_mille = |weight: i64| (weight * 1000).checked_div(applicable_weight).unwrap_or(0);
    let problems: Vec<ProblemItem> = with_problem(items, answers)
        .map(|item| ProblemItem {
            key: item.key.clone(),
            weight: item.weight,
            critical: item.critical,
            share_per_mille: per_mille(item.weight),
        })
        .collect();
    let problem_weight: i64 = problems.iter().map(|problem| problem.weight).sum();
    let critical = problems.iter().any(|problem| problem.critical);
    let unanswered = items.iter().filter(|item| !answers.contains_key(&item.key));
    let foreign = answers.keys().filter(|key| !items.iter().any(|item| item.key == **key));
    Assessment {
        level: if critical { Level::High } else { by_share(problem_weight, applicable_weight) },
        reason: if critical { Reason::CriticalProblem } else { Reason::Share },
        problem_weight,
        applicable_weight,
        share_per_mille: per_mille(problem_weight),
        problems,
        unanswered: unanswered.map(|item| item.key.clone()).collect(),
        not_in_template: foreign.cloned().collect(),
    }
}

fn by_share(problem: i64, applicable: i64) -> Level {
    let reaches = |percent: i64| applicable > 0 && problem * 100 >= percent * applicable;
    if reaches(HIGH_PERCENT) {
        Level::High
    } else if reaches(MEDIUM_PERCENT) {
        Level::Medium
    } else {
        Level::Low
    }
}

fn with_problem<'a>(
    items: &'a [Item],
    answers: &'a BTreeMap<String, Answer>,
) -> impl Iterator<Item = &'a Item> {
    items.iter().filter(|item| answers.get(&item.key) == Some(&Answer::Problem))
}

/// Days until the dwelling is looked at again.
pub fn recheck_days(level: Level) -> i64 {
    match level {
        Level::High => 7,
        Level::Medium => 30,
        Level::Low => 365,
    }
}

/// The written advice to the household (整改告知), a numbered line for each problem, the critical ones
/// first; empty when there is none. `zh`: in Chinese, else in English. A person may edit it.
pub fn advice(items: &[Item], answers: &BTreeMap<String, Answer>, zh: bool) -> String {
    let mut problems: Vec<&Item> = with_problem(items, answers).collect();
    problems.sort_by_key(|item| !item.critical);
    let line = |(at, item): (usize, &&Item)| match zh {
        true => format!("{}. {}：{}", at + 1, item.zh, item.advice_zh),
        false => format!("{}. {}: {}", at + 1, item.en, item.advice_en),
    };
    problems.iter().enumerate().map(line).collect::<Vec<_>>().join("\n")
}

/// The answers of a `household_check` record, as shown. A word that is no answer is left out.
pub fn answers_of(record: &Record) -> BTreeMap<String, Answer> {
    let answer = |value: &Value| Answer::of(value.get("answer")?.as_text()?);
    let elements = record.elements("answers");
    elements.filter_map(|(key, value)| Some((key.to_owned(), answer(value)?))).collect()
}
