//! Where the key of a phone's database is kept. The key is 32 random bytes and never changes; what
//! changes is what it is sealed in.
//!
//! The command line keeps it in a file ([`FileSeal`]). The app keeps it under a PIN (`pin`) and, where
//! the system has one, in its key store. While a person's store is open the key is in memory ([`Unsealed`]).

mod file;
pub(crate) mod pin;
mod tries;

use std::sync::Arc;

use yaoguan_model::Env;

use crate::error::FieldError;

pub use file::FileSeal;
pub use pin::Pin;
pub use yaoguan_store::Key;

/// Keeps one key.
pub trait KeySeal: Send + Sync {
    /// The key; none when none was sealed here.
    fn unseal(&self) -> Result<Option<Key>, FieldError>;
    /// Keeps the key instead of what was kept before. Durable when this returns.
    fn seal(&self, key: &Key) -> Result<(), FieldError>;
}

/// The system's own place for secrets: Secret Service on Linux, the Keystore on Android.
pub trait KeyStore: Send + Sync {
    /// Where the key of this name is kept.
    fn of(&self, name: &str) -> Arc<dyn KeySeal>;
}

/// The key of a store that is open; gone from memory with the last that holds it.
pub struct Unsealed(Key);

impl Unsealed {
    pub fn new(key: Key) -> Self {
        Self(key)
    }
}

impl KeySeal for Unsealed {
    fn unseal(&self) -> Result<Option<Key>, FieldError> {
        Ok(Some(self.0.clone()))
    }

    /// The key is the same for the store's whole life: there is nothing to keep.
    fn seal(&self, _key: &Key) -> Result<(), FieldError> {
        Ok(())
    }
}

/// A new key.
pub(crate) fn new_key(env: &dyn Env) -> Key {
    Key(random(env))
}

pub(crate) fn random<const N: usize>(env: &dyn Env) -> [u8; N] {
    let mut bytes = [0; N];
    let random = std::iter::repeat_with(|| env.random_16()).flatten();
    bytes.iter_mut().zip(random).for_each(|(byte, random)| *byte = random);
    bytes
}

#[cfg(test)]
mod tests;
