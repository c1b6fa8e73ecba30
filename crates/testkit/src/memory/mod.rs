//! Stores in memory: what the contract suites run beside the real ones.

pub mod apart;
mod phone;
pub mod town;

pub use phone::MemoryStore;
pub use town::MemoryTown;
