//! Templates of household checks, as an administrator designs them: what is wrong with a draft, and the
//! publication of a new version. Phones take the newest.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use yaoguan_exchange::forbidden;
use yaoguan_model::limits::{MAX_LINE_CHARS, MAX_NAME_CHARS, MAX_TEXT_CHARS};
use yaoguan_model::template::{Item, Template, builtin};
use yaoguan_model::{AccountId, Change, Env, FieldPath, Kind, Record, Value};

use crate::audit::Attribution;
use crate::error::TownError;
use crate::storage::{OwnWrite, Storage};

/// Questions of one template: more nobody asks at a door.
pub const MAX_ITEMS: usize = 60;

/// A template as it is designed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Draft {
    pub title_zh: String,
    pub title_en: String,
    /// Why it is asked, on which legal basis, how long answers are kept: none is published without.
    pub purpose: String,
    pub basis: String,
    pub retention: String,
    pub items: Vec<DraftItem>,
}

/// One question about the dwelling.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DraftItem {
    /// Keeps its meaning from version to version.
    pub key: String,
    pub zh: String,
    pub en: String,
    pub weight: i64,
    pub critical: bool,
    pub advice_zh: String,
    pub advice_en: String,
    #[serde(default)]
    pub photo_when_problem: bool,
}

/// What is wrong with a draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Trouble {
    /// From 1; 0: of the template as a whole.
    pub item: usize,
    pub field: &'static str,
    /// `missing`, `too_long`, `forbidden`, `key`, `key_twice`, `weight`, `no_items`, `too_many`.
    pub code: &'static str,
    /// With `forbidden`: the word.
    pub value: String,
}

impl Draft {
    /// The draft that a published version was.
    pub fn of(record: &Record) -> Option<(i64, Self)> {
        let template = Template::of(record).ok()?;
        let text = |path| record.shown_text(path).unwrap_or_default().to_owned();
        let draft = Self {
            title_zh: template.title_zh,
            title_en: template.title_en,
            purpose: text("purpose"),
            basis: text("basis"),
            retention: text("retention"),
            items: template.items.into_iter().map(DraftItem::of).collect(),
        };
        Some((template.version, draft))
    }

    /// Everything that keeps it from being published.
    pub fn troubles(&self) -> Vec<Trouble> {
        let mut found = Vec::new();
        let mut say = |item, field, code, value: &str| {
            found.push(Trouble { item, field, code, value: value.to_owned() });
        };
        let Self { title_zh, title_en, purpose, basis, retention, items } = self;
        for (field, text) in [
            ("title_zh", title_zh),
            ("title_en", title_en),
            ("purpose", purpose),
            ("basis", basis),
            ("retention", retention),
        ] {
            line(text, MAX_LINE_CHARS, |code| say(0, field, code, ""));
        }
        for (field, text) in [("title_zh", title_zh), ("title_en", title_en)] {
            if let Some(word) = forbidden(text) {
                say(0, field, "forbidden", word);
            }
        }
        match items.len() {
            0 => say(0, "items", "no_items", ""),
            n if n > MAX_ITEMS => say(0, "items", "too_many", ""),
            _ => {}
        }
        let mut keys = BTreeSet::new();
        for (number, item) in (1..).zip(items) {
            item.troubles(|field, code, value| say(number, field, code, value));
            if !keys.insert(&item.key) {
                say(number, "key", "key_twice", "");
            }
        }
        found
    }

