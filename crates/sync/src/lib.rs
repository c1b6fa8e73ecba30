//! The phone's side of synchronisation, without I/O: what to ask, what to do with the answer, when to
//! try again. Knows no HTTP and no SQL.

pub mod local;

pub use local::{Kept, Local, Unsent};
