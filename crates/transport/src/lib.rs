//! Turns the engine's requests into HTTPS, and nothing more: no retries, no timing, no storage.

mod carrier;
mod client;
mod error;
mod files;
mod pinned;
mod tiles;
mod town;

pub use carrier::Carrier;
pub use client::{Connections, Trust, client};
pub use error::TransportError;
pub use town::{Enrolled, TownClient, Traffic, enrol};
