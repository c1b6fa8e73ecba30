//! For tests only: a town and any number of phones in one process, a clock that can be set, a lossy
//! network, memory stores, and the contract suites that every store passes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails where it stands"
)]

pub mod clock;
pub mod contract;
pub mod dice;
pub mod disk;
pub mod map;
pub mod memory;
pub mod network;
pub mod photos;
pub mod postgres;
pub mod town;
