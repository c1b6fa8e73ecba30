//! The log, in a file beside the data: names of commands, codes, moments. No input, no field of a record,
//! no token, no key.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::Mutex;

const FILE: &str = "app.log";
const BEFORE: &str = "app.log.1";
/// A log that is longer when the app starts becomes the one before.
const MAX_BYTES: u64 = 1 << 20;

/// Writes from now on into `dir`, panics by their place alone.
pub(crate) fn start(dir: &Path) -> io::Result<()> {
    let file = open(dir)?;
    // A second start within one process (Android's activity) keeps the first one's file.
    _ = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(tracing::Level::INFO)
        .with_writer(Mutex::new(file))
        .try_init();
    std::panic::set_hook(Box::new(|panic| {
        tracing::error!(at = panic.location().map(tracing::field::display), "panicked");
    }));
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "started");
    Ok(())
}

fn open(dir: &Path) -> io::Result<File> {
    let path = dir.join(FILE);
    if std::fs::metadata(&path).is_ok_and(|found| found.len() > MAX_BYTES) {
        std::fs::rename(&path, dir.join(BEFORE))?;
    }
    OpenOptions::new().create(true).append(true).open(path)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_log_grows_to_its_limit_and_then_begins_anew() {
        let dir = tempfile::tempdir().unwrap();
        let of = |name: &str| std::fs::metadata(dir.path().join(name)).map(|found| found.len());
        open(dir.path()).unwrap().write_all(&vec![b'x'; 1 << 20]).unwrap();
        open(dir.path()).unwrap().write_all(b"y").unwrap();
        assert_eq!(of(FILE).unwrap(), MAX_BYTES + 1);
        open(dir.path()).unwrap();
        assert_eq!((of(FILE).unwrap(), of(BEFORE).unwrap()), (0, MAX_BYTES + 1));
    }
}
