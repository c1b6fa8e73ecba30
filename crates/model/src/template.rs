//! Template of a household check: versioned, published by the town, pulled by phones.
//!
//! Its items ask about the dwelling, never about the people in it (privacy.md). The key of an item is
//! the key of its answer (`answers.<key>`), and keeps its meaning from version to version.

pub mod builtin;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::path::FieldPath;
use crate::record::Record;
use crate::schema::{KindSpec, PathSpec, Shape, Writer, Writer::*, deletion_by, may, must};
use crate::value::Value;

const TOWN: &[Writer] = &[Admin];

const ITEM: Shape = Shape::Object(&[
    must("key", Shape::Name),
    must("zh", Shape::Line),
    must("en", Shape::Line),
    must("weight", Shape::Int { min: 1, max: 5 }),
    must("critical", Shape::Bool),
    must("advice_zh", Shape::Text),
    must("advice_en", Shape::Text),
    may("photo_when_problem", Shape::Bool),
]);

/// The kind.
pub const SPEC: KindSpec = KindSpec {
    paths: &[
        PathSpec::new("code", Shape::Name, TOWN, "which list of questions").required().immutable(),
        PathSpec::new("version", Shape::Int { min: 1, max: 1_000_000 }, TOWN, "in which wording")
            .required()
            .immutable(),
        PathSpec::new("title_zh", Shape::Line, TOWN, "its name").required(),
        PathSpec::new("title_en", Shape::Line, TOWN, "its name").required(),
        PathSpec::new("purpose", Shape::Line, TOWN, "why it is asked").required(),
        PathSpec::new("basis", Shape::Line, TOWN, "the legal basis").required(),
        PathSpec::new("retention", Shape::Line, TOWN, "how long answers are kept").required(),
        PathSpec::new("items", Shape::List(&ITEM), TOWN, "questions about the dwelling").required(),
        deletion_by(TOWN),
    ],
    basis: "direction of the town's own duty",
    retention: "while checks refer to it",
    start: "",
    steps: &[],
};

/// One question about the dwelling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Key of the answer: one segment of a path.
    pub key: String,
    /// What is looked for, as a problem: "gas hose aged or over 2 m".
    pub zh: String,
    pub en: String,
    /// 1 to 5.
    pub weight: i64,
    /// A problem here alone makes the risk high.
    pub critical: bool,
    /// What to do about it, in words for the household.
    pub advice_zh: String,
    pub advice_en: String,
    pub photo_when_problem: bool,
}

/// A template as a check uses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    pub code: String,
    pub version: i64,
    pub title_zh: String,
    pub title_en: String,
    pub items: Vec<Item>,
}

/// A template that no check can use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTemplate {
    #[error("the template has no `{0}`, or it is not of its shape")]
    Register(&'static str),
    #[error("item {0} is not of its shape")]
    Item(usize),
    #[error("`{0}` cannot be the key of an answer")]
    Key(String),
    #[error("two items have the key `{0}`")]
    KeyTwice(String),
}

impl Template {
    /// Reads the registers of a `template` record, as shown.
    pub fn of(record: &Record) -> Result<Self, BadTemplate> {
        let text =
            |path| record.shown_text(path).map(str::to_owned).ok_or(BadTemplate::Register(path));
        let version = record.shown("version").and_then(Value::as_int);
        let items = record.shown("items").and_then(Value::as_list);
        let items = items.ok_or(BadTemplate::Register("items"))?.iter().enumerate();
        let items: Result<Vec<Item>, BadTemplate> =
            items.map(|(at, value)| Item::of(value).ok_or(BadTemplate::Item(at + 1))).collect();
        let template = Self {
            code: text("code")?,
            version: version.ok_or(BadTemplate::Register("version"))?,
            title_zh: text("title_zh")?,
            title_en: text("title_en")?,
            items: items?,
        };
        template.check_keys()?;
        Ok(template)
    }

    fn check_keys(&self) -> Result<(), BadTemplate> {
        let mut seen = BTreeSet::new();
        for Item { key, .. } in &self.items {
            if key.contains('.') || FieldPath::element("answers", key).is_err() {
                return Err(BadTemplate::Key(key.clone()));
            }
            if !seen.insert(key) {
                return Err(BadTemplate::KeyTwice(key.clone()));
            }
        }
        Ok(())
    }
}

impl Item {
    /// Reads an element of the register `items`.
    pub fn of(value: &Value) -> Option<Self> {
        let text = |key| value.get(key)?.as_text().map(str::to_owned);
        let weight = value.get("weight")?.as_int().filter(|weight| (1..=5).contains(weight))?;
        Some(Self {
            key: text("key")?,
            zh: text("zh")?,
            en: text("en")?,
            weight,
            critical: value.get("critical")?.as_bool()?,
            advice_zh: text("advice_zh")?,
            advice_en: text("advice_en")?,
            photo_when_problem: value
                .get("photo_when_problem")
                .and_then(Value::as_bool)
                .unwrap_or(false),
        })
    }

    /// The element of the register `items`.
    pub fn to_value(&self) -> Value {
        Value::map([
            ("key", Value::text(&self.key)),
            ("zh", Value::text(&self.zh)),
            ("en", Value::text(&self.en)),
            ("weight", Value::Int(self.weight)),
            ("critical", Value::Bool(self.critical)),
            ("advice_zh", Value::text(&self.advice_zh)),
            ("advice_en", Value::text(&self.advice_en)),
            ("photo_when_problem", Value::Bool(self.photo_when_problem)),
        ])
    }
}
