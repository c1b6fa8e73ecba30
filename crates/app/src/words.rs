//! Words that the app says outside its screens; a test holds both languages complete.

use serde::Deserialize;

const ZH: &str = include_str!("../locales/zh.toml");
const EN: &str = include_str!("../locales/en.toml");

/// One language's words.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    pub name: String,
    pub returned: String,
    pub assigned: String,
    pub tasks: String,
    /// Another app has the data folder.
    pub taken: String,
}

impl Words {
    /// `en`, and Chinese for anything else.
    pub fn of(lang: &str) -> Self {
        toml::from_str(if lang == "en" { EN } else { ZH }).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_everything() {
        for text in [ZH, EN] {
            let words: Words = toml::from_str(text).unwrap();
            for counted in [words.returned, words.assigned, words.tasks] {
                assert!(counted.contains("{n}"), "{counted}");
            }
        }
    }
}
