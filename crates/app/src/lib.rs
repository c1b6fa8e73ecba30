//! The app without its screens: what every seam to them shares. One table of commands over `field`, the
//! phone behind a lock, syncing in the background, positions, and events. The dev server and the shell are
//! adapters of a few lines over it.

mod commands;
mod host;
mod map;
mod people;
mod syncing;
mod walking;

pub use commands::{Failure, run};
pub use host::{Event, Host};
pub use map::Map;
pub use syncing::run as sync_in_background;
pub use walking::run as walk;
