//! When to sync: at once when there is a reason, later and later while it fails, never without a reason.

/// The longest wait between two attempts, in milliseconds.
pub const MAX_BACKOFF_MS: i64 = 15 * 60 * 1000;
/// The first wait after a failure, in milliseconds.
pub const FIRST_BACKOFF_MS: i64 = 2_000;
/// How often a phone with nothing to send asks for news, in milliseconds.
pub const PULL_EVERY_MS: i64 = 15 * 60 * 1000;

/// What the engine needs to know of the phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// Records with unsent saves.
    pub unsent: u64,
    /// The platform believes that there is a connection.
    pub online: bool,
}

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Send a request.
    Request,
    /// Nothing until then (milliseconds of the clock handed in).
    Wait { until_ms: i64 },
    /// Nothing until something happens.
    Idle,
}

/// The engine's timing. All times are milliseconds of one monotonic clock.
#[derive(Debug, Clone, Default)]
pub struct Engine {
    failures: u32,
    not_before_ms: Option<i64>,
    last_done_ms: Option<i64>,
    asked: bool,
    more: bool,
}

impl Engine {
    pub fn new() -> Self {
        Self::default()
    }

    /// What to do at `now_ms`.
    pub fn next(&self, now_ms: i64, view: View) -> Next {
        if !view.online && !self.asked {
            return Next::Idle;
        }
        if let Some(until_ms) = self.not_before_ms
            && now_ms < until_ms
            && !self.asked
        {
            return Next::Wait { until_ms };
        }
        // What failed is tried again, also when nothing is left to send: its answer was not heard to the end.
        if self.asked || self.more || self.failures > 0 || view.unsent > 0 {
            return Next::Request;
        }
        match self.last_done_ms {
            None => Next::Request,
            Some(done) if now_ms >= done + PULL_EVERY_MS => Next::Request,
            Some(done) => Next::Wait { until_ms: done + PULL_EVERY_MS },
        }
    }

    /// A record was saved, connectivity returned, or a person asked: waiting is over.
    pub fn wake(&mut self) {
        self.asked = true;
        self.not_before_ms = None;
    }

    /// An answer was applied; `more` when the feed has another page.
    pub fn on_response(&mut self, now_ms: i64, more: bool) {
        *self = Self { last_done_ms: Some(now_ms), more, ..Self::default() };
    }

    /// The request failed. `jitter` is any random number: phones must not come back all at once.
    pub fn on_failure(&mut self, now_ms: i64, jitter: u32) {
        self.asked = false;
        let full = FIRST_BACKOFF_MS.saturating_mul(1 << self.failures.min(20)).min(MAX_BACKOFF_MS);
        self.failures = self.failures.saturating_add(1);
        // Between half of the wait and all of it.
        let wait = full / 2 + i64::from(jitter) % (full / 2 + 1);
        self.not_before_ms = Some(now_ms.saturating_add(wait));
    }

    /// The town asks to be left alone for so many seconds. That long at least, and up to a quarter more,
    /// so that those who were told the same do not come back as one.
    pub fn on_told_to_wait(&mut self, now_ms: i64, seconds: u32, jitter: u32) {
        self.on_failure(now_ms, jitter);
        let asked = i64::from(seconds).saturating_mul(1_000).min(MAX_BACKOFF_MS);
        let until_ms = now_ms.saturating_add(asked + i64::from(jitter) % (asked / 4 + 1));
        self.not_before_ms = self.not_before_ms.max(Some(until_ms));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: View = View { unsent: 0, online: true };
    const BUSY: View = View { unsent: 3, online: true };

    #[test]
    fn the_first_thing_is_a_request() {
        assert_eq!(Engine::new().next(0, QUIET), Next::Request);
    }

    #[test]
    fn nothing_is_scheduled_while_offline() {
        assert_eq!(Engine::new().next(0, View { unsent: 3, online: false }), Next::Idle);
    }

    #[test]
    fn waits_grow_to_the_cap_and_never_beyond() {
        let mut engine = Engine::new();
        let mut last = 0;
        for attempt in 0..40 {
            engine.on_failure(0, u32::MAX);
            let Next::Wait { until_ms } = engine.next(0, BUSY) else { panic!("attempt {attempt}") };
            assert!(until_ms <= MAX_BACKOFF_MS);
            last = last.max(until_ms);
        }
        assert!(last > MAX_BACKOFF_MS / 2);
    }

    #[test]
    fn what_the_town_asks_to_wait_is_waited() {
        for jitter in [0, 7, u32::MAX] {
            let mut engine = Engine::new();
            engine.on_told_to_wait(1_000, 120, jitter);
            let Next::Wait { until_ms } = engine.next(1_000, BUSY) else { panic!() };
            assert!((121_000..=151_000).contains(&until_ms), "{until_ms}");
            // Nobody can send a phone away for longer than any failure does.
            engine.on_told_to_wait(1_000, u32::MAX, jitter);
            let Next::Wait { until_ms } = engine.next(1_000, BUSY) else { panic!() };
            assert!(until_ms <= 1_000 + MAX_BACKOFF_MS / 4 * 5, "{until_ms}");
        }
    }

    #[test]
    fn a_save_ends_the_wait() {
        let mut engine = Engine::new();
        engine.on_failure(0, 7);
        engine.wake();
        assert_eq!(engine.next(1, BUSY), Next::Request);
    }

    #[test]
    fn a_failure_is_tried_again_also_with_nothing_left_to_send() {
        let mut engine = Engine::new();
        engine.on_response(0, false);
        engine.on_failure(1_000, 7);
        let Next::Wait { until_ms } = engine.next(1_000, QUIET) else { panic!() };
        assert!(until_ms <= 1_000 + FIRST_BACKOFF_MS, "{until_ms}");
        assert_eq!(engine.next(until_ms, QUIET), Next::Request);
    }

    #[test]
    fn after_an_answer_it_waits_for_the_next_pull() {
        let mut engine = Engine::new();
        engine.on_response(1_000, false);
        assert_eq!(engine.next(2_000, QUIET), Next::Wait { until_ms: 1_000 + PULL_EVERY_MS });
        assert_eq!(engine.next(2_000, BUSY), Next::Request);
    }

    #[test]
    fn another_page_is_fetched_at_once() {
        let mut engine = Engine::new();
        engine.on_response(1_000, true);
        assert_eq!(engine.next(1_001, QUIET), Next::Request);
    }
}
