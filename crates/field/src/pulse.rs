//! Syncing in the background: when the next run is due, and how the last one went. The shell and the dev
//! server turn this into threads; it has none.

use serde::Serialize;
use yaoguan_sync::engine::{Engine, Next, View};

use crate::error::{ErrorCode, FieldError};
use crate::sync::SyncSummary;

/// How syncing stands at this moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, export_to = "field.ts"))]
pub struct SyncNow {
    pub running: bool,
    /// The platform believes that there is a line.
    pub online: bool,
    /// The line costs money: large photos wait.
    pub metered: bool,
    /// What stopped the last run.
    pub error: Option<ErrorCode>,
    /// The town's own word for it.
    pub town_code: Option<String>,
    /// Of the run that is under way, or of the last one.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub sent: u64,
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub received: u64,
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub waiting: u64,
    /// Photos and tracks: received by the town in this run, and those that were still to go.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub files_sent: u64,
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub files_waiting: u64,
    /// Runs that have ended, so that who asked for one knows that it is over.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub runs: u64,
}

/// The timing of background syncing; times are milliseconds of one monotonic clock.
#[derive(Debug, Default)]
pub struct Pulse {
    engine: Engine,
    now: SyncNow,
    /// Asked for while a run was under way: that run may have passed it by.
    again: bool,
}

impl Pulse {
    pub fn new(online: bool) -> Self {
        let now = SyncNow { online, ..SyncNow::default() };
        Self { engine: Engine::new(), now, again: false }
    }

    pub fn now(&self) -> &SyncNow {
        &self.now
    }

    /// Milliseconds until the next run; none when nothing is to be done until something happens.
    pub fn wait_ms(&self, now_ms: i64, unsent: u64) -> Option<i64> {
        match self.engine.next(now_ms, View { unsent, online: self.now.online }) {
            Next::Request => Some(0),
            Next::Wait { until_ms } => Some((until_ms - now_ms).max(0)),
            Next::Idle => None,
        }
    }

    /// A person asked: it is tried, whatever the platform believes of the line. Returns how syncing stood
    /// at that moment: what was asked for is over after one more run, or two when one is under way.
    pub fn wake(&mut self) -> SyncNow {
        self.again = self.now.running;
        self.engine.wake();
        self.now.clone()
    }

    /// Something was saved. Without a line nothing is tried.
    pub fn saved(&mut self) {
        if self.now.online {
            self.wake();
        }
    }

    /// Another person's store is open, or none: what stopped the one before says nothing of it.
    pub fn turn(&mut self) {
        let SyncNow { running, online, metered, runs, .. } = self.now;
        self.now = SyncNow { running, online, metered, runs, ..SyncNow::default() };
    }

    /// The platform says that there is a line, or none.
    pub fn set_online(&mut self, online: bool) {
        self.now.online = online;
        if online {
            self.engine.wake();
        }
    }

    /// What the platform says the line costs; a line that costs nothing may carry what has waited.
    pub fn set_metered(&mut self, metered: bool) {
        let cheaper = self.now.metered && !metered;
        self.now.metered = metered;
        if cheaper && self.now.online {
            self.engine.wake();
        }
    }

    pub fn begin(&mut self, waiting: u64) {
        let SyncNow { online, metered, runs, .. } = self.now;
        self.now = SyncNow { running: true, online, metered, runs, waiting, ..SyncNow::default() };
    }

    pub fn progress(&mut self, so_far: &SyncSummary) {
        self.now.sent = so_far.sent;
        self.now.received = so_far.received;
        self.now.waiting = so_far.pending;
        self.now.files_sent = so_far.files_sent;
        self.now.files_waiting = so_far.files_waiting;
    }

    /// The run is over; `jitter` is any random number.
    pub fn end(&mut self, now_ms: i64, jitter: u32, ended: &Result<SyncSummary, FieldError>) {
        self.now.running = false;
        self.now.runs += 1;
        match ended {
            Ok(summary) => {
                self.progress(summary);
                self.engine.on_response(now_ms, false);
            }
            Err(error) => {
                self.now.error = Some(error.code());
                self.now.town_code = error.town_code();
                match error.retry_after_s() {
                    Some(seconds) => self.engine.on_told_to_wait(now_ms, seconds, jitter),
                    None => self.engine.on_failure(now_ms, jitter),
                }
            }
        }
        let told_to_wait = ended.as_ref().is_err_and(|error| error.retry_after_s().is_some());
        if std::mem::take(&mut self.again) && !told_to_wait {
            self.engine.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_runs_without_a_line_until_it_is_back() {
        let mut pulse = Pulse::new(false);
        assert_eq!(pulse.wait_ms(0, 3), None);
        pulse.set_online(true);
        assert_eq!(pulse.wait_ms(0, 3), Some(0));
    }

    #[test]
    fn a_save_without_a_line_starts_nothing_and_a_person_who_asks_does() {
        let mut pulse = Pulse::new(false);
        pulse.saved();
        assert_eq!(pulse.wait_ms(0, 1), None);
        pulse.wake();
        assert_eq!(pulse.wait_ms(0, 1), Some(0));
    }

    #[test]
    fn what_is_asked_for_during_a_run_gets_a_run_of_its_own() {
        let mut pulse = Pulse::new(true);
        pulse.begin(0);
        pulse.wake();
        pulse.end(1_000, 7, &Ok(SyncSummary::default()));
        assert_eq!(pulse.wait_ms(1_000, 0), Some(0));
    }

    #[test]
    fn a_failure_is_shown_with_its_code_and_tried_again_later() {
        let mut pulse = Pulse::new(true);
        pulse.begin(1);
        assert!(pulse.now().running);
        pulse.end(1_000, 7, &Err(FieldError::Busy));
        assert_eq!(pulse.now().error, Some(ErrorCode::Busy));
        assert!(pulse.wait_ms(1_000, 1).is_some_and(|wait_ms| wait_ms > 0));
    }
}
