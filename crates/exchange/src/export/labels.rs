//! Words for people: the name of every column and of every word of an enumeration, in Chinese and in
//! English. The tables are `locales/zh.toml` and `locales/en.toml`; a test holds them complete.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use yaoguan_model::Kind;

/// The language of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lang {
    Zh,
    En,
}

/// `columns.<kind>.<key>` and `words.<kind>.<key>.<word>`; `any` holds what every kind shares.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Labels {
    columns: BTreeMap<String, BTreeMap<String, String>>,
    words: BTreeMap<String, BTreeMap<String, BTreeMap<String, String>>>,
}

static ZH: LazyLock<Labels> = LazyLock::new(|| parsed(include_str!("../../locales/zh.toml")));
static EN: LazyLock<Labels> = LazyLock::new(|| parsed(include_str!("../../locales/en.toml")));

/// The tables are part of the program; a test reads them.
fn parsed(text: &str) -> Labels {
    toml::from_str(text).unwrap_or_default()
}

fn labels(lang: Lang) -> &'static Labels {
    match lang {
        Lang::Zh => &ZH,
        Lang::En => &EN,
    }
}

/// The name of a column or path of a kind; `None` when the table lacks it.
pub fn column_label(lang: Lang, kind: &Kind, key: &str) -> Option<&'static str> {
    let tables = &labels(lang).columns;
    let of = |table: &str| tables.get(table)?.get(key).map(String::as_str);
    of(kind.as_str()).or_else(|| of("any"))
}

/// The label of a word of an enumeration; `None` when the table lacks it.
pub fn word_label(lang: Lang, kind: &Kind, key: &str, word: &str) -> Option<&'static str> {
    let tables = &labels(lang).words;
    let of = |table: &str| tables.get(table)?.get(key)?.get(word).map(String::as_str);
    of(kind.as_str()).or_else(|| of("any"))
}
