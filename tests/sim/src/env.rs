//! Time and randomness of one device, both from the seed.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use yaoguan_model::Env;
use yaoguan_testkit::dice::Dice;

/// The true time of a world, in milliseconds since 1970.
#[derive(Debug, Clone)]
pub struct Time(Arc<AtomicI64>);

impl Time {
    pub fn at(ms: i64) -> Self {
        Self(Arc::new(AtomicI64::new(ms)))
    }
    pub fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
    /// Time never goes back.
    pub fn reach(&self, ms: i64) {
        self.0.fetch_max(ms, Ordering::SeqCst);
    }
}

/// A device's clock, which may be wrong, and its randomness.
#[derive(Debug)]
pub struct SeedEnv {
    time: Time,
    started_ms: i64,
    off_ms: AtomicI64,
    dice: Mutex<Dice>,
}

impl SeedEnv {
    pub fn new(time: Time, seed: u64) -> Self {
        let started_ms = time.now_ms();
        Self { time, started_ms, off_ms: AtomicI64::new(0), dice: Mutex::new(Dice::new(seed)) }
    }

    /// Somebody sets the clock.
    pub fn set_clock(&self, ms: i64) {
        self.off_ms.store(ms - self.time.now_ms(), Ordering::SeqCst);
    }

    pub fn mend_clock(&self) {
        self.off_ms.store(0, Ordering::SeqCst);
    }
}

impl Env for SeedEnv {
    fn now_ms(&self) -> i64 {
        self.time.now_ms() + self.off_ms.load(Ordering::SeqCst)
    }
    fn boot_elapsed_ms(&self) -> i64 {
        self.time.now_ms() - self.started_ms
    }
    fn random_16(&self) -> [u8; 16] {
        self.dice.lock().unwrap_or_else(PoisonError::into_inner).bytes()
    }
}
