//! The one surface of the phone: what a person in the field does, as functions with plain types in and
//! out. The shell, the dev server and the command line are adapters of a line or two over this.
//!
//! Every mutation is one transaction and returns [`Changed`]: what the screens have to fetch again.

mod draft;
mod edit;
mod enrol;
pub mod error;
mod export;
mod folder;
mod hazard;
mod home;
mod household_check;
mod import;
pub mod marker;
pub mod mend;
mod patrol;
mod phone;
mod quarantine;
mod replica;
mod show;
mod sync;
pub mod tend;
mod token;
pub mod values;

pub use edit::{Changed, Edit, Form};
pub use enrol::EnrolOptions;
pub use error::{ErrorCode, FieldError};
pub use export::Format;
pub use home::Home;
pub use import::{ImportSummary, TrackSummary};
pub use phone::Phone;
pub use show::{Shown, Status};
pub use sync::SyncSummary;
pub use token::Token;
pub use yaoguan_store::salvage::Salvaged;
pub use yaoguan_store::{Filter, Page, QuarantineEntry, Stored};
