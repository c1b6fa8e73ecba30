//! A data folder on a disk of its own that is full, or may only be read, with the real program.
//!
//! Mounting needs root; elsewhere the test says that it was skipped.

use std::path::Path;
use std::process::Command;

use crate::GRID;
use crate::phone::Phone;
use crate::town::Town;

/// A small file system of its own.
struct Disk<'a>(&'a Path);

impl<'a> Disk<'a> {
    /// None where this person may not mount.
    fn mount(at: &'a Path) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=4m", "yaoguan-test"]).arg(at);
        let mounted = mount.output().is_ok_and(|output| output.status.success());
        mounted.then_some(Self(at))
    }

    fn remount(&self, how: &str) {
        let done =
            Command::new("mount").args(["-o", &format!("remount,{how}")]).arg(self.0).status();
        assert!(done.unwrap().success());
    }

    /// Takes all the space that is left.
    fn fill(&self) {
        use std::io::Write as _;
        let mut file = std::fs::File::create(self.0.join("filler")).unwrap();
        for size in [65_536, 4_096, 512, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
    }

    fn free(&self) {
        std::fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

fn assert_said(phone: &Phone, code: &str, zh: &str, en: &str) {
    let add = ["add", "hazard", "--set", "category=fire", "--set", "title=lost"];
    assert_eq!(phone.refused(&add), code);
    for (lang, words) in [("zh", zh), ("en", en)] {
        let ran = phone.say(lang, &add);
        assert_eq!(ran.code, Some(1), "{ran}");
        assert!(ran.err.contains(words), "{ran}");
        assert!(ran.out.is_empty(), "nothing is said to be saved: {ran}");
    }
}

#[test]
fn a_full_and_a_read_only_disk_are_said_and_lose_nothing() {
    let town = Town::serving();
    let bare = town.bare_phone("a");
    let Some(disk) = Disk::mount(&bare.data) else {
        return println!("skipped 1 test: mounting needs root");
    };
    let phone = town.phone("a", "chief", GRID);
    let id = phone.add("hazard", &["category=fire", "title=kept"]);

    disk.fill();
    assert_said(
        &phone,
        "disk_full",
        "磁盘已满。没有保存任何内容",
        "The disk is full. Nothing was saved",
    );
    assert_eq!(phone.show(&id)["fields"]["title"], "kept", "what is there can be read");
    assert_eq!(phone.hazards(), 1);
    disk.free();
    let second = phone.add("hazard", &["category=fire", "title=second"]);

    disk.remount("ro");
    assert_said(
        &phone,
        "read_only",
        "数据文件夹不可写。没有保存任何内容",
        "cannot be written. Nothing was saved",
    );
    assert_eq!(phone.show(&second)["fields"]["title"], "second");
    disk.remount("rw");
    assert_eq!(phone.hazards(), 2);
    assert_eq!(phone.sync()["sent"], 2);
    phone.assert_sound();
    assert_eq!(town.hazards(), 2);
}
