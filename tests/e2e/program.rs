//! One run of a program: what was asked, how it ended, what it said.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// A program of this build, beside the test's own executable (`target/<profile>/deps/…`).
pub(crate) fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().and_then(Path::parent).unwrap().join(name);
    assert!(path.exists(), "{} is missing: run `cargo build --bins`", path.display());
    path
}

/// A program in an empty environment: no language, no folder of the person who runs the test.
pub(crate) fn command(name: &str, home: &Path) -> Command {
    let mut command = Command::new(binary(name));
    let path = std::env::var_os("PATH").unwrap_or_default();
    command.env_clear().env("PATH", path).env("HOME", home).current_dir(home);
    command.stdin(Stdio::null());
    command
}

/// A program that has ended.
#[derive(Debug, Clone)]
pub(crate) struct Ran {
    asked: String,
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { asked, code, out, err } = self;
        // A list of thousands of findings tells no more than its beginning.
        let [out, err] = [out, err].map(|text| text.chars().take(2_000).collect::<String>());
        write!(f, "{asked} ended with {code:?}\n--- stdout\n{out}--- stderr\n{err}")
    }
}

impl Ran {
    pub(crate) fn of(mut command: Command) -> Self {
        let output = command.output().unwrap();
        Self::ended(format!("{command:?}"), output)
    }

    pub(crate) fn ended(asked: String, output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let Output { status, stdout, stderr } = output;
        Self { asked, code: status.code(), out: text(stdout), err: text(stderr) }
    }

    /// The one JSON value on stdout: one line, nothing before it, nothing after it.
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.out.lines().count(), 1, "not one line: {self}");
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("not JSON ({e}): {self}"))
    }

    /// The JSON of a program that did its work.
    pub(crate) fn done(&self) -> Value {
        assert_eq!(self.code, Some(0), "{self}");
        self.json()
    }

    /// The error of a program that refused or failed.
    pub(crate) fn error(&self) -> Value {
        assert_eq!(self.code, Some(1), "{self}");
        let error = self.json()["error"].clone();
        assert!(error["message"].as_str().is_some_and(|words| words.len() > 10), "{self}");
        error
    }
}

/// How a process ended, if it does within the time.
pub(crate) fn ends_within(mut child: Child, limit: Duration) -> Option<ExitStatus> {
    let pid = child.id();
    let (tell, told) = mpsc::channel();
    thread::spawn(move || tell.send(child.wait().unwrap()));
    let status = told.recv_timeout(limit).ok();
    if status.is_none() {
        signal("KILL", pid);
    }
    status
}

/// Sends a signal to a process that this test has started.
pub(crate) fn signal(name: &str, pid: u32) {
    let sent = Command::new("kill").arg(format!("-{name}")).arg(pid.to_string()).status().unwrap();
    assert!(sent.success(), "kill -{name} {pid}");
}

/// For how long something took: processes live in real time.
#[allow(clippy::disallowed_methods, reason = "no environment of these processes is ours to set")]
pub(crate) fn now() -> std::time::Instant {
    std::time::Instant::now()
}
