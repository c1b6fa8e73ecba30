//! docs/RECORDS.md is what the specs generate; the words of the design are those of the code; and
//! nothing that privacy.md forbids has a place in any spec.

// An integration test is a crate of its own: clippy.toml's leave for tests does not reach its helpers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::path::{Path, PathBuf};

use yaoguan_model::schema::{PathSpec, Shape};
use yaoguan_model::template::builtin;
use yaoguan_model::{Kind, hazard, household_check, patrol, schema_doc, task};

fn in_crate(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
fn the_committed_table_is_the_generated_one() {
    let file = in_crate("../../docs/RECORDS.md");
    let generated = schema_doc::records_markdown();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, &generated).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == generated,
        "docs/RECORDS.md differs from the specs; renew it with \
         `UPDATE_DOCS=1 cargo test -p yaoguan-model --test record_table`"
    );
}

/// The design's text on records; `None`, told on stderr, only where its absence is declared.
fn design() -> Option<String> {
    let file = in_crate("../../../shared/design/records.md");
    match std::fs::read_to_string(&file) {
        Ok(text) => Some(text),
        Err(error) if std::env::var("SHARED_OPTIONAL").is_ok_and(|v| v == "1") => {
            eprintln!("skipped 1: {}: {error}", file.display());
            None
        }
        Err(error) => panic!("{}: {error} (SHARED_OPTIONAL=1 skips this)", file.display()),
    }
}

/// What stands between the first `from` after `heading` and the next `to`.
fn between<'a>(text: &'a str, heading: &str, from: &str, to: &str) -> &'a str {
    let (_, rest) = text.split_once(heading).expect(heading);
    let (_, rest) = rest.split_once(from).expect(from);
    rest.split_once(to).expect(to).0
}

/// The words in backquotes, in their order, each once.
fn quoted(text: &str) -> Vec<&str> {
    let mut words: Vec<&str> = Vec::new();
    for word in text.split('`').skip(1).step_by(2) {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words
}

fn sorted<'a>(words: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut words: Vec<&str> = words.into_iter().collect();
    words.sort_unstable();
    words
}

#[test]
fn the_words_of_the_design_are_those_of_the_code() {
    let Some(design) = design() else { return };
    let words = |heading, from, to| quoted(between(&design, heading, from, to));
    assert_eq!(words("**hazard**", "category:", "severity:"), hazard::CATEGORIES);
    assert_eq!(words("**hazard**", "severity:", "title"), hazard::SEVERITIES);
    assert_eq!(words("**patrol**", "team (", "), grid"), patrol::TEAMS);
    assert_eq!(words("**household_check**", "Answer:", "with note"), household_check::ANSWERS);
    assert_eq!(words("**household_check**", "Outcome:", "Advice"), household_check::OUTCOMES);
    assert_eq!(words("**task**", "kind (", "), about"), task::WHAT);
    // The code lists statuses with the least finished first, the design in the order of work.
    let status = words("**hazard**", "Status:", "On-the-spot");
    assert_eq!(sorted(status), sorted(hazard::STATUS.iter().copied()));
    let status = words("**task**", "status (", "), timeline");
    assert_eq!(sorted(status), sorted(task::STATUS.iter().copied()));
}

/// Parts of words that stand for what may not be recorded (privacy.md).
const FORBIDDEN: &[&str] = &[
    "ethnic",
    "nationality",
    "religio",
    "politic",
    "party",
    "petition",
    "id_card",
    "idcard",
    "identity",
    "face",
    "biometric",
    "fingerprint",
    "health",
    "disease",
    "disab",
    "income",
    "financ",
    "bank",
    "employ",
    "marital",
    "married",
    "fertil",
    "pregnan",
    "child",
    "visitor",
    "contacts",
    "score",
    "rank",
    "label",
    "key_person",
    "gender",
    "birth",
];

/// The one category of hazards that is about the public's health, not a person's.
const ALLOWED: &[&str] = &["public_health"];

fn forbidden_in(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    if ALLOWED.contains(&name.as_str()) {
        return None;
    }
    FORBIDDEN.iter().copied().find(|word| name.contains(word))
}

/// Every name that a shape gives: entries of objects and words of enumerations.
fn names(shape: Shape, into: &mut Vec<&'static str>) {
    match shape {
        Shape::Object(entries) => {
            for entry in entries {
                into.push(entry.name);
                names(entry.shape, into);
            }
        }
        Shape::List(of) => names(*of, into),
        Shape::Word(words) => into.extend(words),
        Shape::Text | Shape::Line | Shape::Name | Shape::Int { .. } | Shape::Bool => {}
        Shape::Time | Shape::Date | Shape::Position | Shape::Grid | Shape::Record => {}
        Shape::Account | Shape::Hash | Shape::Context => {}
    }
}

#[test]
fn no_spec_has_a_place_for_what_may_not_be_recorded() {
    for kind in Kind::ALL {
        for PathSpec { path, shape, .. } in kind.spec().unwrap().paths {
            let mut all = vec![*path];
            names(*shape, &mut all);
            for name in all {
                assert_eq!(forbidden_in(name), None, "{kind}: {path}: {name}");
            }
        }
    }
    for item in builtin::items() {
        assert_eq!(forbidden_in(&item.key), None, "{}", item.key);
    }
}

#[test]
fn the_privacy_check_finds_what_it_is_for() {
    for name in ["ethnicity", "Religion", "party_member", "id_card_no", "health", "risk_score"] {
        assert!(forbidden_in(name).is_some(), "{name}");
    }
    assert_eq!(forbidden_in("public_health"), None);
    assert_eq!(forbidden_in("public_health_of_person"), Some("health"));
}

#[test]
fn every_register_says_why_it_is_kept_and_every_kind_on_what_basis() {
    for kind in Kind::ALL {
        let spec = kind.spec().unwrap();
        assert!(!spec.basis.is_empty() && !spec.retention.is_empty(), "{kind}");
        for path in spec.paths {
            assert!(!path.purpose.is_empty() && !path.writers.is_empty(), "{kind}: {}", path.path);
        }
    }
}
