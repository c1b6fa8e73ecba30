//! The settings as flags of the command line, made from the table.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Arg, ArgMatches, Args, Command, Error, FromArgMatches};

use super::table::{Form, Setting, TABLE};

/// What was given, by the name of the setting.
pub type Given = BTreeMap<&'static str, String>;

/// Settings that every command takes, and where their file is.
#[derive(Debug, Default)]
pub struct Everywhere {
    pub config: Option<PathBuf>,
    pub given: Given,
}

/// Settings of the commands that serve, or look at how it is served.
#[derive(Debug, Default)]
pub struct Serving {
    pub given: Given,
}

fn argument(setting: &'static Setting) -> Arg {
    let form = setting.form;
    let parse = move |text: &str| match form.holds(text) {
        true => Ok(text.to_owned()),
        false => Err(form.placeholder()),
    };
    let arg = Arg::new(setting.name).long(setting.flag()).value_name(form.placeholder());
    let arg = arg.global(setting.everywhere).value_parser(parse);
    match form {
        Form::Switch => arg.num_args(0..=1).require_equals(true).default_missing_value("true"),
        Form::Path | Form::Address | Form::Url | Form::Database | Form::TimeOfDay => arg,
        Form::Count { .. } | Form::Name | Form::Filter => arg,
    }
}

fn of(everywhere: bool) -> impl Iterator<Item = &'static Setting> {
    TABLE.iter().filter(move |setting| setting.everywhere == everywhere)
}

fn given(matches: &ArgMatches, everywhere: bool) -> Given {
    let value = |setting: &'static Setting| {
        let text = matches.try_get_one::<String>(setting.name).ok().flatten()?;
        Some((setting.name, text.clone()))
    };
    of(everywhere).filter_map(value).collect()
}

impl FromArgMatches for Everywhere {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let config = matches.try_get_one::<PathBuf>("config").ok().flatten().cloned();
        Ok(Self { config, given: given(matches, true) })
    }
    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Everywhere {
    fn augment_args(command: Command) -> Command {
        let config = Arg::new("config").long("config").value_name("FILE").global(true);
        let config = config.value_parser(clap::value_parser!(PathBuf));
        command.args(of(true).map(argument)).arg(config)
    }
    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Serving {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        Ok(Self { given: given(matches, false) })
    }
    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Serving {
    fn augment_args(command: Command) -> Command {
        command.args(of(false).map(argument))
    }
    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}
