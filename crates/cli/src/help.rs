//! Help texts: each command and argument takes its words from the locale file, by its path
//! (`sync`, `sync.json`, `import.hazards.mapping`).

use clap::{Arg, Command};

use crate::words::Words;

/// Gives a command and all below it their words.
pub fn localised(command: Command, words: &Words) -> Command {
    let name = command.get_name().to_owned();
    let command = describe(command, words, &name);
    let template = words.say("help", "template", &[]);
    command.help_template(template)
}

fn describe(command: Command, words: &Words, path: &str) -> Command {
    let about = words.find("help", path).unwrap_or_default().to_owned();
    let mut command = command.about(about).disable_help_subcommand(true);
    let arguments: Vec<String> = command.get_arguments().map(|a| a.get_id().to_string()).collect();
    for argument in arguments {
        let text = argument_words(words, path, &argument).to_owned();
        let heading = words.say("help", "options", &[]);
        command = command.mut_arg(argument, |arg: Arg| {
            let arg = arg.help(text);
            if arg.is_positional() { arg } else { arg.help_heading(heading) }
        });
    }
    let children: Vec<String> =
        command.get_subcommands().map(|c| c.get_name().to_owned()).collect();
    for child in children {
        let below = format!("{path}.{child}");
        command = command.mut_subcommand(child, |sub| {
            describe(sub, words, &below).help_template(words.say("help", "template", &[]))
        });
    }
    command
}

/// An argument's own words, or those that are the same everywhere (`json`, `data`).
fn argument_words<'a>(words: &'a Words, path: &str, argument: &str) -> &'a str {
    let own = words.find("help", &format!("{path}.{argument}"));
    own.or_else(|| words.find("help", &format!("any.{argument}"))).unwrap_or_default()
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
                && argument_words(words, path, &id).is_empty()
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
