//! Records out: CSV and XLSX for people, GeoJSON for maps.
//!
//! All three show the same [`Column`]s, derived from the schema of the kind: what a kind cannot hold no
//! export can show. Of siblings the shown one is exported, and the column `conflicts` names the paths
//! that have several. Deleted records are left out, contested ones are not. Who may export what, and
//! writing that down, is the caller's duty.

mod cell;
mod columns;
mod csv;
mod geojson;
mod labels;
#[cfg(test)]
mod labels_tests;
#[cfg(test)]
mod tests;
mod xlsx;

use std::borrow::Borrow;

use yaoguan_model::Record;
use yaoguan_model::deletion::{self, Deletion};

pub use cell::{Cell, fixed};
pub use columns::{Column, columns};
pub use csv::{neutralised, write_csv};
pub use geojson::{Features, write_geojson, write_track_geojson};
pub use labels::{Lang, column_label, word_label};
pub use xlsx::write_xlsx;

/// The records that an export shows.
fn exported<R: Borrow<Record>>(records: impl Iterator<Item = R>) -> impl Iterator<Item = R> {
    records.filter(|record| deletion::state(record.borrow()) != Deletion::Deleted)
}
