//! What travels between a phone and the town: requests, responses, error codes, limits, encoding.
//!
//! JSON, compressed with zstd where that is shorter. Wire enums have a case for what this program does
//! not know yet. Replica ids are indexes into a table that each message carries.

pub mod body;
pub mod enrol;
pub mod error;
pub mod files;
pub mod limits;
pub mod opaque;
pub mod packing;
pub mod proof;
pub mod reconcile;
pub mod shape;
pub mod sync;
pub mod tiles;
pub mod token;

pub use enrol::{EnrolRequest, EnrolResponse, Invite};
pub use error::{ErrorBody, ErrorCode};
pub use files::{MissingRequest, MissingResponse};
pub use opaque::{Epoch, HoldId, PushToken};
pub use packing::ReplicaTable;
pub use reconcile::{ReconcileRequest, ReconcileResponse};
pub use sync::{
    Clock, FeedItem, HoldNews, HoldOutcome, Judgement, Push, Scope, SyncRequest, SyncResponse,
    Verdict, Waiting,
};
pub use tiles::TilesNews;
pub use token::TokenResponse;

/// The step of the protocol that this program speaks.
pub const PROTOCOL: u32 = 1;
