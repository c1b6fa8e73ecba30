//! A phone's store in memory: what the contract suite runs beside the real one.

mod phone;

pub use phone::MemoryStore;
