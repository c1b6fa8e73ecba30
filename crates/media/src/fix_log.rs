//! The fixes of a patrol that is still going on: a file that only grows, one write and one fsync a fix.
//!
//! `YGF` and a version byte, then frames: length (two bytes, little-endian), 24 random bytes of nonce, and
//! an entry encrypted with XChaCha20-Poly1305, whose tag is the checksum. What a frame is bound to is its
//! number: frames in another order do not open. A process that ends at any byte leaves whole frames and at
//! most one torn one, which is the fix that nobody was told was kept. A damaged frame in the middle is
//! counted and passed over.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use yaoguan_model::geodesy::Fix;
use yaoguan_model::{Env, Position, RecordId};

use crate::seal::{SealKey, random};
use crate::varint;

const HEADER: &[u8; 4] = b"YGF\x01";
const LENGTH_BYTES: usize = 2;
const NONCE_BYTES: usize = 24;
/// An entry is at most a byte, four numbers of ten bytes, and a tag: longer frames are damage.
const MAX_FRAME_BYTES: usize = 256;

const PATROL: u8 = 0;
const FIX: u8 = 1;
const PAUSE: u8 = 2;

/// Why a log cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("not a log of fixes, or of a later version of it")]
    Foreign,
    #[error("another key wrote this log")]
    WrongKey,
}

/// What a log holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// None when the process ended before the first frame was whole.
    pub patrol: Option<RecordId>,
    /// A pause ends a segment.
    pub segments: Vec<Vec<Fix>>,
    /// Frames that do not open.
    pub damaged: u64,
    /// Bytes of the torn frame at the end.
    pub torn_bytes: u64,
}

/// A log that is being written.
pub struct FixLog {
    file: File,
    key: SealKey,
    /// Number of the next frame.
    next: u32,
}

impl FixLog {
    /// Begins the log of a patrol; refuses where a log already is.
    pub fn create(
        path: &Path,
        key: &SealKey,
        env: &dyn Env,
        patrol: RecordId,
    ) -> Result<Self, LogError> {
        let mut file = OpenOptions::new().create_new(true).append(true).open(path)?;
        file.write_all(HEADER)?;
        let mut log = Self { file, key: key.clone(), next: 0 };
        let mut entry = vec![PATROL];
        entry.extend_from_slice(patrol.as_bytes());
        log.write(&entry, env)?;
        // The name too is to be there after a power cut.
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            File::open(folder)?.sync_all()?;
        }
        Ok(log)
    }

    /// Goes on with a log; a torn frame at its end is cut off.
    pub fn open(path: &Path, key: &SealKey) -> Result<(Self, Recorded), LogError> {
        let mut file = OpenOptions::new().read(true).write(true).open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let (recorded, next) = parse(&bytes, key)?;
        let whole = bytes.len() as u64 - recorded.torn_bytes;
        file.set_len(whole)?;
        file.seek(SeekFrom::Start(whole))?;
        file.sync_all()?;
        Ok((Self { file, key: key.clone(), next }, recorded))
    }

    /// Keeps a fix. It is durable when this returns.
    pub fn append(&mut self, fix: &Fix, env: &dyn Env) -> Result<(), LogError> {
        let mut entry = vec![FIX];
        varint::put_signed(&mut entry, fix.position.lat_e7);
        varint::put_signed(&mut entry, fix.position.lon_e7);
        for value in [fix.at_ms, fix.accuracy_cm] {
            entry.push(u8::from(value.is_some()));
            value.into_iter().for_each(|value| varint::put_signed(&mut entry, value));
        }
        self.write(&entry, env)
    }

    /// Ends a segment: the person paused.
    pub fn pause(&mut self, env: &dyn Env) -> Result<(), LogError> {
        self.write(&[PAUSE], env)
    }

    fn write(&mut self, entry: &[u8], env: &dyn Env) -> Result<(), LogError> {
        let nonce: [u8; NONCE_BYTES] = random(env);
        let payload = Payload { msg: entry, aad: &bound_to(self.next) };
        let sealed = cipher(&self.key).encrypt(&XNonce::from(nonce), payload);
        // Only a message of 256 GiB fails.
        let Ok(sealed) = sealed else { std::process::abort() };
        let length = u16::try_from(NONCE_BYTES + sealed.len()).unwrap_or(u16::MAX);
        let mut frame = length.to_le_bytes().to_vec();
        frame.extend_from_slice(&nonce);
        frame.extend_from_slice(&sealed);
        self.file.write_all(&frame)?;
        self.file.sync_data()?;
        self.next = self.next.wrapping_add(1);
        Ok(())
    }
}

