//! Saved views: questions to the inbox that a supervisor keeps. An account's own; nobody else sees them.

use async_trait::async_trait;
use yaoguan_model::AccountId;

use crate::error::TownError;

/// Views of one account.
pub const MAX_VIEWS: u32 = 20;
/// Characters of a view's name.
pub const MAX_NAME_CHARS: usize = 40;
/// Characters of the question.
pub const MAX_QUERY_CHARS: usize = 500;

/// A view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedView {
    pub id: [u8; 16],
    pub name: String,
    /// As the inbox is asked.
    pub query: String,
}

/// Saved views. Each method is one transaction.
#[async_trait]
pub trait SavedViews: Send + Sync {
    /// In the order of their names.
    async fn views(&self, account: AccountId) -> Result<Vec<SavedView>, TownError>;
    /// Keeps a view; one of the same name is replaced. False: the account has [`MAX_VIEWS`].
    async fn keep_view(&self, account: AccountId, view: SavedView) -> Result<bool, TownError>;
    /// False: the account has no such view.
    async fn drop_view(&self, account: AccountId, id: [u8; 16]) -> Result<bool, TownError>;
}
