//! What every store must do, as suites that run on each implementation.

pub mod people;
pub mod phone_store;
pub mod town_storage;
