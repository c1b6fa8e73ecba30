//! Households and their checks: what the phone fills in by itself, the questions, the risk explained.

use std::collections::BTreeMap;

use serde::Serialize;
use yaoguan_model::risk::{self, Answer, Level, Reason};
use yaoguan_model::template::{Item, Template, builtin};
use yaoguan_model::{Kind, Value};

use crate::dates;
use crate::edit::{Edit, set};
use crate::error::FieldError;
use crate::phone::Phone;

/// One question about the dwelling, in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, export_to = "field.ts"))]
pub struct Question {
    pub key: String,
    pub zh: String,
    pub en: String,
    pub critical: bool,
}

/// The questions of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, export_to = "field.ts"))]
pub struct CheckTemplate {
    pub code: String,
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub version: i64,
    pub items: Vec<Question>,
}

/// An item with a problem, and what it adds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, export_to = "field.ts"))]
pub struct ProblemView {
    pub key: String,
    pub zh: String,
    pub en: String,
    pub critical: bool,
    /// Its part of the weight that applies, in thousandths.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub share_per_mille: i64,
}

/// The risk of a dwelling, explained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, export_to = "field.ts"))]
pub struct RiskView {
    #[cfg_attr(feature = "ts", ts(type = "'low' | 'medium' | 'high'"))]
    pub level: Level,
    #[cfg_attr(feature = "ts", ts(type = "'critical_problem' | 'share'"))]
    pub reason: Reason,
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub share_per_mille: i64,
    pub problems: Vec<ProblemView>,
    pub answered: usize,
    pub unanswered: usize,
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub recheck_days: i64,
    pub due_on: String,
    pub advice_zh: String,
    pub advice_en: String,
}

impl Phone {
    pub(crate) fn household_defaults(&self, edit: &mut Edit) -> Result<(), FieldError> {
        self.fill_grid(edit)
    }

    /// Template and time; after a visit that took place also when to look again.
    pub(crate) fn check_defaults(&self, edit: &mut Edit) -> Result<(), FieldError> {
        let template = self.newest_template()?;
        set(edit, "template", Value::text(builtin::CODE))?;
        set(edit, "template_version", Value::Int(template.version))?;
        set(edit, "outcome", Value::text("done"))?;
        set(edit, "checked_at", Value::Int(self.env.now_s()))?;
        let answers = answers_of(edit);
        if !answers.is_empty() {
            let level = risk::assess(&template.items, &answers).level;
            let due = dates::day_of(self.env.now_s(), risk::recheck_days(level));
            set(edit, "due_on", Value::text(due))?;
        }
        Ok(())
    }

    /// The newest home-safety template that the town published, else the built-in one.
    fn newest_template(&self) -> Result<Template, FieldError> {
        let mut newest = builtin();
        self.store.each(&Kind::Template, |record| {
            // One that cannot be read is the town's fault: the one before it is used.
            if let Ok(template) = Template::of(&record)
                && template.code == builtin::CODE
                && template.version >= newest.version
            {
                newest = template;
            }
            Ok(())
        })?;
        Ok(newest)
    }

    pub fn check_template(&self) -> Result<CheckTemplate, FieldError> {
        let template = self.newest_template()?;
        let question = |item: Item| Question {
            key: item.key,
            zh: item.zh,
            en: item.en,
            critical: item.critical,
        };
        Ok(CheckTemplate {
            code: template.code,
            version: template.version,
            items: template.items.into_iter().map(question).collect(),
        })
    }

    /// The risk of these answers, so far.
    pub fn assess(&self, answers: &BTreeMap<String, Answer>) -> Result<RiskView, FieldError> {
        let items = self.newest_template()?.items;
        let assessed = risk::assess(&items, answers);
        let days = risk::recheck_days(assessed.level);
        let problems = assessed.problems.iter().filter_map(|problem| {
            let item = items.iter().find(|item| item.key == problem.key)?;
            Some(ProblemView {
                key: item.key.clone(),
                zh: item.zh.clone(),
                en: item.en.clone(),
                critical: item.critical,
                share_per_mille: problem.share_per_mille,
            })
        });
        Ok(RiskView {
            level: assessed.level,
            reason: assessed.reason,
            share_per_mille: assessed.share_per_mille,
            problems: problems.collect(),
            answered: items.len().saturating_sub(assessed.unanswered.len()),
            unanswered: assessed.unanswered.len(),
            recheck_days: days,
            due_on: dates::day_of(self.env.now_s(), days),
            advice_zh: risk::advice(&items, answers, true),
            advice_en: risk::advice(&items, answers, false),
        })
    }
}

/// The template that every phone has from the start.
fn builtin() -> Template {
    Template {
        code: builtin::CODE.to_owned(),
        version: builtin::VERSION,
        title_zh: String::new(),
        title_en: String::new(),
        items: builtin::items(),
    }
}

fn answers_of(edit: &Edit) -> BTreeMap<String, Answer> {
    let answer = |(path, value): (&yaoguan_model::FieldPath, &Option<Value>)| {
        let word = value.as_ref()?.get("answer")?.as_text()?;
        (path.head() == "answers").then_some(())?;
        Some((path.key()?.to_owned(), Answer::of(word)?))
    };
    edit.iter().filter_map(answer).collect()
}
