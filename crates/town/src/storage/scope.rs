//! What a phone's scope was and is, and what lies in it.

use async_trait::async_trait;
use yaoguan_model::authorise::Actor;
use yaoguan_model::cells::Cell;
use yaoguan_model::{AccountId, DeviceId, Record};

use crate::error::TownError;
use crate::people::Account;

/// Scopes. Each method is one transaction.
#[async_trait]
pub trait Scopes: Send + Sync {
    /// Notes that this scope was delivered to a phone.
    async fn note_scope(&self, account: Account) -> Result<(), TownError>;
    /// A scope that was delivered once.
    async fn scope_at(&self, account: AccountId, version: u64) -> Result<Option<Actor>, TownError>;

    /// Hashes of all records within these cells, and the feed's last position at that moment.
    async fn hashes(&self, cells: Vec<Cell>) -> Result<(Vec<[u8; 32]>, u64), TownError>;
    /// Records within these cells by hash; those that are not there are left out.
    async fn by_hashes(
        &self,
        cells: Vec<Cell>,
        hashes: Vec<[u8; 32]>,
    ) -> Result<Vec<Record>, TownError>;
    /// True once in `every_s` seconds for a device, and from then on not before the next time.
    async fn root_due(&self, device: DeviceId, now: i64, every_s: i64) -> Result<bool, TownError>;
}
