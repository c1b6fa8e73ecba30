//! What can go wrong while planning or applying.

use yaoguan_model::RecordId;
use yaoguan_model::canonical::BadRecord;

/// Errors of one step; the transaction is rolled back and nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum SyncError<E: std::error::Error + 'static> {
    #[error("the phone's store: {0}")]
    Store(#[source] E),
    /// The answer does not keep the protocol: nothing of it is applied.
    #[error("the town's answer does not keep the protocol: {0}")]
    Protocol(&'static str),
    #[error("the town sent a record that cannot be read: {0}")]
    Record(#[source] BadRecord),
    #[error("the town sent record {0} with another kind or author than this phone has")]
    Identity(RecordId),
}

impl<E: std::error::Error + 'static> From<E> for SyncError<E> {
    fn from(error: E) -> Self {
        Self::Store(error)
    }
}
