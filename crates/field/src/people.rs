//! Several people on one phone: a data folder each, with its own store, key and PIN.
//!
//! `people.json` in the app's folder lists them with name and grids alone: that much is shown before
//! anybody's PIN. A store that lies in the app's folder itself, as the command line makes it, is taken
//! over where it lies. A key that still lies in a file (an enrolment just made, or a folder taken over) is
//! moved under the PIN when one is set.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use yaoguan_model::Env;
use yaoguan_store::Key;

use crate::durable;
use crate::error::FieldError;
use crate::folder::{Folder, io};
use crate::home::Home;
use crate::phone::Phone;
use crate::seal::pin::PinFile;
use crate::seal::{FileSeal, KeySeal, KeyStore, Pin, Unsealed};
use crate::settings::Settings;

/// The one whose data lies in the app's folder itself.
const FIRST: &str = "first";

/// Somebody on the list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Person {
    id: String,
    name: String,
    grids: Vec<String>,
}

/// `people.json`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct List {
    version: u8,
    /// Names this app's keys in the system's key store.
    app: String,
    people: Vec<Person>,
    /// A folder whose enrolment is under way.
    pending: Option<String>,
    /// Who was there last.
    last: Option<String>,
    /// Language, text size and theme of who was there last, for the screen that asks for a PIN.
    #[serde(default)]
    settings: Settings,
}

/// Somebody on the list, as the screen shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, export_to = "field.ts"))]
pub struct PersonShown {
    pub id: String,
    pub name: String,
    pub grids: Vec<String>,
    pub has_pin: bool,
    /// A forgotten PIN can be replaced: the system's key store has the key too.
    pub can_reset: bool,
    /// Until the next try, in milliseconds; 0 when there is no wait.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub wait_ms: i64,
}

/// What the app does before anything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, export_to = "field.ts"))]
pub enum Lock {
    /// Nobody is enrolled.
    Nobody,
    /// Somebody has to enter a PIN.
    Locked,
    /// Somebody is in, and has yet to set one.
    PinMissing,
    Open,
}

/// Everybody on this phone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, export_to = "field.ts"))]
pub struct PeopleShown {
    pub lock: Lock,
    pub people: Vec<PersonShown>,
    /// Whose store is open.
    pub open: Option<String>,
    pub last: Option<String>,
}

/// The app's folder.
pub struct People {
    dir: PathBuf,
    env: Arc<dyn Env>,
    key_store: Option<Arc<dyn KeyStore>>,
    list: List,
}

impl People {
    /// Reads the list, and takes over a store that lies in the folder itself.
    pub fn open(
        dir: &Path,
        key_store: Option<Arc<dyn KeyStore>>,
        env: Arc<dyn Env>,
    ) -> Result<Self, FieldError> {
        let path = list_path(dir);
        let list = match std::fs::read(&path) {
            Ok(text) => {
                serde_json::from_slice(&text).map_err(|e| io(&path, std::io::Error::other(e)))?
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                List { version: 1, app: env.new_record_id().to_string(), ..List::default() }
            }
            Err(error) => return Err(io(&path, error)),
        };
        let mut people = Self { dir: dir.to_owned(), env, key_store, list };
        let stray = Folder(dir.to_owned()).database().exists();
        if stray && people.find(FIRST).is_none() {
            people.list.people.insert(0, Person { id: FIRST.to_owned(), ..Person::default() });
        }
        Ok(people)
    }

    pub fn shown(&self) -> Result<Vec<PersonShown>, FieldError> {
        let shown = |person: &Person| {
            let pin = PinFile::within(&self.folder(&person.id));
            Ok(PersonShown {
                id: person.id.clone(),
                name: person.name.clone(),
                grids: person.grids.clone(),
                has_pin: pin.exists(),
                can_reset: pin.is_bound(),
                wait_ms: pin.wait_ms(self.env.as_ref())?,
            })
        };
        self.list.people.iter().filter(|person| !person.name.is_empty()).map(shown).collect()
    }

    /// Nobody has been enrolled.
    pub fn is_empty(&self) -> bool {
        self.list.people.iter().all(|person| person.name.is_empty())
    }

    pub fn settings(&self) -> Settings {
        self.list.settings.clone()
    }

    pub fn keep_settings(&mut self, settings: &Settings) -> Result<Settings, FieldError> {
        let sound = settings.clone().sound();
        if self.list.settings != sound {
            self.list.settings = sound.clone();
            self.write()?;
        }
        Ok(sound)
    }

    pub fn last(&self) -> Option<&str> {
        self.list.last.as_deref()
    }

    /// Where somebody's data lies.
    pub fn folder(&self, id: &str) -> PathBuf {
        if id == FIRST { self.dir.clone() } else { self.dir.join("people").join(id) }
    }

    /// Whether the key is under a PIN.
    pub fn has_pin(&self, id: &str) -> bool {
        PinFile::within(&self.folder(id)).exists()
    }

    /// Somebody whose key still lies in a file: the last one, else the first.
    pub fn without_pin(&self) -> Option<String> {
        let mut open = self.list.people.iter().map(|person| &person.id);
        let last = self.list.last.iter().find(|id| self.find(id).is_some() && !self.has_pin(id));
        last.or_else(|| open.find(|id| !self.has_pin(id))).cloned()
    }

    /// The home of somebody whose key lies in a file.
    pub fn home(&self, id: &str) -> Home {
        Home::from(&self.folder(id))
    }

