//! A phone: a data folder, and `yaoguan` run on it.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::program::{Ran, command};

/// One phone of one person.
#[derive(Debug, Clone)]
pub(crate) struct Phone {
    pub(crate) data: PathBuf,
}

impl Phone {
    pub(crate) fn at(data: &Path) -> Self {
        Self { data: data.to_owned() }
    }

    /// A file beside the data folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        let own = self.data.file_name().unwrap().to_str().unwrap();
        self.data.with_file_name(format!("{own}-{name}"))
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command("yaoguan", self.data.parent().unwrap());
        command.arg("--data").arg(&self.data).args(arguments);
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = self.command(arguments);
        command.arg("--json");
        Ran::of(command)
    }

    /// As a person runs it: text, in this language.
    pub(crate) fn say(&self, lang: &str, arguments: &[&str]) -> Ran {
        let mut command = self.command(arguments);
        command.args(["--lang", lang]);
        Ran::of(command)
    }

    /// A command that does its work.
    pub(crate) fn ok(&self, arguments: &[&str]) -> Value {
        self.run(arguments).done()
    }

    /// The code of a command that is refused.
    pub(crate) fn refused(&self, arguments: &[&str]) -> String {
        self.run(arguments).error()["code"].as_str().unwrap().to_owned()
    }

    pub(crate) fn add(&self, kind: &str, sets: &[&str]) -> String {
        let mut arguments = vec!["add", kind];
        arguments.extend(sets.iter().flat_map(|set| ["--set", set]));
        self.ok(&arguments)["id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn edit(&self, id: &str, set: &str) {
        self.ok(&["edit", id, "--set", set]);
    }

    pub(crate) fn show(&self, id: &str) -> Value {
        self.ok(&["show", id])
    }

    pub(crate) fn status(&self) -> Value {
        self.ok(&["status"])
    }

    /// Live hazards on this phone.
    pub(crate) fn hazards(&self) -> u64 {
        self.status()["records"]["hazard"].as_u64().unwrap_or(0)
    }

    /// A sync after which nothing waits.
    pub(crate) fn sync(&self) -> Value {
        let summary = self.ok(&["sync"]);
        assert_eq!((&summary["pending"], &summary["more"]), (&0.into(), &false.into()));
        summary
    }

    pub(crate) fn assert_sound(&self) {
        let verified = self.ok(&["verify"]);
        assert_eq!(verified["ok"], true, "{verified}");
        assert_eq!(self.status()["alarms"], 0);
    }

    /// The bytes of an export.
    pub(crate) fn export(&self, kind: &str, format: &str) -> Vec<u8> {
        let file = self.file(&format!("{kind}.{format}"));
        self.ok(&["export", kind, "--format", format, "--out", file.to_str().unwrap()]);
        std::fs::read(file).unwrap()
    }

    /// Everything that a person could see of this phone, to tell whether a command changed anything.
    pub(crate) fn all(&self) -> Vec<Value> {
        let kinds = ["hazards", "patrols", "households", "checks", "tasks", "notices"];
        let mut all: Vec<Value> =
            kinds.iter().map(|kind| self.ok(&["list", kind, "--deleted"])).collect();
        all.push(self.status());
        all.push(self.ok(&["quarantine", "list"]));
        all
    }
}

/// Phones sync one after the other.
pub(crate) fn sync_each(phones: &[&Phone]) {
    for phone in phones {
        phone.sync();
    }
}
