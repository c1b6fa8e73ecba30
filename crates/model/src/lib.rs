//! Records, version vectors, merge; the kinds of record, their rules; geodesy.
//!
//! Pure: no clock, no randomness, no I/O, no async. A phone and the town run the same code on
//! the same bytes and reach the same result, in whatever order messages arrive.
//!
//! Start with [`record`] (what a record is), [`mod@merge`] (how two states become one) and
//! [`changes`] (what one side did on its own); then [`schema`] and the file of a kind.

pub mod authorise;
pub mod blob;
pub mod canonical;
pub mod cells;
pub mod changes;
pub mod deletion;
pub mod dot;
pub mod env;
pub mod faults;
pub mod geodesy;
pub mod grid;
pub mod hazard;
pub mod household;
pub mod household_check;
pub mod ids;
pub mod kind;
pub mod limits;
pub mod merge;
pub mod notice;
pub mod path;
pub mod patrol;
pub mod personal;
pub mod position;
pub mod record;
pub mod retention;
pub mod risk;
pub mod role;
pub mod schema;
pub mod schema_doc;
pub mod search;
pub mod status;
pub mod task;
pub mod template;
pub mod value;
pub mod version_vector;

pub use blob::BlobHash;
pub use changes::Changes;
pub use dot::Dot;
pub use env::Env;
pub use ids::{AccountId, DeviceId, GridCode, RecordId, ReplicaId};
pub use kind::Kind;
pub use merge::{Alarm, Merged, merge};
pub use path::FieldPath;
pub use position::Position;
pub use record::{Change, Record, Sibling};
pub use role::Role;
pub use value::Value;
pub use version_vector::{Order, VersionVector};
