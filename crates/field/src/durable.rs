//! Small files that are either the old or the new one, whatever happens between.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Writes a file beside `path`, and lets it take its place: durable when this returns, for its owner's
/// eyes alone.
pub fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let new = beside(path, &format!(".{}.new", std::process::id()));
    let mut file = create_private(&new, false)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&new, path)?;
    sync_names(path)
}

/// Removes a file for good; one that is not there is removed already.
pub fn remove(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(()) => sync_names(path),
    }
}

/// A file of mode 600; `fresh` refuses one that is there.
pub fn create_private(path: &Path, fresh: bool) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(!fresh).create_new(fresh);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)
}

/// A name is durable once its folder is.
pub fn sync_names(path: &Path) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// The same name with more at its end.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
