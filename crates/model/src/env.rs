//! Time and randomness come in through here, so that a test owns both.

use crate::ids::{RecordId, ReplicaId};

/// What a program may ask of the world. `clippy.toml` bans the direct calls.
pub trait Env: Send + Sync {
    /// The device's clock, in milliseconds since 1970-01-01 UTC. It may be wrong: evidence, never order.
    fn now_ms(&self) -> i64;
    /// Milliseconds since the device started; does not jump when somebody sets the clock.
    fn boot_elapsed_ms(&self) -> i64;
    /// Sixteen bytes from the system's random generator.
    fn random_16(&self) -> [u8; 16];

    /// The clock in whole seconds.
    fn now_s(&self) -> i64 {
        self.now_ms().div_euclid(1000)
    }
    /// A new record id: uuid v7 (RFC 9562 §5.7), the clock's milliseconds and 74 random bits.
    fn new_record_id(&self) -> RecordId {
        let millis = u64::try_from(self.now_ms()).unwrap_or(0);
        let [a, b, c, d, e, f, g, h, i, j, ..] = self.random_16();
        let random = [a, b, c, d, e, f, g, h, i, j];
        RecordId(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }
    /// A new replica id: 128 random bits.
    fn new_replica_id(&self) -> ReplicaId {
        ReplicaId(self.random_16())
    }
}

/// The real world.
#[cfg(feature = "system-env")]
#[derive(Debug, Clone, Copy, Default)]
pub struct System;

#[cfg(feature = "system-env")]
#[allow(clippy::disallowed_methods, reason = "this is the one place that the ban points to")]
impl Env for System {
    fn now_ms(&self) -> i64 {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        match since {
            Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |ms| -ms),
        }
    }
    fn boot_elapsed_ms(&self) -> i64 {
        since_boot_ms()
    }
    fn random_16(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        // Without randomness every id would be a lie: there is nothing sensible to go on with.
        if getrandom::fill(&mut bytes).is_err() {
            std::process::abort();
        }
        bytes
    }
}

/// Sleep counts. `/proc/uptime` says the same, but an Android app may not read it.
#[cfg(all(feature = "system-env", any(target_os = "linux", target_os = "android")))]
fn since_boot_ms() -> i64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    now.tv_sec.saturating_mul(1000).saturating_add(now.tv_nsec / 1_000_000)
}

/// Where the start of the device is not known: since the start of this program.
#[cfg(all(feature = "system-env", not(any(target_os = "linux", target_os = "android"))))]
#[allow(clippy::disallowed_methods, reason = "this is the one place that the ban points to")]
fn since_boot_ms() -> i64 {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    let start = START.get_or_init(std::time::Instant::now);
    i64::try_from(start.elapsed().as_millis()).unwrap_or(i64::MAX)
}
