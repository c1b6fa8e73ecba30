//! What the app holds while it runs: one phone behind a lock, the pulse of syncing, the last fix, the
//! platform, and the events that tell the screens what to fetch again. One app holds a data folder.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use serde::Serialize;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Notify, broadcast};
use yaoguan_field::{Changed, FieldError, PatrolNow, Phone, Point, Pulse, Settings, SyncNow};
use yaoguan_model::Env;
use yaoguan_model::env::System;

use crate::platform::{Line, Platform};

/// Events that a slow screen may be behind; then it fetches everything.
const EVENTS: usize = 256;
/// Held while an app has the folder; holds its process id.
const LOCK: &str = "app.lock";

/// What the screens hear.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    Changed { changed: Option<Changed> },
    Sync { sync: SyncNow },
    Fix { at: Point, patrol: Option<PatrolNow> },
}

/// The app while it runs.
pub struct Host {
    pub dir: PathBuf,
    pub env: Arc<dyn Env>,
    pub(crate) platform: Platform,
    phone: Mutex<Option<Phone>>,
    pulse: Mutex<Pulse>,
    pub(crate) last_fix: Mutex<Option<Point>>,
    /// Of a phone that has no store yet.
    pub(crate) early_settings: Mutex<Settings>,
    pub(crate) wake: Notify,
    events: broadcast::Sender<Event>,
    /// None when another app had the folder.
    lock: Option<File>,
}

impl Host {
    /// An app on this folder, which is made when there is none.
    ///
    /// # Errors
    /// The folder cannot be made or written.
    pub fn open(dir: &Path, platform: Platform) -> io::Result<Arc<Self>> {
        std::fs::create_dir_all(dir)?;
        let host = Arc::new(Self {
            dir: dir.to_owned(),
            env: Arc::new(System),
            platform,
            phone: Mutex::new(None),
            pulse: Mutex::new(Pulse::new(false)),
            last_fix: Mutex::new(None),
            early_settings: Mutex::new(Settings::default()),
            wake: Notify::new(),
            events: broadcast::Sender::new(EVENTS),
            lock: lock(dir)?,
        });
        let of_line = Arc::downgrade(&host);
        host.platform.connectivity.watch(Box::new(move |line| {
            if let Some(host) = of_line.upgrade() {
                host.set_line(line);
            }
        }));
        Ok(host)
    }

    /// Whether another app has the folder: then this one answers nothing.
    pub fn is_taken(&self) -> bool {
        self.lock.is_none()
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
                let mut phone = self.open_phone()?;
                // An enrolment that was cut off leaves a store without an identity.
                phone.today()?;
                let lang = phone.settings()?;
                phone.set_settings(&lang)?;
                if phone.patrol_now()?.is_some_and(|patrol| patrol.ended_at_ms.is_none()) {
                    self.platform.keep_alive.hold();
                }
                held.insert(phone)
            }
        };
        phone.set_metered(self.is_metered());
        work(phone)
    }

    fn is_metered(&self) -> bool {
        self.pulse(|pulse| pulse.now().metered)
    }

    /// Another connection to the same store: a sync waits for the line without holding the phone.
    pub(crate) fn open_phone(&self) -> Result<Phone, FieldError> {
        let mut phone = Phone::open(&self.dir, Arc::clone(&self.env), "zh")?;
        phone.set_metered(self.is_metered());
        Ok(phone)
    }

    pub(crate) fn adopt(&self, phone: Phone) {
        *locked(&self.phone) = Some(phone);
    }

    pub(crate) fn pulse<R>(&self, work: impl FnOnce(&mut Pulse) -> R) -> R {
        work(&mut locked(&self.pulse))
    }

    /// The line came, or went.
    pub fn set_line(&self, line: Line) {
        self.pulse(|pulse| {
            pulse.set_metered(line == Line::Metered);
            pulse.set_online(line != Line::Down);
        });
        self.wake.notify_one();
        self.tell_sync();
    }

    pub(crate) fn tell(&self, event: Event) {
        // Nobody listening is nothing to worry about.
        _ = self.events.send(event);
    }

    /// Hears events from now on.
    pub fn listen(&self) -> Listener {
        Listener(self.events.subscribe())
    }

    /// A save: the screens fetch again, and it is to be sent.
    pub(crate) fn changed(&self, changed: &Changed) {
        self.tell(Event::Changed { changed: Some(changed.clone()) });
        self.pulse(Pulse::saved);
        self.wake.notify_one();
    }

    /// Asks for a sync; returns how syncing stood when it was asked for.
    pub(crate) fn wake(&self) -> SyncNow {
        let stood = self.pulse(Pulse::wake);
        self.wake.notify_one();
        stood
    }

    pub(crate) fn tell_sync(&self) {
        let sync = self.pulse(|pulse| pulse.now().clone());
        self.tell(Event::Sync { sync });
    }
}

/// A screen that hears events.
pub struct Listener(broadcast::Receiver<Event>);

impl Listener {
    /// The next event; none when the app has ended. Who was too slow is told to fetch everything.
    pub async fn next(&mut self) -> Option<Event> {
        match self.0.recv().await {
            Ok(event) => Some(event),
            Err(RecvError::Lagged(_)) => Some(Event::Changed { changed: None }),
            Err(RecvError::Closed) => None,
        }
    }
}

/// Released by the system when the process ends, however it ends.
fn lock(dir: &Path) -> io::Result<Option<File>> {
    let path = dir.join(LOCK);
    let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0)?;
            writeln!(file, "{}", std::process::id())?;
            Ok(Some(file))
        }
        Err(std::fs::TryLockError::WouldBlock) => Ok(None),
        Err(std::fs::TryLockError::Error(error)) => Err(error),
    }
}

/// A panic while it was held has ended that request alone.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
