//! What the app holds while it runs: one person's phone behind a lock, the pulse of syncing, the last fix,
//! the platform, and the events that tell the screens what to fetch again. One app holds a data folder.
//!
//! Of everybody on the list (`field::people`) one store at most is open. Locking it drops the key and ends
//! a sync that runs; what was saved is saved.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use serde::Serialize;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Notify, broadcast, watch};
use yaoguan_field::{
    Changed, Connections, FieldError, Home, PatrolNow, People, Phone, Point, Pulse, Settings,
    SyncNow,
};
use yaoguan_model::Env;
use yaoguan_model::env::System;

use crate::map::Map;
use crate::platform::{Line, Platform};

/// Events that a slow screen may be behind; then it fetches everything.
const EVENTS: usize = 256;
/// Held while an app has the folder; holds its process id.
const LOCK: &str = "app.lock";

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

/// The app while it runs.
pub struct Host {
    pub dir: PathBuf,
    pub env: Arc<dyn Env>,
    pub(crate) platform: Platform,
    people: Mutex<Option<People>>,
    open: Mutex<Option<Open>>,
    /// Told whenever the open store is another one, or none.
    pub(crate) turn: watch::Sender<u64>,
    /// Since when the app is in the background, by the time since the device started.
    pub(crate) hidden_since_ms: Mutex<Option<i64>>,
    pub map: Map,
    pulse: Mutex<Pulse>,
    pub(crate) last_fix: Mutex<Option<Point>>,
    pub(crate) wake: Notify,
    events: broadcast::Sender<Event>,
    /// To the town, from one sync to the next.
    connections: Connections,
    /// None when another app had the folder.
    lock: Option<File>,
}

/// The store that is open.
struct Open {
    id: String,
    home: Home,
    phone: Phone,
}

impl Host {
    /// An app on this folder, which is made when there is none.
    ///
    /// # Errors
    /// The folder cannot be made or written.
    pub fn open(dir: &Path, platform: Platform) -> io::Result<Arc<Self>> {
        Self::with_env(dir, platform, Arc::new(System))
    }

    /// The same with another clock.
    pub(crate) fn with_env(
        dir: &Path,
        platform: Platform,
        env: Arc<dyn Env>,
    ) -> io::Result<Arc<Self>> {
        std::fs::create_dir_all(dir)?;
        let lock = lock(dir)?;
        if lock.is_some() {
            crate::media::clear_taken(dir)?;
        }
        let host = Arc::new(Self {
            dir: dir.to_owned(),
            env,
            platform,
            people: Mutex::new(None),
            open: Mutex::new(None),
            turn: watch::Sender::new(0),
            hidden_since_ms: Mutex::new(None),
            map: Map::within(dir),
            pulse: Mutex::new(Pulse::new(false)),
            last_fix: Mutex::new(None),
            wake: Notify::new(),
            events: broadcast::Sender::new(EVENTS),
            connections: Connections::default(),
            lock,
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

    /// Works on the list of people.
    pub(crate) fn people<R>(
        &self,
        work: impl FnOnce(&mut People) -> Result<R, FieldError>,
    ) -> Result<R, FieldError> {
        let mut held = locked(&self.people);
        let people = match held.take() {
            Some(people) => held.insert(people),
            None => {
                let (store, env) = (self.platform.keys.store(), Arc::clone(&self.env));
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
        open.phone.set_metered(self.is_metered());
        open.phone.store_mut().renew()?;
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
        if phone.patrol_now()?.is_some_and(|patrol| patrol.ended_at_ms.is_none()) {
            self.platform.keep_alive.hold();
        }
        self.people(|people| {
            people.keep_settings(&settings)?;
            people.note(&id, &phone)
        })?;
        Ok(Open { id, home, phone })
    }

    /// Lets somebody in; who was in before is locked out.
    pub(crate) fn enter(&self, id: String, home: Home) -> Result<(), FieldError> {
        self.note_who_leaves()?;
        let opened = self.opened(id, home)?;
        *locked(&self.open) = Some(opened);
        self.turned();
        self.wake();
        Ok(())
    }

    /// Locks the store that is open. Nobody can be locked out who has no PIN to come in again.
    pub fn lock(&self) -> Result<(), FieldError> {
        self.note_who_leaves()?;
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

    /// A sync may have brought names of grids that were not known when the store was opened.
    fn note_who_leaves(&self) -> Result<(), FieldError> {
        match locked(&self.open).as_ref() {
            Some(Open { id, phone, .. }) => self.people(|people| people.note(id, phone)),
            None => Ok(()),
        }
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

    fn is_metered(&self) -> bool {
        self.pulse(|pulse| pulse.now().metered)
    }

    /// Another connection to the same store: a sync waits for the line without holding the phone.
    pub(crate) fn open_phone(&self) -> Result<Phone, FieldError> {
        self.phone(|_| Ok(()))?;
        let home = locked(&self.open).as_ref().map(|open| open.home.clone());
        let home = home.ok_or(FieldError::Locked)?;
        let mut phone = Phone::open(home, Arc::clone(&self.env), "zh")?;
        phone.set_metered(self.is_metered());
        phone.set_connections(self.connections.clone());
        Ok(phone)
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

    pub(crate) fn pulse<R>(&self, work: impl FnOnce(&mut Pulse) -> R) -> R {
        work(&mut locked(&self.pulse))
    }

    /// The line came, or went.
    pub fn set_line(&self, line: Line) {
        self.connections.forget();
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

    /// Asks for a sync; returns how syncing stood when it was asked for. Where the platform says that there is
    /// no line nothing goes out, whoever asks.
    pub(crate) fn wake(&self) -> SyncNow {
        let now = self.pulse(|pulse| pulse.now().clone());
        if !now.online {
            return now;
        }
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
