//! The audit log as storage keeps it: written with each act, read, verified.

use async_trait::async_trait;

use crate::audit::{Checked, Entry, Written};
use crate::error::TownError;

/// Which entries are wanted: those after a sequence, oldest first.
#[derive(Debug, Clone, Default)]
pub struct AuditAsk {
    pub after: u64,
    pub limit: u32,
    /// Only about this id.
    pub subject: Option<String>,
}

/// The log. Each method is one transaction.
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// Writes down an act that changes nothing else in storage: a read, an export, a backup. Acts that
    /// change something write their entry themselves, in the same transaction.
    async fn note(&self, entry: Entry) -> Result<u64, TownError>;
    async fn audit(&self, ask: AuditAsk) -> Result<Vec<Written>, TownError>;
    /// Recomputes the chain and compares it with the heads noted outside.
    async fn verify_audit(&self) -> Result<Checked, TownError>;
}
