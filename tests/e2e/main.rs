//! The way of a report with the real programs: `yaoguan` and `yaoguan-town` as processes, on real files.
//!
//! The programs are found beside this test; `cargo build -p yaoguan-cli` makes them. What is asserted is
//! what a person or a script would see; of the product only the list of commands is linked.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails where it stands"
)]

mod clock;
mod concurrent;
mod doctor;
mod export;
mod full;
mod hostile;
mod kill;
mod landslides;
mod load;
mod output;
mod people;
mod phone;
mod photos;
mod program;
mod real;
mod refusals;
mod restore;
mod service;
mod serving;
mod tools;
mod town;
mod tracks;
mod versions;

/// The first grid of the demo town.
pub(crate) const GRID: &str = "530521103201001";
