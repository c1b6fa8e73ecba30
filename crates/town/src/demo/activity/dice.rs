//! Seeded randomness and a clock that the invention sets itself (SplitMix64: not for keys or codes).

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use yaoguan_model::Env;

/// The same seed gives the same month.
pub(crate) struct Dice {
    state: AtomicU64,
    now_s: AtomicI64,
}

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: AtomicU64::new(seed), now_s: AtomicI64::new(0) }
    }

    pub(crate) fn set_now(&self, now_s: i64) {
        self.now_s.store(now_s, Ordering::Relaxed);
    }

    fn next(&self) -> u64 {
        const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
        let mut z = self.state.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number from `from` to below `end`.
    pub(crate) fn between(&self, from: i64, end: i64) -> i64 {
        let span = u64::try_from(end.saturating_sub(from)).unwrap_or(0).max(1);
        from + i64::try_from(self.next() % span).unwrap_or(0)
    }

    /// From 0 to below 1.
    pub(crate) fn share(&self) -> f64 {
        self.between(0, 1_000_000) as f64 / 1_000_000.0
    }

    pub(crate) fn chance(&self, percent: i64) -> bool {
        self.between(0, 100) < percent
    }

    pub(crate) fn pick<T: Copy>(&self, from: &[T]) -> Option<T> {
        let count = i64::try_from(from.len()).unwrap_or(0);
        from.get(usize::try_from(self.between(0, count)).unwrap_or(0)).copied()
    }

    pub(crate) fn word(&self, from: &[&'static str]) -> &'static str {
        self.pick(from).unwrap_or_default()
    }
}

impl Env for Dice {
    fn now_ms(&self) -> i64 {
        self.now_s.load(Ordering::Relaxed) * 1000
    }
    fn boot_elapsed_ms(&self) -> i64 {
        0
    }
    fn random_16(&self) -> [u8; 16] {
        ((u128::from(self.next()) << 64) | u128::from(self.next())).to_be_bytes()
    }
}
