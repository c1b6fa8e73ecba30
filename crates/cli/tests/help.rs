//! Every command and argument of both programs has words in both languages.
//!
//! That this is an integration test of the package also makes `cargo test --workspace` build the two
//! programs before the suite in tests/e2e runs them.

#![allow(clippy::unwrap_used, reason = "a test fails where it stands")]

use clap::{Command, CommandFactory as _};
use yaoguan_cli::help::{localised, without_words};
use yaoguan_cli::words::Words;

fn programs() -> [Command; 2] {
    [yaoguan_cli::phone::Arguments::command(), yaoguan_cli::town::Arguments::command()]
}

#[test]
fn no_command_and_no_argument_is_without_words() {
    for program in programs() {
        for lang in ["en", "zh"] {
            let missing = without_words(&program, &Words::of(lang));
            assert_eq!(missing, Vec::<String>::new(), "{} in {lang}", program.get_name());
        }
    }
}

/// The check itself would notice.
#[test]
fn a_command_without_words_is_named() {
    let [program, _] = programs();
    let more = program.subcommand(Command::new("fly").arg(clap::Arg::new("height")));
    assert_eq!(without_words(&more, &Words::of("en")), ["yaoguan.fly", "yaoguan.fly.height"]);
}

#[test]
fn the_command_lines_are_well_formed() {
    for program in programs() {
        localised(program, &Words::of("zh")).debug_assert();
    }
}
