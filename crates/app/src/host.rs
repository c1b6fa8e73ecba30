//! What the app holds while it runs: one person's phone behind a lock, the pulse of syncing, the last fix,
//! and the events that tell the screens what to fetch again.
//!
//! Of everybody on the list (`field::people`) one store at most is open. Locking it drops the key and ends
//! a sync that runs; what was saved is saved.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use serde::Serialize;
use tokio::sync::{Notify, broadcast, watch};
use yaoguan_field::seal::KeyStore;
use yaoguan_field::{
    Changed, FieldError, Home, PatrolNow, People, Phone, Point, Pulse, Settings, SyncNow,
};
use yaoguan_model::Env;
use yaoguan_model::env::System;

use crate::map::Map;

/// Events that a slow screen may be behind; then it fetches everything.
const EVENTS: usize = 256;

/// What the screens hear.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    Changed {
        changed: Option<Changed>,
    },
    Sync {
        sync: SyncNow,
    },
    Fix {
        at: Point,
        patrol: Option<PatrolNow>,
    },
    /// Somebody came in or went out.
    People,
}

pub struct Host {
    pub dir: PathBuf,
    pub env: Arc<dyn Env>,
    key_store: Option<Arc<dyn KeyStore>>,
    pub(crate) pin_required: bool,
    people: Mutex<Option<People>>,
    open: Mutex<Option<Open>>,
    /// Told whenever the open store is another one, or none.
    pub(crate) turn: watch::Sender<u64>,
    /// Since when the app is in the background, by the time since the device started.
    pub(crate) hidden_since_ms: Mutex<Option<i64>>,
    pulse: Mutex<Pulse>,
    pub last_fix: Mutex<Option<Point>>,
    pub map: Map,
    pub wake: Notify,
    pub events: broadcast::Sender<Event>,
}

/// The store that is open.
struct Open {
    id: String,
    home: Home,
    phone: Phone,
}

impl Host {
    pub fn new(dir: PathBuf, online: bool) -> Self {
        Self {
            map: Map::within(&dir),
            dir,
            env: Arc::new(System),
            key_store: None,
            pin_required: false,
            people: Mutex::new(None),
            open: Mutex::new(None),
            turn: watch::Sender::new(0),
            hidden_since_ms: Mutex::new(None),
            pulse: Mutex::new(Pulse::new(online)),
            last_fix: Mutex::new(None),
            wake: Notify::new(),
            events: broadcast::Sender::new(EVENTS),
        }
    }

    /// Everybody has to have a PIN; keys go into the system's key store as well, where there is one.
    #[must_use]
    pub fn with_pins(mut self, key_store: Option<Arc<dyn KeyStore>>) -> Self {
        self.pin_required = true;
        self.key_store = key_store;
        self
    }

    /// With another clock.
    #[must_use]
    pub fn with_env(mut self, env: Arc<dyn Env>) -> Self {
        self.env = env;
        self
    }

    /// Works on the list of people.
    pub(crate) fn people<R>(
        &self,
        work: impl FnOnce(&mut People) -> Result<R, FieldError>,
    ) -> Result<R, FieldError> {
        let mut held = locked(&self.people);
        let people = match held.take() {
            Some(people) => held.insert(people),
            None => {
                let (store, env) = (self.key_store.clone(), Arc::clone(&self.env));
                held.insert(People::open(&self.dir, store, env)?)
            }
        };
        work(people)
    }

    /// Works on the phone of who is in. At the start somebody without a PIN is let in. Blocks: not for
    /// async code.
    pub fn phone<R>(
        &self,
        work: impl FnOnce(&mut Phone) -> Result<R, FieldError>,
    ) -> Result<R, FieldError> {
        let mut held = locked(&self.open);
        let open = match held.take() {
            Some(open) => held.insert(open),
            None => held.insert(self.first()?),
        };
        work(&mut open.phone)
    }

