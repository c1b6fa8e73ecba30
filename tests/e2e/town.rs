//! A town: a data folder, its server process, and the phones that it enrolled.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::phone::Phone;
use crate::program::{Ran, command, ends_within, signal};

/// Requests under way get 20 s; a town without any stops much sooner.
const STOPS_WITHIN: Duration = Duration::from_secs(10);

/// A demo town in a folder of its own; phones live beside it.
pub(crate) struct Town {
    pub(crate) folder: TempDir,
    server: Option<Child>,
    pub(crate) url: String,
    pub(crate) fingerprint: String,
    /// Flags of every command.
    pub(crate) flags: Vec<String>,
}

impl Drop for Town {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            _ = server.kill();
            _ = server.wait();
        }
    }
}

impl Town {
    /// A new demo town that does not serve yet.
    pub(crate) fn demo() -> Self {
        let town = Self::within(tempfile::tempdir().unwrap());
        let made = town.ok(&["init", "--demo"]);
        assert_eq!((&made["grids"], &made["chiefs"]), (&91.into(), &910.into()));
        town
    }

    /// What lies in this folder; it does not serve yet.
    pub(crate) fn within(folder: TempDir) -> Self {
        let (url, fingerprint) = (String::new(), String::new());
        Self { folder, server: None, url, fingerprint, flags: Vec::new() }
    }

    /// A demo town that serves on a port of the system's choice.
    pub(crate) fn serving() -> Self {
        let mut town = Self::demo();
        town.serve("127.0.0.1:0");
        town
    }

    /// The same town and phones at another place: another future of the same past.
    pub(crate) fn copied(&self) -> Self {
        assert!(self.server.is_none(), "a running database is not copied");
        let folder = tempfile::tempdir().unwrap();
        copy(self.folder.path(), folder.path());
        let (url, fingerprint) = (self.url.clone(), self.fingerprint.clone());
        Self { folder, server: None, url, fingerprint, flags: self.flags.clone() }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("town")
    }

    fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = command("yaoguan-town", self.folder.path());
        command.arg("--data").arg(self.data()).args(&self.flags).args(arguments);
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = self.command(arguments);
        command.arg("--json");
        Ran::of(command)
    }

    /// A command that reads its standard input.
    pub(crate) fn fed(&self, arguments: &[&str], input: &str) -> Ran {
        let mut command = self.command(arguments);
        command.arg("--json").stdin(Stdio::piped());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
        Ran::ended(format!("{command:?}"), child.wait_with_output().unwrap())
    }

    pub(crate) fn say(&self, lang: &str, arguments: &[&str]) -> Ran {
        let mut command = self.command(arguments);
        command.args(["--lang", lang]);
        Ran::of(command)
    }

    pub(crate) fn ok(&self, arguments: &[&str]) -> Value {
        self.run(arguments).done()
    }

    /// Starts the server and waits for its first line.
    pub(crate) fn serve(&mut self, listen: &str) {
        self.serve_with(listen, &[]);
    }

    pub(crate) fn serve_with(&mut self, listen: &str, more: &[&str]) {
        assert!(self.server.is_none(), "the town serves already");
        let log = self.folder.path().join("town.log");
        let mut command = self.command(&["serve", "--listen", listen]);
        command.args(more);
        let errors = File::options().create(true).append(true).open(&log).unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(errors).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        self.server = Some(child);
        let first: Value = serde_json::from_str(&line).unwrap_or_else(|e| {
            panic!("{e}: {line:?}\n{}", std::fs::read_to_string(&log).unwrap_or_default())
        });
        self.url = first["listening"].as_str().unwrap().to_owned();
        self.fingerprint = first["fingerprint"].as_str().unwrap().to_owned();
    }

    /// Starts the server again on the address that it had.
    pub(crate) fn serve_again(&mut self) {
        let address = self.url.trim_start_matches("https://").to_owned();
        self.serve(&address);
    }

    /// The server's process.
    pub(crate) fn server_id(&self) -> u32 {
        self.server.as_ref().unwrap().id()
    }

    /// SIGTERM; how the server ended.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        let server = self.server.take().unwrap();
        signal("TERM", server.id());
        ends_within(server, STOPS_WITHIN).expect("the town stops within seconds")
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        let mut server = self.server.take().unwrap();
        assert!(server.try_wait().unwrap().is_none(), "the town ended by itself");
        server.kill().unwrap();
        server.wait().unwrap();
    }

    pub(crate) fn invite(&self, role: &str, grid: &str) -> String {
        let invite = self.ok(&["invite", "--role", role, "--grid", grid]);
        invite["uri"].as_str().unwrap().to_owned()
    }

    /// A phone that is not enrolled.
    pub(crate) fn bare_phone(&self, name: &str) -> Phone {
        Phone::at(&self.folder.path().join(name))
    }

    /// The phone of a new person.
    pub(crate) fn phone(&self, name: &str, role: &str, grid: &str) -> Phone {
        let phone = self.bare_phone(name);
        let status = phone.ok(&["enrol", &self.invite(role, grid), "--device-name", name]);
        assert_eq!(status["role"], role);
        phone
    }

    pub(crate) fn hazards(&self) -> u64 {
        self.ok(&["status"])["records"]["hazard"].as_u64().unwrap_or(0)
    }

    pub(crate) fn assert_sound(&self) {
        let verified = self.ok(&["verify"]);
        assert_eq!(verified["ok"], true, "{verified}");
    }
}

pub(crate) fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
