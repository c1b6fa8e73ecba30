//! `docs/SETTINGS.md` and the help of flags, from the table and the locale files.

use super::table::{Form, Setting, TABLE};
use crate::words::Words;

/// What a value looks like, in words.
pub fn form_words(words: &Words, form: Form) -> String {
    let (min, max) = match form {
        Form::Count { min, max } => (min.to_string(), max.to_string()),
        Form::Path | Form::Address | Form::Url | Form::Database => Default::default(),
        Form::Switch | Form::TimeOfDay | Form::Name | Form::Filter => Default::default(),
    };
    words.say("setting_form", form.key(), &[("min", &min), ("max", &max)])
}

/// The help of a flag: what it means, its default, its variable.
pub fn help(words: &Words, setting: &Setting) -> String {
    let meaning = words.say("setting", setting.name, &[]);
    let key = if setting.default.is_empty() { "setting_help_bare" } else { "setting_help" };
    let env = setting.env();
    words.say("say", key, &[("meaning", &meaning), ("default", setting.default), ("env", &env)])
}

/// The whole page.
pub fn page() -> String {
    let mut page = String::from(HEAD);
    let (zh, en) = (Words::of("zh"), Words::of("en"));
    for (title, words) in [("## English", &en), ("## 中文", &zh)] {
        let say = |key: &str| words.say("setting_doc", key, &[]);
        let names = ["name", "flag", "env", "form", "default", "meaning"].map(say);
        page.push_str(&format!(
            "\n{title}\n\n{}\n\n| {} |\n|---|---|---|---|---|---|\n",
            say("order"),
            names.join(" | ")
        ));
        for setting in TABLE {
            let default = match setting.default {
                "" => String::new(),
                default => format!("`{default}`"),
            };
            page.push_str(&format!(
                "| `{}` | `--{}` | `{}` | {} | {default} | {} |\n",
                setting.name,
                setting.flag(),
                setting.env(),
                form_words(words, setting.form),
                words.say("setting", setting.name, &[]),
            ));
        }
    }
    page
}

const HEAD: &str = "# Settings of the town\n\n\
<!-- Generated from crates/cli/src/town/settings/table.rs: \
UPDATE_DOCS=1 cargo test -p yaoguan-cli settings -->\n";
