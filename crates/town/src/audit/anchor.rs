//! The head of the audit log, noted outside the database: a file that only grows, one line for each
//! transaction that wrote entries. So a log whose tail was cut off is found out.
//!
//! A line is `sequence hash mac`. The MAC (HMAC-SHA-256 under a key drawn from the database's) keeps
//! whoever can write the file but not open the database from making lines up. Two processes may write:
//! lines stand in no order.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use super::hex;
use crate::error::TownError;

/// What is read of a file to know its last heads: some twenty lines.
const TAIL_BYTES: u64 = 4_096;

/// Where heads are noted.
#[derive(Debug)]
pub struct Anchor {
    path: PathBuf,
    key: [u8; 32],
    /// The furthest head that this process noted or found noted.
    noted: AtomicU64,
}

/// What the file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Read {
    /// Sequence and hash of each head, as they stand in the file.
    pub heads: Vec<(u64, [u8; 32])>,
    /// Lines that cannot be read, or whose MAC is not this town's.
    pub damaged: usize,
}

impl Read {
    /// The furthest head.
    pub fn last(&self) -> u64 {
        self.heads.iter().map(|(sequence, _)| *sequence).max().unwrap_or(0)
    }
}

/// Beside a data folder: `<folder>.audit-head`.
pub fn default_file(dir: &Path) -> PathBuf {
    crate::data::beside(dir, ".audit-head")
}

impl Anchor {
    /// `database_key` is what the database is opened with.
    pub fn new(path: &Path, database_key: &[u8; 32]) -> Self {
        let key = mac(database_key, b"yaoguan audit head");
        Self { path: path.to_owned(), key, noted: AtomicU64::new(0) }
    }

    /// Goes on from the log's head; one that a crash kept from being noted is noted now.
    pub fn begin(&self, head: (u64, [u8; 32])) -> Result<(), TownError> {
        if self.ends_with(head)? {
            self.noted.store(head.0, Ordering::Relaxed);
        } else {
            self.follow(head);
        }
        Ok(())
    }

    /// Notes a head that is further than the last one. The act is done by then: a failure is logged, and the
    /// next act notes it.
    pub fn follow(&self, (sequence, hash): (u64, [u8; 32])) {
        if self.noted.load(Ordering::Relaxed) >= sequence {
            return;
        }
        match self.note(sequence, &hash) {
            Ok(()) => self.noted.store(sequence, Ordering::Relaxed),
            Err(error) => tracing::error!(%error, "the head of the audit log cannot be noted"),
        }
    }

    /// Notes a head, durably.
    pub fn note(&self, sequence: u64, hash: &[u8; 32]) -> Result<(), TownError> {
        let line = format!("{sequence} {} {}\n", hex(hash), hex(&self.mac(sequence, hash)));
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        // One write of a short line: appended as a whole, also beside another process.
        let mut file = options.open(&self.path)?;
        file.write_all(line.as_bytes())?;
        file.sync_data()?;
        Ok(())
    }

    /// Everything that was noted; nothing when there is no file.
    pub fn read(&self) -> Result<Read, TownError> {
        let text = match std::fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error.into()),
        };
        let mut read = Read::default();
        for line in text.lines() {
            match self.line(line) {
                Some(head) => read.heads.push(head),
                None => read.damaged += 1,
            }
        }
        Ok(read)
    }

    /// Whether a head is among the last ones that were noted. A long file is not read as a whole.
    pub fn ends_with(&self, head: (u64, [u8; 32])) -> Result<bool, TownError> {
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
        let mut tail = Vec::new();
        file.read_to_end(&mut tail)?;
        let text = String::from_utf8_lossy(&tail);
        let found = text.lines().any(|line| self.line(line) == Some(head));
        Ok(found)
    }

    fn line(&self, line: &str) -> Option<(u64, [u8; 32])> {
        let mut parts = line.split(' ');
        let sequence: u64 = parts.next()?.parse().ok()?;
        let hash = unhex(parts.next()?)?;
        let mac = unhex(parts.next()?)?;
        let fits = bool::from(self.mac(sequence, &hash).ct_eq(&mac));
        (fits && parts.next().is_none()).then_some((sequence, hash))
    }

    fn mac(&self, sequence: u64, hash: &[u8; 32]) -> [u8; 32] {
        let mut text = sequence.to_be_bytes().to_vec();
        text.extend_from_slice(hash);
        mac(&self.key, &text)
    }
}

fn mac(key: &[u8; 32], text: &[u8]) -> [u8; 32] {
    // A key of any length is taken: this never fails.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    mac.update(text);
    mac.finalize().into_bytes().into()
}

/// Thirty-two bytes from hexadecimal.
fn unhex(text: &str) -> Option<[u8; 32]> {
    let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() == 64)?;
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        if let [high, low] = pair {
            *byte = u8::try_from(high * 16 + low).ok()?;
        }
    }
    Some(bytes)
}
