//! The app without its screens: what every seam to them shares. One table of commands over `field`, the
//! phone behind a lock, syncing in the background, positions, the platform, and events. The dev server and
//! the shell are adapters of a few lines over it.

mod attention;
mod commands;
mod fetching;
mod host;
mod map;
mod media;
mod people;
pub mod platform;
#[cfg(target_os = "linux")]
mod secret_service;
mod syncing;
#[cfg(test)]
mod testing;
mod walking;
mod words;

pub use commands::{Failure, run};
pub use host::{Event, Host, Listener};
pub use map::Map;
pub use media::{Picture, attach, photo};
pub use platform::Platform;
#[cfg(target_os = "linux")]
pub use secret_service::SecretService;
pub use syncing::run as sync_in_background;
pub use walking::run as walk;
pub use words::Words;
