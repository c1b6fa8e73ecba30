//! How the town stands, in numbers: for `status`, and for whoever looks after it.

use async_trait::async_trait;

use crate::error::TownError;

/// Counts and times; times in seconds since 1970.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    pub accounts: u64,
    pub disabled: u64,
    pub devices: u64,
    pub revoked: u64,
    /// Devices that were here in the last seven days.
    pub active: u64,
    pub last_contact: Option<i64>,
    /// Saves that wait for a supervisor, and since when the oldest does.
    pub held: u64,
    pub held_since: Option<i64>,
    /// Records that phones brought back after a restore and nobody has taken.
    pub recovered: u64,
    pub alarms: u64,
    pub last_alarm: Option<i64>,
}

/// Counts what is there.
#[async_trait]
pub trait Stands: Send + Sync {
    async fn standing(&self, now: i64) -> Result<Standing, TownError>;
}
