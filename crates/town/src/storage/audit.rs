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

/// Entries of one page of the console.
pub const AUDIT_PAGE: u32 = 100;

/// What is looked for in the log, latest first; what is empty asks for any.
#[derive(Debug, Clone, Default)]
pub struct AuditSearch {
    /// The oldest entry of the page before.
    pub before: Option<u64>,
    pub act: String,
    /// As [`crate::audit::By`] is written.
    pub by: String,
    pub subject: String,
    /// From this time on, and until it, in seconds.
    pub since: Option<i64>,
    pub until: Option<i64>,
}

/// An entry with what people call those who stand in it; empty where nobody does.
#[derive(Debug, Clone)]
pub struct Told {
    pub entry: Written,
    pub by_name: String,
    pub subject_name: String,
}

/// The log. Each method is one transaction.
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// Writes down an act that changes nothing else in storage: a read, an export, a backup. Acts that
    /// change something write their entry themselves, in the same transaction.
    async fn note(&self, entry: Entry) -> Result<u64, TownError>;
    async fn audit(&self, ask: AuditAsk) -> Result<Vec<Written>, TownError>;
    /// A page of what is looked for.
    async fn search_audit(&self, search: AuditSearch) -> Result<Vec<Told>, TownError>;
    /// Recomputes the chain and compares it with the heads noted outside.
    async fn verify_audit(&self) -> Result<Checked, TownError>;
}
