//! What the app holds while it runs: one phone behind a lock, the pulse of syncing, the last fix, and the
//! events that tell the screens what to fetch again.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use serde::Serialize;
use tokio::sync::{Notify, broadcast};
use yaoguan_field::{Changed, FieldError, PatrolNow, Phone, Point, Pulse, Settings, SyncNow};
use yaoguan_model::Env;
use yaoguan_model::env::System;

/// Events that a slow screen may be behind; then it fetches everything.
const EVENTS: usize = 256;

/// What the screens hear.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    Changed { changed: Option<Changed> },
    Sync { sync: SyncNow },
    Fix { at: Point, patrol: Option<PatrolNow> },
}

pub struct Host {
    pub dir: PathBuf,
    pub env: Arc<dyn Env>,
    phone: Mutex<Option<Phone>>,
    pulse: Mutex<Pulse>,
    pub last_fix: Mutex<Option<Point>>,
    /// Of a phone that has no store yet.
    pub early_settings: Mutex<Settings>,
    pub wake: Notify,
    pub events: broadcast::Sender<Event>,
}

impl Host {
    pub fn new(dir: PathBuf, online: bool) -> Self {
        Self {
            dir,
            env: Arc::new(System),
            phone: Mutex::new(None),
            pulse: Mutex::new(Pulse::new(online)),
            last_fix: Mutex::new(None),
            early_settings: Mutex::new(Settings::default()),
            wake: Notify::new(),
            events: broadcast::Sender::new(EVENTS),
        }
    }

    /// Works on the phone, opened when it is first needed. Blocks: not for async code.
    pub fn phone<R>(
        &self,
        work: impl FnOnce(&mut Phone) -> Result<R, FieldError>,
    ) -> Result<R, FieldError> {
        let mut held = locked(&self.phone);
        let phone = match held.take() {
            Some(phone) => held.insert(phone),
            None => {
                let mut phone = self.open()?;
                // An enrolment that was cut off leaves a store without an identity.
                phone.today()?;
                let lang = phone.settings()?;
                phone.set_settings(&lang)?;
                held.insert(phone)
            }
        };
        work(phone)
    }

    /// Another connection to the same store: a sync waits for the line without holding the phone.
    pub fn open(&self) -> Result<Phone, FieldError> {
        Phone::open(&self.dir, Arc::clone(&self.env), "zh")
    }

    pub fn adopt(&self, phone: Phone) {
        *locked(&self.phone) = Some(phone);
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
