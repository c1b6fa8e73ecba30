//! Turns the engine's requests into HTTPS, and nothing more: no retries, no timing, no storage.

mod carrier;
mod client;
mod error;
mod files;
mod pinned;
mod town;

pub use carrier::Carrier;
pub use client::{Trust, client};
pub use error::TransportError;
pub use town::{Enrolled, TownClient, Traffic, enrol};