    fn first(&self) -> Result<Open, FieldError> {
        let nobody_was_in = *self.turn.borrow() == 0;
        let found = self.people(|people| match people.without_pin() {
            Some(id) if nobody_was_in => Ok((people.home(&id), id)),
            _ if people.is_empty() => Err(FieldError::NotEnrolled),
            _ => Err(FieldError::Locked),
        })?;
        self.opened(found.1, found.0)
    }

    fn opened(&self, id: String, home: Home) -> Result<Open, FieldError> {
        let mut phone = Phone::open(home.clone(), Arc::clone(&self.env), "zh")?;
        // An enrolment that was cut off leaves a store without an identity.
        phone.whose()?;
        let settings = phone.settings()?;
        phone.set_settings(&settings)?;
        self.people(|people| {
            people.keep_settings(&settings)?;
            people.note(&id, &phone)
        })?;
        Ok(Open { id, home, phone })
    }

    /// Lets somebody in; who was in before is locked out.
    pub(crate) fn enter(&self, id: String, home: Home) -> Result<(), FieldError> {
        let opened = self.opened(id, home)?;
        *locked(&self.open) = Some(opened);
        self.turned();
        self.wake();
        Ok(())
    }

    /// Locks the store that is open. Nobody can be locked out who has no PIN to come in again.
    pub fn lock(&self) -> Result<(), FieldError> {
        let mut held = locked(&self.open);
        if let Some(open) = held.as_ref()
            && self.people(|people| Ok(people.has_pin(&open.id)))?
        {
            *held = None;
            drop(held);
            self.turned();
        }
        Ok(())
    }

    fn turned(&self) {
        self.turn.send_modify(|turn| *turn += 1);
        self.pulse(Pulse::turn);
        self.tell(Event::People);
        self.tell_sync();
    }

    /// Whose store is open.
    pub(crate) fn who(&self) -> Option<String> {
        locked(&self.open).as_ref().map(|open| open.id.clone())
    }

    /// Another connection to the same store: a sync waits for the line without holding the phone.
    pub fn open(&self) -> Result<Phone, FieldError> {
        self.phone(|_| Ok(()))?;
        let home = locked(&self.open).as_ref().map(|open| open.home.clone());
        Phone::open(home.ok_or(FieldError::Locked)?, Arc::clone(&self.env), "zh")
    }

    /// Opens the same store again, after another connection has changed whose it is.
    pub(crate) fn reopen(&self) -> Result<(), FieldError> {
        let mut held = locked(&self.open);
        if let Some(Open { id, home, .. }) = held.take() {
            *held = Some(self.opened(id, home)?);
        }
        Ok(())
    }

    /// Of who is in, else of who was in last.
    pub(crate) fn settings(&self) -> Result<Settings, FieldError> {
        let last = |_| self.people(|people| Ok(people.settings()));
        self.phone(|phone| phone.settings()).or_else(last)
    }

    pub(crate) fn set_settings(&self, settings: &Settings) -> Result<Settings, FieldError> {
        let kept = self.people(|people| people.keep_settings(settings))?;
        Ok(self.phone(|phone| phone.set_settings(settings)).unwrap_or(kept))
    }

    pub fn pulse<R>(&self, work: impl FnOnce(&mut Pulse) -> R) -> R {
        work(&mut locked(&self.pulse))
    }

    pub fn tell(&self, event: Event) {
        // Nobody listening is nothing to worry about.
        _ = self.events.send(event);
    }

    /// A save: the screens fetch again, and it is to be sent.
    pub fn changed(&self, changed: &Changed) {
        self.tell(Event::Changed { changed: Some(changed.clone()) });
        self.pulse(Pulse::saved);
        self.wake.notify_one();
    }

    /// Asks for a sync; returns how syncing stood when it was asked for.
    pub fn wake(&self) -> SyncNow {
        let stood = self.pulse(Pulse::wake);
        self.wake.notify_one();
        stood
    }

    pub fn tell_sync(&self) {
        let sync = self.pulse(|pulse| pulse.now().clone());
        self.tell(Event::Sync { sync });
    }
}

/// A panic while it was held has ended that request alone.
pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