    /// The same, of an id that came from outside.
    pub fn known(&self, id: &str) -> Result<Home, FieldError> {
        let found = self.find(id).map(|person| self.home(&person.id));
        found.ok_or_else(|| FieldError::NotFound(id.to_owned()))
    }

    /// Opens somebody's key with the PIN.
    pub fn unlock(&mut self, id: &str, pin: &Pin) -> Result<Home, FieldError> {
        let key = self.key(id, pin)?;
        let home = Home::sealed_in(&self.folder(id), Arc::new(Unsealed::new(key)));
        self.list.last = Some(id.to_owned());
        self.write()?;
        Ok(home)
    }

    fn key(&self, id: &str, pin: &Pin) -> Result<Key, FieldError> {
        let file = self.pin_file(id)?;
        let stored = if file.is_bound() { self.stored(id)? } else { None };
        file.open(pin, stored.as_ref(), self.env.as_ref())
    }

    /// Puts a key under a PIN: from a file, after an enrolment or a take-over, or from the key store, for
    /// somebody who has proved anew who they are. The key is in its new place before the file goes.
    pub fn set_pin(&self, id: &str, pin: &Pin) -> Result<Home, FieldError> {
        let folder = self.folder(id);
        let file = FileSeal::within(&folder);
        let key = match file.unseal()? {
            Some(key) => Some(key),
            None => self.stored(id)?,
        };
        let key = key.ok_or(FieldError::KeyGone)?;
        let pin_file = PinFile::within(&folder);
        pin_file.write(&key, pin, self.bind(id, &key), self.env.as_ref())?;
        durable::remove(file.path()).map_err(|e| io(file.path(), e))?;
        Ok(Home::sealed_in(&folder, Arc::new(Unsealed::new(key))))
    }

    /// Whether the key store has the key now. One that does not answer is none: the PIN alone seals.
    fn bind(&self, id: &str, key: &Key) -> bool {
        self.seal(id).is_some_and(|seal| {
            seal.seal(key).is_ok() && seal.unseal().is_ok_and(|kept| kept.as_ref() == Some(key))
        })
    }

    /// Another PIN instead of the old one; bound from now on, where a key store has come since.
    pub fn change_pin(&self, id: &str, old: &Pin, new: &Pin) -> Result<(), FieldError> {
        let key = self.key(id, old)?;
        let file = self.pin_file(id)?;
        file.write(&key, new, self.bind(id, &key), self.env.as_ref())
    }

    /// The home of somebody whose PIN is forgotten: with the key store's copy of the key. Only for an
    /// enrolment anew, which the town grants to the same person alone.
    pub fn home_of_forgotten(&self, id: &str) -> Result<Home, FieldError> {
        self.pin_file(id)?;
        let key = self.stored(id)?.ok_or(FieldError::KeyGone)?;
        Ok(Home::sealed_in(&self.folder(id), Arc::new(Unsealed::new(key))))
    }

    /// The home of somebody who is to be enrolled; the same until that is done.
    pub fn newcomer(&mut self) -> Result<(String, Home), FieldError> {
        // A store in the app's folder that is nobody's yet.
        let stray = self.find(FIRST).filter(|person| person.name.is_empty()).map(|one| &one.id);
        let id = match self.list.pending.as_ref().or(stray) {
            Some(id) => id.clone(),
            None => self.env.new_record_id().to_string(),
        };
        self.list.pending = Some(id.clone());
        self.write()?;
        let home = self.home(&id);
        Ok((id, home))
    }

    /// Puts down whose store it is, as far as is shown to everybody.
    pub fn note(&mut self, id: &str, phone: &Phone) -> Result<(), FieldError> {
        let (name, grids) = phone.whose()?;
        let person = Person { id: id.to_owned(), name, grids };
        match self.list.people.iter_mut().find(|known| known.id == id) {
            Some(known) if *known == person && self.list.last.as_deref() == Some(id) => {
                return Ok(());
            }
            Some(known) => *known = person,
            None => self.list.people.push(person),
        }
        self.list.last = Some(id.to_owned());
        if self.list.pending.as_deref() == Some(id) {
            self.list.pending = None;
        }
        self.write()
    }

    fn find(&self, id: &str) -> Option<&Person> {
        self.list.people.iter().find(|person| person.id == id)
    }

    /// An id that is not on the list names no folder.
    fn pin_file(&self, id: &str) -> Result<PinFile, FieldError> {
        let file = PinFile::within(&self.folder(id));
        if self.find(id).is_some() && file.exists() {
            Ok(file)
        } else {
            Err(FieldError::NotFound(id.to_owned()))
        }
    }

    fn seal(&self, id: &str) -> Option<Arc<dyn KeySeal>> {
        let store = self.key_store.as_ref()?;
        Some(store.of(&format!("{}/{id}", self.list.app)))
    }

    fn stored(&self, id: &str) -> Result<Option<Key>, FieldError> {
        self.seal(id).map_or(Ok(None), |seal| seal.unseal())
    }

    fn write(&self) -> Result<(), FieldError> {
        let path = list_path(&self.dir);
        std::fs::create_dir_all(&self.dir).map_err(|e| io(&self.dir, e))?;
        let text = serde_json::to_vec_pretty(&self.list)
            .map_err(|e| FieldError::Protocol(e.to_string()))?;
        durable::replace(&path, &text).map_err(|e| io(&path, e))
    }
}

fn list_path(dir: &Path) -> PathBuf {
    dir.join("people.json")
}
