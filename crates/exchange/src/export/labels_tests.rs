//! The label tables are complete and hold nothing that no export uses.

use std::collections::BTreeSet;

use yaoguan_model::Kind;
use yaoguan_model::schema::Shape;

use super::{Lang, column_label, columns, word_label};

/// Every enumeration inside a shape: (key, word).
fn words(key: &str, shape: Shape, found: &mut BTreeSet<(String, &'static str)>) {
    match shape {
        Shape::Word(words) => found.extend(words.iter().map(|word| (key.to_owned(), *word))),
        Shape::List(of) => words(key, *of, found),
        Shape::Object(entries) => {
            for entry in entries {
                words(&format!("{key}.{}", entry.name), entry.shape, found);
            }
        }
        Shape::Position => {
            let sources = yaoguan_model::position::SOURCES.iter();
            found.extend(sources.map(|word| (format!("{key}.source"), *word)));
        }
        Shape::Text
        | Shape::Line
        | Shape::Name
        | Shape::Int { .. }
        | Shape::Bool
        | Shape::Time
        | Shape::Date
        | Shape::Grid
        | Shape::Record
        | Shape::Account
        | Shape::Hash
        | Shape::Context => {}
    }
}

#[test]
fn every_column_path_and_word_has_a_label_in_both_languages() {
    let mut missing = BTreeSet::new();
    for kind in Kind::ALL {
        let spec = kind.spec().unwrap();
        let mut keys: BTreeSet<String> = columns(&kind).into_iter().map(|c| c.key).collect();
        let mut all_words = BTreeSet::new();
        for line in spec.paths {
            let path = line.path.strip_suffix(".*").unwrap_or(line.path);
            keys.insert(path.strip_suffix("_cm").map_or(path.into(), |p| format!("{p}_m")));
            words(path, line.shape, &mut all_words);
        }
        for lang in [Lang::Zh, Lang::En] {
            for key in &keys {
                if column_label(lang, &kind, key).is_none_or(str::is_empty) {
                    missing.insert(format!("{lang:?} columns.{kind} {key}"));
                }
            }
            for (key, word) in &all_words {
                if word_label(lang, &kind, key, word).is_none_or(str::is_empty) {
                    missing.insert(format!("{lang:?} words.{kind} {key} {word}"));
                }
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn labels_differ_between_languages() {
    let hazard = Kind::Hazard;
    assert_eq!(column_label(Lang::Zh, &hazard, "category"), Some("类别"));
    assert_eq!(column_label(Lang::En, &hazard, "category"), Some("Category"));
    assert_eq!(word_label(Lang::Zh, &hazard, "category", "slope"), Some("滑坡崩塌"));
}

#[test]
fn headers_of_a_kind_are_all_different() {
    for kind in Kind::ALL {
        for lang in [Lang::Zh, Lang::En] {
            let mut seen = BTreeSet::new();
            for column in columns(&kind) {
                let label = column_label(lang, &kind, &column.key).unwrap();
                assert!(seen.insert(label), "{kind}: {label}");
            }
        }
    }
}
