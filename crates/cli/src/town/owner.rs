//! Run by root, the program does its work as the owner of the data folder: a file that root has made there
//! is one that the service cannot write.

use std::path::Path;

/// Starts the program anew as the owner, when this is root and the owner is somebody else. Returns only if
/// there is nothing to change, or if it cannot be done.
#[cfg(unix)]
pub(super) fn act_as_owner(data: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    use std::os::unix::process::CommandExt as _;

    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let data = std::path::absolute(data)?;
    // A folder that is yet to be made belongs to whom the folder above it belongs.
    let Some(found) = data.ancestors().find_map(|path| std::fs::metadata(path).ok()) else {
        return Ok(());
    };
    if found.uid() == 0 {
        return Ok(());
    }
    let mut program = std::process::Command::new(std::env::current_exe()?);
    program.args(std::env::args_os().skip(1)).uid(found.uid()).gid(found.gid());
    Err(program.exec())
}

#[cfg(not(unix))]
pub(super) fn act_as_owner(_: &Path) -> std::io::Result<()> {
    Ok(())
}
