//! A Linux desktop's key store: the Secret Service (GNOME Keyring, KWallet), asked over D-Bus.
//!
//! A key is one item of the default collection, in base64, since not every service keeps bytes. Each time a
//! new connection is made: a service that was started anew is found. One that is not there, or does not
//! answer within [`WAIT`], is an error, and what follows from that is not decided here.

use std::collections::HashMap;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use keyring_core::api::CredentialStoreApi as _;
use keyring_core::{Entry, Error};
use yaoguan_field::FieldError;
use yaoguan_field::seal::{Key, KeySeal, KeyStore};
use zbus_secret_service_keyring_store::Store;
use zeroize::Zeroizing;

/// The items of this app: its identifier, and what a person sees in the desktop's list of them.
const APP: &str = "cn.yaoguan.smart";
const LABEL: &str = "智慧姚关 Smart Yaoguan";
/// A person may have to unlock the service first, in a window of its own.
const WAIT: Duration = Duration::from_secs(120);

/// The session's Secret Service.
pub struct SecretService;

impl KeyStore for SecretService {
    fn of(&self, name: &str) -> Arc<dyn KeySeal> {
        Arc::new(Item(name.to_owned()))
    }
}

struct Item(String);

impl KeySeal for Item {
    fn unseal(&self) -> Result<Option<Key>, FieldError> {
        let name = self.0.clone();
        let text = within(WAIT, move || match entry(&name)?.get_password() {
            Ok(text) => Ok(Some(Zeroizing::new(text))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(error),
        })?;
        let Some(text) = text else { return Ok(None) };
        let bytes = BASE64.decode(text.as_bytes()).ok().map(Zeroizing::new);
        let key = bytes.and_then(|bytes| bytes.as_slice().try_into().ok());
        let key = key.ok_or_else(|| FieldError::KeyStore("the item holds no key".to_owned()))?;
        Ok(Some(Key(key)))
    }

    fn seal(&self, key: &Key) -> Result<(), FieldError> {
        let (name, text) = (self.0.clone(), Zeroizing::new(BASE64.encode(key.0)));
        within(WAIT, move || entry(&name)?.set_password(&text))
    }
}

fn entry(name: &str) -> Result<Entry, Error> {
    Store::new()?.build(APP, name, Some(&HashMap::from([("label", LABEL)])))
}

/// The service may never answer: then the thread that asked it is left behind.
fn within<R: Send + 'static>(
    wait: Duration,
    ask: impl FnOnce() -> Result<R, Error> + Send + 'static,
) -> Result<R, FieldError> {
    let (answer, heard) = mpsc::channel();
    std::thread::spawn(move || answer.send(ask()));
    let heard =
        heard.recv_timeout(wait).map_err(|error| FieldError::KeyStore(error.to_string()))?;
    heard.map_err(|error| FieldError::KeyStore(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_that_does_not_answer_is_an_error_and_not_a_hang() {
        let (_kept, never) = mpsc::channel::<()>();
        let asked = within(Duration::from_millis(10), move || {
            _ = never.recv();
            Ok(())
        });
        assert!(matches!(asked, Err(FieldError::KeyStore(_))));
    }
}
