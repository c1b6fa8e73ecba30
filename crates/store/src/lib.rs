//! The phone's store: SQLCipher, one file, one writer, and all of the phone's SQL.
//!
//! `Saved` means committed: WAL with `synchronous=FULL`, asserted when the file is opened. Record,
//! projection, unsent state and cursor change in one transaction. Projections are derived: [`rebuild`]
//! makes them anew, [`verify`] compares.

mod damage;
pub mod draft;
pub mod error;
mod grid;
mod hazard;
mod household;
mod household_check;
mod identity;
pub mod media;
mod migrations;
mod notice;
mod open;
mod patrol;
mod place;
mod projection;
mod purge;
mod quarantine;
pub mod query;
pub mod rebuild;
pub mod salvage;
pub mod search;
mod setting;
mod task;
mod template;
mod todo;
mod track;
mod tx;
pub mod verify;

pub use error::StoreError;
pub use identity::Identity;
pub use media::{FileKind, MediaFile, NewFile};
pub use open::{Key, Store};
pub use quarantine::QuarantineEntry;
pub use query::{Filter, Page, Stored};
pub use track::Track;
pub use tx::SqliteTx;
