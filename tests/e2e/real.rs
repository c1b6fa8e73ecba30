//! Real input: the files of `../shared/data` beside the repository.

use std::path::{Path, PathBuf};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// A file of the repository.
pub(crate) fn own(path: &str) -> PathBuf {
    Path::new(ROOT).join(path)
}

/// A real file. Where the folder may be absent (`SHARED_OPTIONAL=1`) the test is skipped, and says so.
pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(ROOT).join("../shared/data").join(name);
    if path.exists() {
        return Some(path);
    }
    let optional = std::env::var("SHARED_OPTIONAL").as_deref() == Ok("1");
    assert!(optional, "{} is absent", path.display());
    println!("skipped 1 test: {} is absent", path.display());
    None
}

/// The mapping that the project gives for the landslides.
pub(crate) fn mapping() -> PathBuf {
    own("crates/exchange/mappings/nasa-landslides.toml")
}

/// Some rows of the landslides as a table of their own, cut from the real bytes. A row is a line here:
/// rows whose cells hold line ends are left out, so that a cut never falls inside one.
pub(crate) fn some_rows(table: &Path, skip: usize, take: usize) -> Vec<u8> {
    let bytes = std::fs::read(table).unwrap();
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n');
    let mut cut = lines.next().unwrap().to_vec();
    let closed = |line: &[u8]| line.iter().filter(|byte| **byte == b'"').count() % 2 == 0;
    let dated = |line: &[u8]| line.first().is_some_and(u8::is_ascii_digit);
    let whole = lines.filter(|line| closed(line) && dated(line));
    cut.extend(whole.skip(skip).take(take).flatten());
    cut
}
