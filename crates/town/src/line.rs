//! The marker outside the data folder: how far this town's line of history has come.
//!
//! A database file that was put back from a copy does not know that it is old. The marker beside the folder
//! does: it names the line (the epoch) and a feed position that the line had reached. It lies in no backup,
//! is written at most once a second, and says less than the database, never more.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use yaoguan_wire::Epoch;

use crate::error::TownError;

/// What the marker says, and where it is.
#[derive(Debug, Clone)]
pub struct Line {
    file: PathBuf,
    written: Option<Mark>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    pub epoch: Epoch,
    pub position: u64,
}

impl Line {
    /// Reads the marker. One that cannot be read is none: the line is then renewed, which loses nothing.
    pub fn read(file: &Path) -> Self {
        let text = std::fs::read(file).ok();
        let written = text.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Self { file: file.to_owned(), written }
    }

    /// What the marker says; nothing where there is none.
    pub fn mark(&self) -> Option<Mark> {
        self.written
    }

    /// Whether a database that stands here is this line, as far as it had come.
    pub fn is_continued_by(&self, here: Mark) -> bool {
        self.written.is_some_and(|mark| mark.epoch == here.epoch && mark.position <= here.position)
    }

    /// Writes the marker, durably and as a whole, when it says something new.
    pub fn write(&mut self, mark: Mark) -> Result<(), TownError> {
        if self.written == Some(mark) {
            return Ok(());
        }
        let mut name = self.file.clone().into_os_string();
        // Processes on one town may share the folder.
        name.push(format!(".{}.new", std::process::id()));
        let new = PathBuf::from(name);
        let mut out = private(&new)?;
        out.write_all(&serde_json::to_vec(&mark).map_err(std::io::Error::other)?)?;
        out.sync_all()?;
        drop(out);
        std::fs::rename(&new, &self.file)?;
        sync_folder_of(&self.file)?;
        self.written = Some(mark);
        Ok(())
    }
}

/// A new file that its owner alone may read, in place of one that is there.
pub fn private(file: &Path) -> std::io::Result<std::fs::File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(file)
}

/// A renamed file is durable once its folder is.
pub fn sync_folder_of(file: &Path) -> std::io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    std::fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_knows_its_line_and_how_far_it_came() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("town.line");
        let mark = |epoch, position| Mark { epoch: Epoch::new([epoch; 16]), position };
        let mut line = Line::read(&file);
        assert!(!line.is_continued_by(mark(1, 0)), "without a marker no file is known");
        line.write(mark(1, 7)).unwrap();
        let line = Line::read(&file);
        assert!(line.is_continued_by(mark(1, 7)) && line.is_continued_by(mark(1, 8)));
        assert!(!line.is_continued_by(mark(1, 6)), "an older copy");
        assert!(!line.is_continued_by(mark(2, 9)), "another line");
        std::fs::write(&file, b"{").unwrap();
        assert!(!Line::read(&file).is_continued_by(mark(1, 9)));
    }
}
