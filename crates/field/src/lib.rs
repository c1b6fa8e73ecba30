//! The one surface of the phone: what a person in the field does, as functions with plain types in and
//! out. The shell, the dev server and the command line are adapters of a line or two over this.
//!
//! Every mutation is one transaction and returns [`Changed`]: what the screens have to fetch again.

mod dates;
mod draft;
mod edit;
mod enrol;
pub mod error;
mod export;
mod fetch;
mod files;
mod folder;
mod form;
mod hazard;
mod health;
mod home;
mod household_check;
mod import;
mod list;
mod map;
pub mod marker;
pub mod media;
pub mod mend;
mod patrol;
mod phone;
pub mod position;
mod pulse;
mod quarantine;
mod record_page;
mod replica;
mod settings;
mod show;
pub mod stowage;
mod sync;
pub mod tend;
mod today;
mod token;
mod track;
pub mod upload;
pub mod values;
mod view;

pub use edit::{Changed, Edit, Form};
pub use enrol::EnrolOptions;
pub use error::{ErrorCode, FieldError};
pub use export::Format;
pub use form::{FormPatch, FormStart, FormView};
pub use hazard::Nearby;
pub use health::{Health, Rejection};
pub use home::Home;
pub use household_check::{CheckTemplate, RiskView};
pub use import::{ImportSummary, TrackSummary};
pub use list::{ListQuery, Rows, Which};
pub use map::MapBox;
pub use media::{
    Attached, FileState,  FileView, PhotoHow, PhotoPart, PhotoSize, prepare_photo,
};
pub use phone::Phone;
pub use pulse::{Pulse, SyncNow};
pub use record_page::RecordPage;
pub use settings::Settings;
pub use show::{Shown, Status};
pub use stowage::{Freed, Stowage};
pub use sync::SyncSummary;
pub use today::{Today, Todo, Whereabouts};
pub use token::Token;
pub use track::{PatrolNow, PatrolReview, PatrolWords, TrackFormat};
pub use view::{Point, Row, State};
pub use yaoguan_store::salvage::Salvaged;
pub use yaoguan_store::{Filter, Page, QuarantineEntry, Stored};
