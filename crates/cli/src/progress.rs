//! A progress bar for what takes over a second, on a terminal, and nowhere else.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Nothing is shown before this.
const QUIET: Duration = Duration::from_secs(1);
const REDRAW: Duration = Duration::from_millis(120);

/// Progress of one command; ends when dropped.
#[derive(Default)]
pub struct Progress {
    done: Arc<AtomicU64>,
    drawing: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// `label` says what is counted; without a count it is a sign that work goes on.
    pub fn new(json: bool, label: String) -> Self {
        if json || !std::io::stderr().is_terminal() {
            return Self::default();
        }
        let done = Arc::new(AtomicU64::new(0));
        let (end, ended) = channel::<()>();
        let count = Arc::clone(&done);
        let drawing = std::thread::spawn(move || {
            if ended.recv_timeout(QUIET) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            let bar = ProgressBar::new_spinner().with_message(label);
            if let Ok(style) = ProgressStyle::with_template("{spinner} {pos} {msg} ({elapsed})") {
                bar.set_style(style);
            }
            while ended.recv_timeout(REDRAW) == Err(RecvTimeoutError::Timeout) {
                bar.set_position(count.load(Ordering::Relaxed));
                bar.tick();
            }
            bar.finish_and_clear();
        });
        Self { done, drawing: Some((end, drawing)) }
    }

    /// Says how far the work is.
    pub fn at(&self, done: u64) {
        self.done.store(done, Ordering::Relaxed);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((end, drawing)) = self.drawing.take() {
            drop(end);
            // The line must be clear before the result is written.
            _ = drawing.join();
        }
    }
}
