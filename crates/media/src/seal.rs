//! Files at rest: encrypted in chunks, so that any part can be read without the rest.
//!
//! `YGB` and a version byte, 19 random bytes, then chunks of 64 KiB of plain text, each with its tag of 16
//! bytes. The construction is STREAM (Hoang, Reyhanitabar, Rogaway, Vizár, *Online Authenticated-Encryption
//! and its Nonce-Reuse Misuse-Resistance*, 2015) over XChaCha20-Poly1305: the nonce of a chunk is the 19
//! bytes, its index, and whether it is the last. A chunk in another place, a missing end, or another key
//! does not open. The key comes from the database's key by HKDF-SHA-256 (RFC 5869).

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use aead_stream::{NewStream as _, StreamBE32, StreamPrimitive as _};
use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::Payload;
use hkdf::Hkdf;
use sha2::Sha256;
use yaoguan_model::Env;

/// First bytes of a sealed file, and its version.
const HEADER: &[u8; 4] = b"YGB\x01";
const PREFIX_BYTES: usize = 19;
const FIRST_CHUNK: u64 = (HEADER.len() + PREFIX_BYTES) as u64;
/// Plain bytes of a chunk.
pub const CHUNK_BYTES: usize = 64 * 1024;
const TAG_BYTES: usize = 16;
const SEALED_CHUNK_BYTES: u64 = (CHUNK_BYTES + TAG_BYTES) as u64;

/// What a key is for: two uses never share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Blobs,
}

/// A key for one purpose.
#[derive(Clone)]
pub struct SealKey(pub(crate) [u8; 32]);

impl std::fmt::Debug for SealKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealKey(…)")
    }
}

impl SealKey {
    /// From the 32 random bytes that open the database.
    pub fn derive(database_key: &[u8; 32], purpose: Purpose) -> Self {
        let label: &[u8] = match purpose {
            Purpose::Blobs => b"yaoguan blobs v1",
        };
        let mut key = [0; 32];
        // HKDF gives up to 8,160 bytes: 32 never fail.
        if Hkdf::<Sha256>::new(None, database_key).expand(label, &mut key).is_err() {
            std::process::abort();
        }
        Self(key)
    }
}

/// Why a sealed file does not open.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("not a file of this program, or of a later version of it")]
    Foreign,
    #[error("another key, or the file was altered or cut (chunk {0})")]
    Broken(u64),
}

type Stream = StreamBE32<XChaCha20Poly1305>;

/// Random bytes for nonces.
pub(crate) fn random<const N: usize>(env: &dyn Env) -> [u8; N] {
    let mut bytes = [0; N];
    let random = std::iter::repeat_with(|| env.random_16()).flatten();
    bytes.iter_mut().zip(random).for_each(|(byte, random)| *byte = random);
    bytes
}

/// Encrypts a whole file.
pub fn seal(key: &SealKey, plain: &[u8], env: &dyn Env) -> Vec<u8> {
    let prefix: [u8; PREFIX_BYTES] = random(env);
    let stream = Stream::new(&key.0.into(), &prefix.into());
    let chunks = plain.len().div_ceil(CHUNK_BYTES).max(1);
    let mut sealed =
        Vec::with_capacity(HEADER.len() + PREFIX_BYTES + plain.len() + chunks * TAG_BYTES);
    sealed.extend_from_slice(HEADER);
    sealed.extend_from_slice(&prefix);
    for index in 0..chunks {
        let from = index * CHUNK_BYTES;
        let msg = plain.get(from..plain.len().min(from + CHUNK_BYTES)).unwrap_or_default();
        let position = u32::try_from(index);
        let chunk = position.ok().and_then(|position| {
            stream.encrypt(position, index + 1 == chunks, Payload { msg, aad: HEADER }).ok()
        });
        // Only a message of 256 GiB fails; what is kept here is a thousandth of a thousandth of it.
        let Some(chunk) = chunk else { std::process::abort() };
        sealed.extend_from_slice(&chunk);
    }
    sealed
}

/// A sealed file, open for reading.
pub struct Sealed<R> {
    reader: R,
    stream: Stream,
    plain_len: u64,
    chunks: u64,
}

impl<R: Read + Seek> Sealed<R> {
    /// Opens it; the end is looked at first, so that a file that was cut says so before anything is read.
    pub fn open(key: &SealKey, mut reader: R) -> Result<Self, SealError> {
        let end = reader.seek(SeekFrom::End(0))?;
        reader.seek(SeekFrom::Start(0))?;
        let mut header = [0; HEADER.len()];
        let mut prefix = [0; PREFIX_BYTES];
        if end < FIRST_CHUNK {
            return Err(SealError::Foreign);
        }
        reader.read_exact(&mut header)?;
        reader.read_exact(&mut prefix)?;
        if &header != HEADER {
            return Err(SealError::Foreign);
        }
        let sealed = end - FIRST_CHUNK;
        let chunks = sealed.div_ceil(SEALED_CHUNK_BYTES).max(1);
        let tags = chunks * TAG_BYTES as u64;
        let plain_len = sealed.checked_sub(tags).ok_or(SealError::Broken(0))?;
        let stream = Stream::new(&key.0.into(), &prefix.into());
        let mut open = Self { reader, stream, plain_len, chunks };
        open.chunk(chunks - 1)?;
        Ok(open)
    }

    /// Length of the plain text.
    pub fn len(&self) -> u64 {
        self.plain_len
    }

    pub fn is_empty(&self) -> bool {
        self.plain_len == 0
    }

    /// The bytes of a range, clipped to the file; only the chunks that it touches are read.
    pub fn read(&mut self, range: Range<u64>) -> Result<Vec<u8>, SealError> {
        let range = range.start..range.end.min(self.plain_len);
        let mut plain = Vec::new();
        if range.is_empty() {
            return Ok(plain);
        }
        let size = CHUNK_BYTES as u64;
        for index in range.start / size..=(range.end - 1) / size {
            let chunk = self.chunk(index)?;
            let start = index * size;
            let within = |at: u64| usize::try_from(at.saturating_sub(start)).unwrap_or(usize::MAX);
            let (from, to) = (within(range.start), within(range.end).min(chunk.len()));
            plain.extend_from_slice(chunk.get(from..to).unwrap_or_default());
        }
        Ok(plain)
    }

    /// The whole file.
    pub fn read_all(&mut self) -> Result<Vec<u8>, SealError> {
        self.read(0..self.plain_len)
    }

    fn chunk(&mut self, index: u64) -> Result<Vec<u8>, SealError> {
        let broken = || SealError::Broken(index);
        let position = u32::try_from(index).map_err(|_| broken())?;
        self.reader.seek(SeekFrom::Start(FIRST_CHUNK + index * SEALED_CHUNK_BYTES))?;
        let mut msg = Vec::new();
        self.reader.by_ref().take(SEALED_CHUNK_BYTES).read_to_end(&mut msg)?;
        let last = index + 1 == self.chunks;
        let payload = Payload { msg: &msg, aad: HEADER };
        self.stream.decrypt(position, last, payload).map_err(|_| broken())
    }
}
