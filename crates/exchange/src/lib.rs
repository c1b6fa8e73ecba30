//! Tables and tracks in and out: CSV and XLSX tables, GPX tracks, GeoJSON.
//!
//! Bytes in, `Write` out, and no other I/O; no clock, no randomness. What comes in is judged row by
//! row against the schema of `yaoguan_model`; nothing is guessed, and what is refused says why.
//! It is not a store: which rows are already there, and who may read an export, others decide.
//!
//! Start with [`mapping`] and [`table`] for imports, [`gpx`] for tracks, [`export`] for the way out.

pub mod convert;
pub mod error;
pub mod export;
mod forbidden;
pub mod gpx;
pub mod limits;
pub mod mapping;
mod mapping_file;
pub mod reason;
pub mod table;
mod time;

pub use error::{ExportError, GpxError, MappingError, TableError};
pub use export::Lang;
pub use forbidden::forbidden;
pub use gpx::Track;
pub use mapping::Mapping;
pub use reason::Reason;
pub use table::{Imported, Row, Table};
