//! Help texts: each command and argument takes its words from the locale file, by its path
//! (`sync`, `sync.json`, `import.hazards.mapping`).

use clap::{Arg, ArgAction, Command};

use crate::town::settings;
use crate::words::Words;

/// Gives a command and all below it their words. What clap would say by itself in English (headings,
/// the help of `--help`, defaults, possible values) is said by the locale file or not at all.
pub fn localised(command: Command, words: &Words) -> Command {
    let name = command.get_name().to_owned();
    let mut command = describe(command, words, &name);
    command.build();
    with_usage(command, words)
}

fn describe(command: Command, words: &Words, path: &str) -> Command {
    let say = |key: &str| words.say("help", key, &[]);
    let about = words.find("help", path).unwrap_or_default().to_owned();
    let mut command = with_flags(command)
        .about(about)
        .help_template(say("template"))
        .disable_help_subcommand(true)
        .subcommand_help_heading(say("commands"))
        .subcommand_value_name(say("command"));
    let arguments: Vec<String> = command.get_arguments().map(|a| a.get_id().to_string()).collect();
    for argument in arguments {
        let text = argument_help(words, path, &argument);
        command = command.mut_arg(argument, |arg: Arg| {
            let heading = if arg.is_positional() { "arguments" } else { "options" };
            let takes_value = arg.get_action().takes_values();
            let arg = arg.help(text).help_heading(say(heading)).hide_env(true);
            arg.hide_default_value(takes_value).hide_possible_values(takes_value)
        });
    }
    let children: Vec<String> =
        command.get_subcommands().map(|c| c.get_name().to_owned()).collect();
    for child in children {
        let below = format!("{path}.{child}");
        command = command.mut_subcommand(child, |sub| describe(sub, words, &below));
    }
    command
}

/// `--help` and, where there is a version, `--version`, as arguments that can be given words.
fn with_flags(command: Command) -> Command {
    let has_version = command.get_version().is_some();
    let help = Arg::new("help").short('h').long("help").action(ArgAction::Help);
    let command = command.disable_help_flag(true).disable_version_flag(true).arg(help);
    if !has_version {
        return command;
    }
    command.arg(Arg::new("version").short('V').long("version").action(ArgAction::Version))
}

/// The usage line of a built command, with the one word in it that clap gives no setting for.
fn with_usage(mut command: Command, words: &Words) -> Command {
    let options = format!("[{}]", words.say("help", "options", &[]));
    let usage = command.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").replace("[OPTIONS]", &options);
    let children: Vec<String> =
        command.get_subcommands().map(|c| c.get_name().to_owned()).collect();
    for child in children {
        command = command.mut_subcommand(child, |sub| with_usage(sub, words));
    }
    command.override_usage(usage)
}

/// An argument's own words, or those that are the same everywhere (`json`, `data`).
fn argument_words<'a>(words: &'a Words, path: &str, argument: &str) -> &'a str {
    let own = words.find("help", &format!("{path}.{argument}"));
    own.or_else(|| words.find("help", &format!("any.{argument}"))).unwrap_or_default()
}

/// An argument that is a setting of the town has its words in the table of settings.
fn argument_help(words: &Words, path: &str, argument: &str) -> String {
    let text = argument_words(words, path, argument);
    match settings::table::find(argument) {
        Some(setting) if text.is_empty() => settings::doc::help(words, setting),
        Some(_) | None => text.to_owned(),
    }
}

/// Commands and arguments without words, for the test.
pub fn without_words(command: &Command, words: &Words) -> Vec<String> {
    fn walk(command: &Command, words: &Words, path: &str, missing: &mut Vec<String>) {
        if words.find("help", path).is_none() {
            missing.push(path.to_owned());
        }
        for argument in command.get_arguments() {
            let id = argument.get_id().to_string();
            if !matches!(id.as_str(), "help" | "version")
                && argument_help(words, path, &id).is_empty()
            {
                missing.push(format!("{path}.{id}"));
            }
        }
        for child in command.get_subcommands() {
            walk(child, words, &format!("{path}.{}", child.get_name()), missing);
        }
    }
    let mut missing = Vec::new();
    walk(command, words, command.get_name(), &mut missing);
    missing
}
