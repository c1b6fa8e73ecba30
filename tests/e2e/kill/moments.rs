//! Random moments within a measured time, from a seed that is printed.

use std::time::Duration;

use yaoguan_testkit::dice::Dice;

/// The seed unless `KILL_SEED` says otherwise.
const SEED: u64 = 530_521_103;

/// Moments to kill at, and what came of them.
pub(crate) struct Moments {
    what: &'static str,
    seed: u64,
    dice: Dice,
    whole: Duration,
    /// Processes that lived when they were killed.
    pub(crate) killed: usize,
    /// Those that had ended before.
    late: usize,
    /// Times when the town had taken what the phone still held as unsent.
    pub(crate) unanswered: usize,
}

impl Moments {
    pub(crate) fn new(what: &'static str, whole: Duration) -> Self {
        let named = std::env::var("KILL_SEED").ok();
        let seed = named.map_or(SEED, |text| text.parse().expect("KILL_SEED is a number"));
        println!("{what}: KILL_SEED={seed}, {} ms when not killed", whole.as_millis());
        Self { what, seed, dice: Dice::new(seed), whole, killed: 0, late: 0, unanswered: 0 }
    }

    /// The next moment, anywhere within the measured time.
    pub(crate) fn next(&mut self) -> Duration {
        let part = (self.dice.roll() >> 11) as f64 / (1_u64 << 53) as f64;
        self.whole.mul_f64(part)
    }

    pub(crate) fn count(&mut self, lived: bool) {
        if lived {
            self.killed += 1;
        } else {
            self.late += 1;
        }
        assert!(self.late < 200, "{}: the moments come too late", self.what);
    }
}

impl Drop for Moments {
    fn drop(&mut self) {
        let Self { what, seed, killed, late, unanswered, .. } = self;
        println!(
            "{what}: {killed} killed alive, {late} had ended, {unanswered} taken but unanswered \
             (KILL_SEED={seed})"
        );
    }
}
