//! What every store must do, as suites that run on each implementation.

pub mod blob_store;
pub mod console;
pub mod people;
pub mod phone_store;
pub mod town_storage;
