//! The key under a PIN of six digits: `phone.key.pin`.
//!
//! XChaCha20-Poly1305 under a key that Argon2id (RFC 9106) makes of the PIN and 16 random bytes. A million
//! PINs are few, so the work of one try is large, and on the phone tries are slowed (`tries`).
//! - Without a key store that is all there is: somebody who has copied the folder can try all PINs, at the
//!   price of [`M_KIB`] and [`T`] for each.
//! - With a key store (`bound`) the key itself is also in it, and is Argon2id's secret input: a copy of
//!   the folder alone gives nothing to try PINs on, and whoever has forgotten theirs can be given a new one.
//!
//! Everything but the nonce and the sealed key is authenticated with them: a file that was altered does not
//! open. A changed PIN is a new file in the place of the old one; no state between the two is ever there.

use std::path::{Path, PathBuf};

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};
use yaoguan_model::Env;
use yaoguan_store::Key;
use zeroize::{Zeroize as _, Zeroizing};

use super::{random, tries};
use crate::durable;
use crate::error::FieldError;
use crate::folder::io;

/// Digits of a PIN.
pub const PIN_DIGITS: usize = 6;
/// Memory, passes and lanes of Argon2id: RFC 9106's second recommended option, for memory that is scarce.
pub const M_KIB: u32 = 64 * 1024;
pub const T: u32 = 3;
pub const P: u32 = 4;
/// A file that asks for more memory than this was not written by this program.
const MAX_M_KIB: u32 = 256 * 1024;
const MAX_T: u32 = 16;
const VERSION: u8 = 1;
const SALT_BYTES: usize = 16;
const NONCE_BYTES: usize = 24;

/// Six digits that a person can keep; overwritten when dropped.
#[derive(Clone)]
pub struct Pin(String);

impl Pin {
    /// # Errors
    /// [`FieldError::BadPin`] for anything but six digits; [`FieldError::WeakPin`] for one digit six times
    /// and for digits in a row.
    pub fn new(mut digits: String) -> Result<Self, FieldError> {
        let bytes = digits.as_bytes();
        let good = bytes.len() == PIN_DIGITS && bytes.iter().all(u8::is_ascii_digit);
        let steps = |by: u8| {
            let after =
                |pair: &[u8]| pair.first().map(|a| a.wrapping_add(by)) == pair.get(1).copied();
            bytes.windows(2).all(after)
        };
        let weak = steps(0) || steps(1) || steps(u8::MAX);
        if good && !weak {
            return Ok(Self(digits));
        }
        digits.zeroize();
        Err(if good { FieldError::WeakPin } else { FieldError::BadPin })
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl std::fmt::Debug for Pin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pin(…)")
    }
}

/// What stands in `phone.key.pin`.
#[derive(Debug, Serialize, Deserialize)]
struct Wrapped {
    version: u8,
    /// `argon2id`.
    kdf: String,
    m_kib: u32,
    t: u32,
    p: u32,
    /// Base64, as `nonce` and `sealed`.
    salt: String,
    /// Whether the key store's copy of the key is needed too.
    bound: bool,
    nonce: String,
    sealed: String,
}

/// The file of a data folder.
pub(crate) struct PinFile {
    data: PathBuf,
}

impl PinFile {
    pub(crate) fn within(data: &Path) -> Self {
        Self { data: data.to_owned() }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.data.join("phone.key.pin")
    }

    pub(crate) fn exists(&self) -> bool {
        self.path().exists()
    }

    /// How long the next try has to wait, in milliseconds.
    pub(crate) fn wait_ms(&self, env: &dyn Env) -> Result<i64, FieldError> {
        tries::wait_ms(&self.data, env)
    }

    /// Whether the file needs the key store's copy.
    pub(crate) fn is_bound(&self) -> bool {
        self.read().is_ok_and(|wrapped| wrapped.bound)
    }

    /// The key, if the PIN is right; `stored` is the key store's copy. A wrong PIN is counted before it
    /// is tried, so that nobody gains by ending the program meanwhile.
    pub(crate) fn open(
        &self,
        pin: &Pin,
        stored: Option<&Key>,
        env: &dyn Env,
    ) -> Result<Key, FieldError> {
        let wrapped = self.read()?;
        if wrapped.bound && stored.is_none() {
            return Err(FieldError::KeyGone);
        }
        if self.wait_ms(env)? > 0 {
            return Err(FieldError::PinWait);
        }
        tries::count(&self.data, env)?;
        let secret = stored.filter(|_| wrapped.bound);
        let key = unwrap(&wrapped, pin, secret).ok_or(FieldError::WrongPin)?;
        tries::forget(&self.data)?;
        Ok(key)
    }