/// Reads a log, also one that is being written.
pub fn read(bytes: &[u8], key: &SealKey) -> Result<Recorded, LogError> {
    parse(bytes, key).map(|(recorded, _)| recorded)
}

fn parse(bytes: &[u8], key: &SealKey) -> Result<(Recorded, u32), LogError> {
    let mut recorded =
        Recorded { patrol: None, segments: vec![Vec::new()], damaged: 0, torn_bytes: 0 };
    let Some(mut rest) = bytes.strip_prefix(HEADER.as_slice()) else {
        return Err(LogError::Foreign);
    };
    let (cipher, mut number, mut opened) = (cipher(key), 0_u32, 0_u64);
    while let Some((frame, after)) = next_frame(rest) {
        rest = after;
        let entry = frame.split_at_checked(NONCE_BYTES).and_then(|(nonce, sealed)| {
            let payload = Payload { msg: sealed, aad: &bound_to(number) };
            cipher.decrypt(&XNonce::try_from(nonce).ok()?, payload).ok()
        });
        number = number.wrapping_add(1);
        match entry.and_then(|entry| take_entry(&entry, &mut recorded)) {
            Some(()) => opened += 1,
            None => recorded.damaged += 1,
        }
    }
    recorded.torn_bytes = rest.len() as u64;
    if opened == 0 && recorded.damaged > 0 {
        return Err(LogError::WrongKey);
    }
    Ok((recorded, number))
}

/// The next whole frame, and what follows it.
fn next_frame(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<LENGTH_BYTES>()?;
    let length = usize::from(u16::from_le_bytes(*length));
    (length <= MAX_FRAME_BYTES).then(|| rest.split_at_checked(length)).flatten()
}

fn take_entry(entry: &[u8], recorded: &mut Recorded) -> Option<()> {
    let (sort, mut rest) = entry.split_first()?;
    match *sort {
        PATROL => recorded.patrol = Some(RecordId::from_bytes(rest.try_into().ok()?)),
        PAUSE => recorded.segments.push(Vec::new()),
        FIX => {
            let lat_e7 = varint::take_signed(&mut rest)?;
            let lon_e7 = varint::take_signed(&mut rest)?;
            let at_ms = take_optional(&mut rest)?;
            let accuracy_cm = take_optional(&mut rest)?;
            let fix = Fix { position: Position { lat_e7, lon_e7 }, at_ms, accuracy_cm };
            recorded.segments.last_mut()?.push(fix);
        }
        // Of a later program; its fixes are read all the same.
        _ => {}
    }
    Some(())
}

fn take_optional(bytes: &mut &[u8]) -> Option<Option<i64>> {
    let (there, rest) = bytes.split_first()?;
    *bytes = rest;
    if *there == 0 { Some(None) } else { varint::take_signed(bytes).map(Some) }
}

fn cipher(key: &SealKey) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&key.0.into())
}

/// What a frame is bound to: the format and its number.
fn bound_to(number: u32) -> [u8; 8] {
    let mut bound = [0; 8];
    let parts = HEADER.iter().copied().chain(number.to_be_bytes());
    bound.iter_mut().zip(parts).for_each(|(byte, part)| *byte = part);
    bound
}
