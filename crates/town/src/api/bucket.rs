//! Token buckets: so many at once, so many a second after that, by key, in memory.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// Keys that are remembered; beyond it those that have rested are forgotten, else all.
const MAX_KEYS: usize = 65_536;
const MILLI: i64 = 1_000;

/// What a key may do.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// At once, after a rest.
    pub burst: i64,
    /// One more is allowed every so many milliseconds.
    pub every_ms: i64,
}

/// One bucket for each key.
#[derive(Debug)]
pub struct Buckets<K> {
    rate: Rate,
    /// When each bucket is full again, in milliseconds.
    levels: Mutex<HashMap<K, i64>>,
}

impl<K: Eq + Hash> Buckets<K> {
    pub fn new(rate: Rate) -> Self {
        Self { rate, levels: Mutex::default() }
    }

    /// Takes one; the seconds to wait when there is none.
    pub fn take(&self, key: K, now_ms: i64) -> Result<(), u32> {
        self.turn(key, now_ms, true)
    }

    /// Whether there is one; takes none.
    pub fn look(&self, key: K, now_ms: i64) -> Result<(), u32> {
        self.turn(key, now_ms, false)
    }

    fn turn(&self, key: K, now_ms: i64, takes: bool) -> Result<(), u32> {
        let Rate { burst, every_ms } = self.rate;
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was set back must not lock anyone out for longer than an empty bucket does.
        let longest = now_ms.saturating_add(burst.saturating_mul(every_ms));
        let full_at = levels.get(&key).map_or(now_ms, |at| (*at).clamp(now_ms, longest));
        let next = full_at.saturating_add(every_ms);
        let passes = next <= longest;
        if takes {
            if levels.len() >= MAX_KEYS && !levels.contains_key(&key) {
                levels.retain(|_, at| *at > now_ms);
                if levels.len() >= MAX_KEYS {
                    levels.clear();
                }
            }
            levels.insert(key, if passes { next } else { full_at });
        }
        let wait = (next - longest).div_euclid(MILLI) + 1;
        if passes { Ok(()) } else { Err(u32::try_from(wait).unwrap_or(u32::MAX)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { burst: 3, every_ms: 2_000 };

    #[test]
    fn a_burst_passes_and_then_one_at_a_time() {
        let buckets = Buckets::new(RATE);
        for _ in 0..3 {
            assert_eq!(buckets.look("a", 0), Ok(()));
            assert_eq!(buckets.take("a", 0), Ok(()));
        }
        assert_eq!(buckets.take("a", 0), Err(3));
        assert_eq!(buckets.take("a", 1_000), Err(2));
        assert_eq!(buckets.take("b", 0), Ok(()), "another key has its own");
        assert_eq!(buckets.take("a", 2_000), Ok(()));
        assert!(buckets.take("a", 2_001).is_err());
        assert_eq!(buckets.take("a", 4_000), Ok(()));
    }

    #[test]
    fn a_clock_set_back_locks_nobody_out() {
        let buckets = Buckets::new(RATE);
        for _ in 0..3 {
            assert_eq!(buckets.take("a", 1_000_000_000), Ok(()));
        }
        assert_eq!(buckets.take("a", 5_000), Err(3));
        assert_eq!(buckets.take("a", 7_000), Ok(()));
    }

    #[test]
    fn keys_without_end_do_not_fill_the_memory() {
        let buckets = Buckets::new(RATE);
        for key in 0..3 * MAX_KEYS {
            assert_eq!(buckets.take(key, 0), Ok(()));
        }
        assert!(buckets.levels.lock().unwrap().len() <= MAX_KEYS);
    }
}
