//! Usage: exit code 2 and nothing on stdout; help in both languages.

use std::path::Path;
use std::process::Command;

use super::has_han;
use crate::program::{Ran, command};

fn ran(program: &str, arguments: &[&str]) -> Ran {
    let mut command: Command = command(program, Path::new("/"));
    command.args(arguments);
    Ran::of(command)
}

#[test]
fn what_is_no_command_ends_with_2() {
    let phone: [&[&str]; 9] = [
        &[],
        &["fly"],
        &["add"],
        &["add", "dragon"],
        &["edit", "not-an-id", "--set", "title=x"],
        &["export", "hazards", "--format", "pdf", "--out", "x"],
        &["sync", "--colour"],
        &["sync", "--lang", "fr"],
        &["import", "hazards", "x.csv"],
    ];
    let town: [&[&str]; 6] = [
        &[],
        &["invite", "--role", "king"],
        &["invite", "--role", "chief", "--grid", "not-a-grid"],
        &["serve", "--listen", "here"],
        &["grids", "burn"],
        &["status", "--lang", "fr"],
    ];
    let phone = phone.map(|arguments| ran("yaoguan", arguments));
    let town = town.map(|arguments| ran("yaoguan-town", arguments));
    for ran in phone.iter().chain(&town) {
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{ran}");
        assert!(!ran.err.is_empty(), "{ran}");
    }
}

/// Every page of help: a program and its commands.
fn pages(program: &str, lang: &str) -> Vec<Ran> {
    let mut open: Vec<Vec<String>> = vec![vec![]];
    let mut pages = Vec::new();
    while let Some(path) = open.pop() {
        let mut arguments: Vec<&str> = path.iter().map(String::as_str).collect();
        arguments.extend(["--help", "--lang", lang]);
        let page = ran(program, &arguments);
        assert_eq!(page.code, Some(0), "{page}");
        let heading = if lang == "zh" { "命令:" } else { "Commands:" };
        let commands = page.out.lines().skip_while(|line| *line != heading).skip(1);
        // Deeper lines go on with a description.
        let named = |line: &&str| !line.starts_with("   ");
        for line in commands.take_while(|line| line.starts_with("  ")).filter(named) {
            let name = line.split_whitespace().next().unwrap();
            open.push([&path[..], &[name.to_owned()]].concat());
        }
        pages.push(page);
    }
    pages
}

#[test]
fn help_is_in_one_language_throughout() {
    for (program, least) in [("yaoguan", 20), ("yaoguan-town", 10)] {
        let english = pages(program, "en");
        assert!(english.len() >= least, "{} pages", english.len());
        for page in &english {
            assert!(!has_han(&page.out), "{}", page.out);
        }
        let chinese = pages(program, "zh");
        assert_eq!(chinese.len(), english.len());
        for page in &chinese {
            for line in page.out.lines().filter(|line| !line.trim().is_empty()) {
                assert!(has_han(line), "no Chinese in `{line}` of:\n{}", page.out);
            }
            for word in ["Print", "Usage", "Options", "OPTIONS", "Commands", "Arguments"] {
                assert!(!page.out.contains(word), "{word} in:\n{}", page.out);
            }
            for word in ["default:", "env:", "possible values:"] {
                assert!(!page.out.contains(word), "{word} in:\n{}", page.out);
            }
        }
    }
}
