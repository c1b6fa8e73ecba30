//! The data folder, its disk, the key file.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::Check;
use crate::error::TownError;
use crate::key_file;

/// Free space below which the town soon stops taking saves, and below which somebody should see to it.
pub const FREE_BAD: u64 = 512 << 20;
pub const FREE_LOW: u64 = 4 << 30;
/// File systems that lie on another machine: their locks and their durability are not to be relied on.
const NETWORK: [&str; 8] = ["nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "ceph", "glusterfs"];
const MIB: u64 = 1 << 20;

pub(super) fn folder(data: &Path) -> Check {
    const NAME: &str = "data_folder";
    if !data.is_dir() {
        return Check::bad(NAME, "data_missing").about(data);
    }
    match tempfile_in(data) {
        Ok(()) => Check::ok(NAME, "data_writable").about(data),
        Err(error) => Check::bad(NAME, "data_not_writable").about(data).with("detail", error),
    }
}

/// A file is written, made durable and removed: what the database needs of the folder.
fn tempfile_in(data: &Path) -> std::io::Result<()> {
    let path = data.join(format!("doctor-{}.tmp", std::process::id()));
    let written = std::fs::File::create(&path).and_then(|mut file| {
        std::io::Write::write_all(&mut file, b"doctor")?;
        file.sync_all()
    });
    let removed = std::fs::remove_file(&path);
    written.and(removed)
}

/// Everything in the folder belongs to whom the folder belongs, and others have no rights on it.
pub(super) fn owner(data: &Path) -> Check {
    const NAME: &str = "data_owner";
    let Ok(folder) = std::fs::metadata(data) else {
        return Check::bad(NAME, "data_missing").about(data);
    };
    for entry in std::fs::read_dir(data).into_iter().flatten().flatten() {
        let foreign = entry.metadata().is_ok_and(|found| found.uid() != folder.uid());
        if foreign {
            return Check::bad(NAME, "foreign_file").about(&entry.path()).with("uid", folder.uid());
        }
    }
    if folder.mode() & 0o007 != 0 {
        return Check::warn(NAME, "data_open").about(data);
    }
    Check::ok(NAME, "data_owned").with("uid", folder.uid())
}

pub(super) fn free_space(data: &Path) -> Check {
    match rustix::fs::statvfs(data) {
        Ok(disk) => judge_free(disk.f_bavail.saturating_mul(disk.f_frsize)),
        Err(error) => Check::warn("free_space", "free_unknown").with("detail", error),
    }
}

fn judge_free(free: u64) -> Check {
    const NAME: &str = "free_space";
    let check = match free {
        free if free < FREE_BAD => Check::bad(NAME, "disk_full"),
        free if free < FREE_LOW => Check::warn(NAME, "disk_low"),
        _ => Check::ok(NAME, "disk_free"),
    };
    check.with("free", free / MIB).with("low", FREE_LOW / MIB).with("bad", FREE_BAD / MIB)
}

pub(super) fn file_system(data: &Path) -> Check {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let real = data.canonicalize().unwrap_or_else(|_| data.to_owned());
    judge_mount(&mounts, &real)
}

/// `mountinfo` has lines `… … … root MOUNTPOINT … - TYPE …` (proc_pid_mountinfo(5)).
fn judge_mount(mounts: &str, data: &Path) -> Check {
    const NAME: &str = "file_system";
    let mount = |line: &str| {
        let (left, right) = line.split_once(" - ")?;
        let point = left.split(' ').nth(4)?.replace("\\040", " ");
        let depth = Path::new(&point).components().count();
        let kind = right.split(' ').next()?.to_owned();
        data.starts_with(&point).then_some((depth, kind))
    };
    // A later mount on the same point lies on top of the earlier one.
    let kind = mounts.lines().filter_map(mount).max_by_key(|(depth, _)| *depth);
    match kind {
        Some((_, kind)) if NETWORK.contains(&kind.as_str()) => {
            Check::bad(NAME, "network_disk").with("kind", kind)
        }
        Some((_, kind)) => Check::ok(NAME, "local_disk").with("kind", kind),
        None => Check::ok(NAME, "local_disk").with("kind", "?"),
    }
}

pub(super) fn key(file: &Path, data: &Path) -> Check {
    const NAME: &str = "key_file";
    match key_file::read(file, data) {
        Ok(_) => Check::ok(NAME, "key_there").about(file),
        Err(TownError::KeyInside(_)) => Check::bad(NAME, "key_inside").about(file),
        Err(TownError::KeyExposed(_)) => Check::bad(NAME, "key_exposed").about(file),
        Err(_) if !file.exists() => Check::bad(NAME, "key_missing").about(file),
        Err(_) => Check::bad(NAME, "key_unreadable").about(file),
    }
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    #[test]
    fn free_space_is_judged_by_its_named_thresholds() {
        assert_eq!(judge_free(FREE_BAD - 1).found, "disk_full");
        assert_eq!(judge_free(FREE_BAD).found, "disk_low");
        assert_eq!(judge_free(FREE_LOW - 1).state, State::Warn);
        assert_eq!(judge_free(FREE_LOW).found, "disk_free");
    }

    #[test]
    fn the_disk_is_that_of_the_deepest_mount() {
        let mounts = "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n\
                      2 1 0:40 / /srv rw shared:1 - nfs4 nas:/srv rw\n\
                      3 2 8:2 / /srv/town rw - xfs /dev/sdb1 rw\n";
        assert_eq!(judge_mount(mounts, Path::new("/srv/town/data")).found, "local_disk");
        assert_eq!(judge_mount(mounts, Path::new("/srv/other")).found, "network_disk");
        assert_eq!(judge_mount(mounts, Path::new("/var/lib")).found, "local_disk");
        assert_eq!(judge_mount("", Path::new("/var/lib")).state, State::Ok);
    }
}
