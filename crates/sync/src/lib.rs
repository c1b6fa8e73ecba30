//! The phone's side of synchronisation, without I/O: what to ask, what to do with the answer, when to
//! try again. Knows no HTTP and no SQL.
//!
//! [`local`] is one record and every way it may change; [`mod@plan`] draws up a request; [`mod@apply`] carries
//! out an answer; [`mod@reconcile`] compares everything; [`engine`] says when. A store gives transactions ([`store::Tx`]).

pub mod apply;
pub mod engine;
pub mod error;
mod evict;
pub mod fork;
pub mod hold;
pub mod local;
pub mod plan;
pub mod purge;
pub mod reconcile;
pub mod state;
pub mod store;

pub use apply::{Applied, apply, apply_verdicts_alone};
pub use engine::{Engine, Next, View};
pub use error::SyncError;
pub use fork::{brought_back, rewrite_after_fork};
pub use hold::put_again;
pub use local::{Kept, Local, Unsent};
pub use plan::plan;
pub use purge::purge;
pub use reconcile::{Reconciliation, Step};
pub use state::{Returned, SyncState};
pub use store::{PhoneStore, Quarantined, Tx};
