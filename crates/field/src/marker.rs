//! The marker outside a phone's data folder and outside every backup of it: which installation wrote last,
//! the highest counter that it ever sent, and the token of that push.
//!
//! A folder that was copied, or brought back from a backup, does not agree with it. Then this phone may
//! not be the only one to write under its replica id, and takes a new one before its first write.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use yaoguan_model::canonical;

use crate::durable;

/// Names the state folder, instead of the one that the system names.
const STATE: &str = "YAOGUAN_STATE";

/// What a marker says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mark {
    pub install: [u8; 16],
    /// The highest counter ever sent.
    pub counter: u64,
    /// Of the last attempt to push; all zero before the first.
    pub last_push: [u8; 16],
}

/// A place that no copy and no backup of the data folder takes along.
pub trait Marker: Send + Sync {
    /// None when there is none, or none that can be read.
    fn read(&self) -> Option<Mark>;
    /// Durable when this returns `Ok`.
    fn write(&self, mark: Mark) -> std::io::Result<()>;
    /// What a person is told of the place.
    fn place(&self) -> String;
}

/// A file in the user's state folder, named by the hash of the data folder's path.
#[derive(Debug, Clone)]
pub struct FileMarker {
    /// None when the system names no state folder.
    state: Option<PathBuf>,
    data: PathBuf,
}

impl FileMarker {
    /// In the state folder of the user: `$YAOGUAN_STATE`, `$XDG_STATE_HOME/yaoguan` or
    /// `~/.local/state/yaoguan`.
    pub fn of_user(data: &Path) -> Self {
        let named = |name| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        let state = named(STATE)
            .or_else(|| Some(named("XDG_STATE_HOME")?.join("yaoguan")))
            .or_else(|| Some(named("HOME")?.join(".local/state/yaoguan")));
        Self { state, data: data.to_owned() }
    }

    /// In another state folder.
    pub fn within(state: &Path, data: &Path) -> Self {
        Self { state: Some(state.to_owned()), data: data.to_owned() }
    }

    fn path(&self) -> std::io::Result<PathBuf> {
        let state = self.state.as_ref().ok_or(std::io::ErrorKind::NotFound)?;
        let data = self.data.canonicalize()?;
        let hash = canonical::hash(data.as_os_str().as_encoded_bytes());
        Ok(state.join(format!("{}.mark", hex(&hash))))
    }
}

impl Marker for FileMarker {
    fn read(&self) -> Option<Mark> {
        parse(&std::fs::read_to_string(self.path().ok()?).ok()?)
    }

    fn write(&self, mark: Mark) -> std::io::Result<()> {
        let path = self.path()?;
        let folder = self.state.as_ref().ok_or(std::io::ErrorKind::NotFound)?;
        std::fs::create_dir_all(folder)?;
        durable::replace(&path, text(mark).as_bytes())
    }

    fn place(&self) -> String {
        let none = || self.data.display().to_string();
        self.state.as_ref().map_or_else(none, |state| state.display().to_string())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into a String cannot fail.
        _ = write!(text, "{byte:02x}");
        text
    })
}

/// Install id, counter, last push, and a hash over all of it: a marker that was altered is none.
fn text(mark: Mark) -> String {
    let said = format!("{} {} {}", hex(&mark.install), mark.counter, hex(&mark.last_push));
    format!("{said} {}\n", hex(&canonical::hash(said.as_bytes())))
}

fn parse(written: &str) -> Option<Mark> {
    let mut words = written.split_whitespace();
    let id = |word: Option<&str>| Some(u128::from_str_radix(word?, 16).ok()?.to_be_bytes());
    let install = id(words.next())?;
    let counter = words.next()?.parse().ok()?;
    let mark = Mark { install, counter, last_push: id(words.next())? };
    (text(mark) == written).then_some(mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_read_as_it_was_written_and_any_flipped_bit_makes_it_none() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        std::fs::create_dir(&data).unwrap();
        let marker = FileMarker::within(&dir.path().join("state"), &data);
        assert_eq!(marker.read(), None);
        let mark = Mark { install: [7; 16], counter: 41, last_push: [9; 16] };
        marker.write(mark).unwrap();
        assert_eq!(marker.read(), Some(mark));
        let path = marker.path().unwrap();
        let whole = std::fs::read(&path).unwrap();
        for bit in 0..whole.len() * 8 {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&path, flipped).unwrap();
            assert_eq!(marker.read(), None, "bit {bit}");
        }
        let mark = Mark { counter: 42, ..mark };
        marker.write(mark).unwrap();
        assert_eq!(marker.read(), Some(mark));
    }

    #[test]
    fn another_path_to_the_same_folder_is_the_same_and_a_copy_is_another() {
        let dir = tempfile::tempdir().unwrap();
        let (state, data, copy) =
            (dir.path().join("state"), dir.path().join("data"), dir.path().join("copy"));
        for folder in [&data, &copy] {
            std::fs::create_dir(folder).unwrap();
        }
        let mark = Mark { install: [1; 16], counter: 1, last_push: [2; 16] };
        FileMarker::within(&state, &data).write(mark).unwrap();
        let around = dir.path().join("data/../data");
        assert_eq!(FileMarker::within(&state, &around).read(), Some(mark));
        assert_eq!(FileMarker::within(&state, &copy).read(), None);
    }
}
