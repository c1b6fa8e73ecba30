use std::collections::BTreeMap;

use super::*;
use crate::words::Words;

fn file(text: &str) -> (tempfile::TempDir, Everywhere) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("town.toml");
    std::fs::write(&path, text).unwrap();
    (folder, Everywhere { config: Some(path), given: Given::new() })
}

fn resolved(
    text: &str,
    env: &[(&str, &str)],
    flags: &[(&'static str, &str)],
) -> Result<Settings, Problem> {
    let (_folder, everywhere) = file(text);
    let env: BTreeMap<String, String> =
        env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let given = flags.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Settings::resolve(&everywhere, Some(&Serving { given }), &|name| env.get(name).cloned())
}

#[test]
fn flags_go_before_environment_before_file_before_default() {
    let text = "listen = \"10.0.0.1:1\"\n";
    let env = [("YAOGUAN_TOWN_LISTEN", "10.0.0.2:2")];
    let flag = [("listen", "10.0.0.3:3")];
    let port = |settings: Settings| settings.listen.port();
    assert_eq!(port(resolved(text, &env, &flag).unwrap()), 3);
    assert_eq!(port(resolved(text, &env, &[]).unwrap()), 2);
    assert_eq!(port(resolved(text, &[], &[]).unwrap()), 1);
    assert_eq!(port(resolved("", &[], &[]).unwrap()), 8443);
    // An empty variable is none.
    assert_eq!(port(resolved(text, &[("YAOGUAN_TOWN_LISTEN", "")], &[]).unwrap()), 1);
}

#[test]
fn each_value_says_where_it_comes_from() {
    let settings = resolved(
        "# a comment\nbackup_keep_daily = 3\nbehind_proxy = true\n",
        &[("YAOGUAN_TOWN_DATA", "/srv/town")],
        &[("public", "https://town.example")],
    )
    .unwrap();
    let source =
        |name| settings.all.iter().find(|e| e.setting.name == name).unwrap().source.clone();
    assert!(
        matches!(source("backup_keep_daily"), Source::File(place) if place.ends_with("town.toml:2"))
    );
    assert!(matches!(source("behind_proxy"), Source::File(place) if place.ends_with(":3")));
    assert_eq!(source("data"), Source::Environment);
    assert_eq!(source("public"), Source::Flag);
    assert_eq!(source("log"), Source::Default);
    assert!(settings.behind_proxy);
    assert_eq!(settings.key_file, Path::new("/srv/town.key"));
}

#[test]
fn an_unknown_key_is_refused_by_name_with_its_line() {
    let problem = resolved("data = \"x\"\n\nlissten = \"10.0.0.1:1\"\n", &[], &[]).unwrap_err();
    let Problem::Unknown { place, name } = problem else { panic!("{problem:?}") };
    assert!(place.ends_with("town.toml:3") && name == "lissten", "{place} {name}");
    // A table is no setting either.
    let problem = resolved("[backup]\ndir = \"x\"\n", &[], &[]).unwrap_err();
    assert!(matches!(problem, Problem::Unknown { name, .. } if name == "backup"));
}

#[test]
fn a_value_of_the_wrong_form_is_refused_with_its_place() {
    for (text, line) in [
        ("listen = \"here\"", 1),
        ("\nbehind_proxy = \"yes\"", 2),
        ("backup_at = \"25:00\"", 1),
        ("backup_keep_daily = 0", 1),
        ("backup_keep_daily = -1", 1),
        ("public = \"town.example\"", 1),
        ("public = \"https://town.example/path\"", 1),
        ("data = []", 1),
        ("log = 1.5", 1),
    ] {
        let problem = resolved(text, &[], &[]).unwrap_err();
        let Problem::Value { place, .. } = problem else { panic!("{text}: {problem:?}") };
        assert!(place.ends_with(&format!(":{line}")), "{text}: {place}");
    }
    let problem = resolved("", &[("YAOGUAN_TOWN_BACKUP_AT", "noon")], &[]).unwrap_err();
    assert!(matches!(problem, Problem::Value { place, .. } if place == "YAOGUAN_TOWN_BACKUP_AT"));
}

#[test]
fn a_file_that_is_no_toml_or_not_there_says_so() {
    let problem = resolved("data = \"x\"\nlisten: 3\n", &[], &[]).unwrap_err();
    assert!(matches!(problem, Problem::File { file, .. } if file.ends_with(":2")));
    let everywhere = Everywhere { config: Some("/nowhere/town.toml".into()), given: Given::new() };
    let problem = Settings::resolve(&everywhere, None, &|_| None).unwrap_err();
    assert!(matches!(problem, Problem::File { file, .. } if file == "/nowhere/town.toml"));
}

#[test]
fn every_setting_has_words_and_a_default_of_its_form() {
    for setting in TABLE {
        for words in [Words::of("zh"), Words::of("en")] {
            assert!(words.find("setting", setting.name).is_some(), "{}", setting.name);
            assert!(words.find("setting_form", setting.form.key()).is_some(), "{}", setting.name);
        }
        assert!(
            setting.default.is_empty() || setting.form.holds(setting.default),
            "{}",
            setting.name
        );
    }
}

#[test]
fn the_committed_page_is_the_generated_one() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/SETTINGS.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, doc::page()).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == doc::page(),
        "docs/SETTINGS.md differs from the table; renew it with `UPDATE_DOCS=1 cargo test -p yaoguan-cli settings`"
    );
}

#[test]
fn the_example_of_deploy_holds_only_settings_of_the_table() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/town.toml");
    let everywhere = Everywhere { config: Some(file), given: Given::new() };
    let settings = Settings::resolve(&everywhere, None, &|_| None).unwrap();
    assert_eq!(settings.data, Path::new("/var/lib/yaoguan/town"));
    assert!(settings.backups.is_some());
}