    /// Puts the key under a PIN; bound when there is a copy in the key store.
    pub(crate) fn write(
        &self,
        key: &Key,
        pin: &Pin,
        bound: bool,
        env: &dyn Env,
    ) -> Result<(), FieldError> {
        let wrapped = wrap(key, pin, bound, env).ok_or(FieldError::BadPin)?;
        let path = self.path();
        let text = serde_json::to_vec(&wrapped).map_err(|e| FieldError::Protocol(e.to_string()))?;
        durable::replace(&path, &text).map_err(|e| io(&path, e))?;
        tries::forget(&self.data)
    }

    fn read(&self) -> Result<Wrapped, FieldError> {
        let path = self.path();
        let text = std::fs::read(&path).map_err(|e| io(&path, e))?;
        let wrapped: Wrapped =
            serde_json::from_slice(&text).map_err(|e| io(&path, std::io::Error::other(e)))?;
        let known = wrapped.version == VERSION
            && wrapped.kdf == "argon2id"
            && wrapped.m_kib <= MAX_M_KIB
            && wrapped.t <= MAX_T;
        if known {
            Ok(wrapped)
        } else {
            Err(io(&path, std::io::Error::other("written by a later program")))
        }
    }
}

/// What is authenticated beside the key itself.
fn header(wrapped: &Wrapped) -> String {
    let Wrapped { version, kdf, m_kib, t, p, salt, bound, .. } = wrapped;
    format!("yaoguan pin v{version} {kdf} m={m_kib} t={t} p={p} salt={salt} bound={bound}")
}

fn cipher(wrapped: &Wrapped, pin: &Pin, secret: Option<&Key>) -> Option<XChaCha20Poly1305> {
    let params = Params::new(wrapped.m_kib, wrapped.t, wrapped.p, Some(32)).ok()?;
    let secret: &[u8] = secret.map_or(&[], |key| &key.0);
    let argon2 =
        Argon2::new_with_secret(secret, Algorithm::Argon2id, Version::V0x13, params).ok()?;
    let salt = BASE64.decode(&wrapped.salt).ok()?;
    let mut derived = Zeroizing::new([0; 32]);
    argon2.hash_password_into(pin.0.as_bytes(), &salt, derived.as_mut()).ok()?;
    XChaCha20Poly1305::new_from_slice(derived.as_ref()).ok()
}

fn wrap(key: &Key, pin: &Pin, bound: bool, env: &dyn Env) -> Option<Wrapped> {
    let salt: [u8; SALT_BYTES] = random(env);
    let nonce: [u8; NONCE_BYTES] = random(env);
    let mut wrapped = Wrapped {
        version: VERSION,
        kdf: "argon2id".to_owned(),
        m_kib: M_KIB,
        t: T,
        p: P,
        salt: BASE64.encode(salt),
        bound,
        nonce: BASE64.encode(nonce),
        sealed: String::new(),
    };
    let cipher = cipher(&wrapped, pin, bound.then_some(key))?;
    let aad = header(&wrapped);
    let payload = Payload { msg: &key.0, aad: aad.as_bytes() };
    wrapped.sealed = BASE64.encode(cipher.encrypt(&XNonce::from(nonce), payload).ok()?);
    Some(wrapped)
}

fn unwrap(wrapped: &Wrapped, pin: &Pin, secret: Option<&Key>) -> Option<Key> {
    let nonce: [u8; NONCE_BYTES] = BASE64.decode(&wrapped.nonce).ok()?.try_into().ok()?;
    let sealed = BASE64.decode(&wrapped.sealed).ok()?;
    let aad = header(wrapped);
    let payload = Payload { msg: &sealed, aad: aad.as_bytes() };
    let opened = cipher(wrapped, pin, secret)?.decrypt(&XNonce::from(nonce), payload).ok()?;
    let opened = Zeroizing::new(opened);
    Some(Key(opened.as_slice().try_into().ok()?))
}
