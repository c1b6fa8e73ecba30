//! The town: one replica among the phones, which also says who may read and write what.
//!
//! [`push`] judges and merges (pure); [`storage`] keeps (one trait, all SQL below it); [`api`] is the
//! HTTP surface; [`serve`] runs it. Accounts, invites and devices are in [`people`].

pub mod api;
pub mod audit;
pub mod backup;
pub mod backups;
pub mod blobs;
mod connections;
pub mod cursor;
pub mod daily;
pub mod data;
pub mod days;
pub mod demo;
pub mod desk;
pub mod doctor;
pub mod error;
pub mod exports;
pub mod grids;
pub mod key_file;
pub mod line;
pub mod lock;
pub mod moving;
pub mod notify;
pub mod paging;
pub mod people;
pub mod proof;
pub mod pull;
pub mod push;
pub mod release;
pub mod serve;
pub mod storage;
pub mod suppression;
pub mod templates;
pub mod tiles;
pub mod tls;
pub mod villages;

pub use data::Town;
pub use error::TownError;
pub use storage::Storage;
