//! What the doctor says to people, in both languages.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::{Check, State};

type Words = BTreeMap<String, BTreeMap<String, String>>;

static ZH: LazyLock<Words> = LazyLock::new(|| read(include_str!("../../locales/doctor.zh.toml")));
static EN: LazyLock<Words> = LazyLock::new(|| read(include_str!("../../locales/doctor.en.toml")));

fn read(text: &str) -> Words {
    toml::from_str(text).unwrap_or_default()
}

fn words(section: &str, check: &Check, zh: bool) -> String {
    let all = if zh { &*ZH } else { &*EN };
    let found = all.get(section).and_then(|words| words.get(check.found));
    let text = found.map_or(check.found, String::as_str).to_owned();
    check
        .values
        .iter()
        .fold(text, |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}

/// What was found; in Chinese or in English.
pub fn said(check: &Check, zh: bool) -> String {
    words("doctor", check, zh)
}

/// What to do about it, when it is not well.
pub fn remedy(check: &Check, zh: bool) -> Option<String> {
    (check.state != State::Ok).then(|| words("remedy", check, zh))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_have_the_same_keys_and_places() {
        let places = |words: &Words| -> Vec<(String, String, Vec<String>)> {
            let of = |text: &str| {
                let names = text.split('{').skip(1).filter_map(|t| Some(t.split_once('}')?.0));
                let mut names: Vec<String> = names.map(str::to_owned).collect();
                names.sort();
                names
            };
            let all = words.iter().flat_map(|(section, keys)| {
                keys.iter().map(move |(key, text)| (section.clone(), key.clone(), of(text)))
            });
            all.collect()
        };
        assert!(EN.len() == 2, "both sections are read");
        assert_eq!(places(&ZH), places(&EN));
    }
}