    fn registers(&self, version: i64) -> [(&'static str, Value); 8] {
        let items = self.items.iter().map(|item| item.clone().into_item().to_value()).collect();
        [
            ("code", Value::text(builtin::CODE)),
            ("version", Value::Int(version)),
            ("title_zh", Value::text(self.title_zh.trim())),
            ("title_en", Value::text(self.title_en.trim())),
            ("purpose", Value::text(self.purpose.trim())),
            ("basis", Value::text(self.basis.trim())),
            ("retention", Value::text(self.retention.trim())),
            ("items", Value::List(items)),
        ]
    }
}

fn line(text: &str, max_chars: usize, mut say: impl FnMut(&'static str)) {
    if text.trim().is_empty() {
        say("missing");
    } else if text.chars().count() > max_chars || text.contains('\n') {
        say("too_long");
    }
}

impl DraftItem {
    fn of(item: Item) -> Self {
        let Item { key, zh, en, weight, critical, advice_zh, advice_en, photo_when_problem } = item;
        Self { key, zh, en, weight, critical, advice_zh, advice_en, photo_when_problem }
    }

    fn into_item(self) -> Item {
        let Self { key, zh, en, weight, critical, advice_zh, advice_en, photo_when_problem } = self;
        let trimmed = |text: String| text.trim().to_owned();
        Item {
            key,
            zh: trimmed(zh),
            en: trimmed(en),
            weight,
            critical,
            advice_zh: trimmed(advice_zh),
            advice_en: trimmed(advice_en),
            photo_when_problem,
        }
    }

    fn troubles(&self, mut say: impl FnMut(&'static str, &'static str, &str)) {
        let as_path = FieldPath::element("answers", &self.key);
        let fits = self.key.chars().count() <= MAX_NAME_CHARS && !self.key.contains('.');
        if as_path.is_err() || !fits {
            say("key", "key", "");
        }
        for (field, text) in [("zh", &self.zh), ("en", &self.en)] {
            line(text, MAX_LINE_CHARS, |code| say(field, code, ""));
        }
        for (field, text) in [("advice_zh", &self.advice_zh), ("advice_en", &self.advice_en)] {
            match text.trim().is_empty() {
                true => say(field, "missing", ""),
                false if text.chars().count() > MAX_TEXT_CHARS => say(field, "too_long", ""),
                false => {}
            }
        }
        if !(1..=5).contains(&self.weight) {
            say("weight", "weight", "");
        }
        // What may not be recorded of people is not asked either (privacy.md).
        for (field, text) in [("key", &self.key), ("zh", &self.zh), ("en", &self.en)] {
            if let Some(word) = forbidden(text) {
                say(field, "forbidden", word);
            }
        }
    }
}

/// The versions that were published, newest first.
pub async fn published(storage: &dyn Storage) -> Result<Vec<(i64, Draft)>, TownError> {
    let records = storage.records(Kind::Template).await?;
    let ours = records.iter().filter(|r| r.shown_text("code") == Some(builtin::CODE));
    let mut all: Vec<(i64, Draft)> = ours.filter_map(Draft::of).collect();
    all.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    Ok(all)
}

/// Publishes a draft without troubles as the next version; returns its number.
pub async fn publish(
    storage: &dyn Storage,
    env: &dyn Env,
    (draft, author): (&Draft, AccountId),
    done: Attribution,
) -> Result<i64, TownError> {
    let last = published(storage).await?.first().map_or(builtin::VERSION, |(version, _)| *version);
    let version = last + 1;
    let mut changes = BTreeMap::new();
    for (path, value) in draft.registers(version) {
        let path: FieldPath =
            path.parse().map_err(|_| TownError::Corrupt("a template's path".to_owned()))?;
        changes.insert(path, Change { replaces: Vec::new(), value: Some(value) });
    }
    let write = OwnWrite { id: env.new_record_id(), kind: Kind::Template, author, changes };
    storage.write_own(vec![write], done).await?;
    Ok(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builtin_draft() -> Draft {
        let text = |text: &str| text.to_owned();
        Draft {
            title_zh: text("家庭安全检查"),
            title_en: text("Home safety check"),
            purpose: text("find dangers"),
            basis: text("Fire Protection Law"),
            retention: text("2 years"),
            items: builtin::items().into_iter().map(DraftItem::of).collect(),
        }
    }

    #[test]
    fn the_built_in_template_has_no_troubles() {
        let found = builtin_draft().troubles();
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn what_is_wrong_is_named_by_item_and_field() {
        let mut draft = builtin_draft();
        draft.basis = " ".to_owned();
        draft.items[1].zh = "户主民族".to_owned();
        draft.items[2].weight = 6;
        draft.items[4].key = draft.items[3].key.clone();
        draft.items[5].key = "a.b".to_owned();
        let found = draft.troubles();
        let found: Vec<_> = found.iter().map(|t| (t.item, t.field, t.code, &*t.value)).collect();
        let expected = [
            (0, "basis", "missing", ""),
            (2, "zh", "forbidden", "民族"),
            (3, "weight", "weight", ""),
            (5, "key", "key_twice", ""),
            (6, "key", "key", ""),
        ];
        assert_eq!(found, expected);
    }
}
