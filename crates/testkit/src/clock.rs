//! A clock that a test owns, and randomness that is real.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use yaoguan_model::Env;
use yaoguan_model::env::System;

/// The system's clock, moved by as much as a test likes. Clones share the shift.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    shift_ms: Arc<AtomicI64>,
}

impl Clock {
    /// Moves the clock by so many seconds.
    pub fn shift(&self, seconds: i64) {
        self.shift_ms.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    /// Sets the clock to a time in seconds since 1970.
    pub fn set(&self, seconds: i64) {
        self.shift_ms.store(seconds * 1000 - System.now_ms(), Ordering::SeqCst);
    }
}

impl Env for Clock {
    fn now_ms(&self) -> i64 {
        System.now_ms() + self.shift_ms.load(Ordering::SeqCst)
    }
    fn boot_elapsed_ms(&self) -> i64 {
        System.boot_elapsed_ms()
    }
    fn random_16(&self) -> [u8; 16] {
        System.random_16()
    }
}
