//! The words of both languages, from the locale files.

use std::collections::BTreeMap;
use std::ffi::OsString;

/// A language and its words.
#[derive(Debug, Clone)]
pub struct Words {
    /// `zh` or `en`.
    pub lang: &'static str,
    table: BTreeMap<String, BTreeMap<String, String>>,
}

const EN: &str = include_str!("../locales/en.toml");
const ZH: &str = include_str!("../locales/zh.toml");

impl Words {
    pub fn of(lang: &'static str) -> Self {
        let text = if lang == "zh" { ZH } else { EN };
        Self { lang, table: toml::from_str(text).unwrap_or_default() }
    }

    /// The language asked for: `--lang`, else the environment, else English.
    pub fn from_arguments(arguments: &[OsString]) -> Self {
        let texts: Vec<&str> = arguments.iter().filter_map(|argument| argument.to_str()).collect();
        let flag = texts.iter().zip(texts.iter().skip(1)).find(|(flag, _)| **flag == "--lang");
        let joined = texts.iter().find_map(|text| text.strip_prefix("--lang="));
        let named = flag.map(|(_, value)| *value).or(joined).map(str::to_owned);
        let variables = ["YAOGUAN_LANG", "LC_ALL", "LC_MESSAGES", "LANG"];
        let set =
            variables.iter().find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
        let lang = named.or(set).unwrap_or_default();
        Self::of(if lang.starts_with("zh") { "zh" } else { "en" })
    }

    /// The words under `section` and `key`; none when the locale file lacks them.
    pub fn find(&self, section: &str, key: &str) -> Option<&str> {
        self.table.get(section)?.get(key).map(String::as_str)
    }

    /// The words with their `{name}`s filled in; the key itself when the locale file lacks it.
    pub fn say(&self, section: &str, key: &str, values: &[(&str, &str)]) -> String {
        let mut text = self.find(section, key).unwrap_or(key).to_owned();
        for (name, value) in values {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        text
    }

    /// Every key, for the test that both languages have the same.
    pub fn keys(&self) -> Vec<(String, String)> {
        let sections = self.table.iter();
        sections.flat_map(|(s, keys)| keys.keys().map(move |k| (s.clone(), k.clone()))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_have_the_same_keys() {
        let (en, zh) = (Words::of("en"), Words::of("zh"));
        assert!(en.keys().len() > 50, "the locale file is read");
        assert_eq!(en.keys(), zh.keys());
    }

    #[test]
    fn both_languages_have_the_same_placeholders() {
        let names = |text: &str| {
            let mut names: Vec<String> = text
                .split('{')
                .skip(1)
                .filter_map(|t| Some(t.split_once('}')?.0.to_owned()))
                .collect();
            names.sort();
            names
        };
        let (en, zh) = (Words::of("en"), Words::of("zh"));
        for (section, key) in en.keys() {
            let (a, b) = (en.find(&section, &key).unwrap(), zh.find(&section, &key).unwrap());
            if section != "help" && section != "error" {
                assert_eq!(names(a), names(b), "{section}.{key}");
            }
        }
    }
}
