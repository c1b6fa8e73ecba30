//! What holds across crates, on real files and processes. The suites are the folders beside this one.

pub mod targets;
