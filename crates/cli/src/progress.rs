//! A progress bar for what takes over a second, on a terminal, and nowhere else.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressStyle};
use yaoguan_model::Env;
use yaoguan_model::env::System;

/// Nothing is shown before this.
const QUIET_MS: i64 = 1_000;

/// Progress of one command.
pub struct Progress {
    started_ms: i64,
    bar: Option<ProgressBar>,
    quiet: bool,
}

impl Progress {
    pub fn new(json: bool) -> Self {
        let quiet = json || !std::io::stderr().is_terminal();
        Self { started_ms: System.now_ms(), bar: None, quiet }
    }

    /// Says how far the work is.
    pub fn at(&mut self, done: u64, message: &str) {
        if self.quiet || System.now_ms() - self.started_ms < QUIET_MS {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {pos} {msg} ({elapsed})") {
                bar.set_style(style);
            }
            bar
        });
        bar.set_position(done);
        bar.set_message(message.to_owned());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
