//! What is wrong with a town, and what it is called: one function for each thing that can be wrong. It
//! changes nothing, and works beside a running server and on a town that does not start.
//!
//! Words stand in `locales/doctor.*.toml`, under `[doctor]` and `[remedy]`, by `found`.

mod backups;
mod blobs;
mod clock;
mod database;
mod files;
mod network;
mod unit;
pub mod words;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use yaoguan_model::Env;

use crate::backups::Schedule;
use crate::blobs::BlobPlace;
use crate::lock;
use crate::storage::postgres::DatabaseUrl;

pub use files::{FREE_BAD, FREE_LOW};

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    Ok,
    /// Somebody should see to it.
    Warn,
    /// The town does not work, or is not safe, until somebody has.
    Bad,
}

impl State {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }
}

/// One thing looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    pub state: State,
    /// What was found: the key of its words, and of the remedy when it is not well.
    pub found: &'static str,
    pub values: Vec<(&'static str, String)>,
}

impl Check {
    fn new(name: &'static str, state: State, found: &'static str) -> Self {
        Self { name, state, found, values: Vec::new() }
    }
    fn ok(name: &'static str, found: &'static str) -> Self {
        Self::new(name, State::Ok, found)
    }
    fn warn(name: &'static str, found: &'static str) -> Self {
        Self::new(name, State::Warn, found)
    }
    fn bad(name: &'static str, found: &'static str) -> Self {
        Self::new(name, State::Bad, found)
    }
    fn with(mut self, key: &'static str, value: impl ToString) -> Self {
        self.values.push((key, value.to_string()));
        self
    }
    fn about(self, path: &Path) -> Self {
        self.with("path", path.display())
    }
}

/// What is to be looked at.
pub struct Patient<'a> {
    pub data: &'a Path,
    pub key_file: &'a Path,
    pub listen: SocketAddr,
    pub public: Option<&'a str>,
    pub behind_proxy: bool,
    pub backups: Option<&'a Schedule>,
    pub blobs: &'a BlobPlace,
    /// None: in the data folder.
    pub database: Option<&'a DatabaseUrl>,
    /// Where systemd finds units.
    pub units: &'a [PathBuf],
    pub env: &'a dyn Env,
}

/// How the town is set up, for a server that has itself looked at. One look at a time: each reads the
/// whole database.
#[derive(Debug)]
pub struct Setup {
    pub data: PathBuf,
    pub key_file: PathBuf,
    pub listen: SocketAddr,
    pub public: Option<String>,
    pub behind_proxy: bool,
    pub backups: Option<Schedule>,
    pub blobs: BlobPlace,
    pub database: Option<DatabaseUrl>,
    pub units: Vec<PathBuf>,
    pub look: tokio::sync::Mutex<()>,
}

impl Setup {
    /// See [`examine`]; beside the threads that serve everyone.
    pub async fn examine(self: Arc<Self>, env: Arc<dyn Env>) -> Vec<Check> {
        let _one = self.look.lock().await;
        let (setup, runtime) = (Arc::clone(&self), tokio::runtime::Handle::current());
        let looked = tokio::task::spawn_blocking(move || {
            let patient = Patient {
                data: &setup.data,
                key_file: &setup.key_file,
                listen: setup.listen,
                public: setup.public.as_deref(),
                behind_proxy: setup.behind_proxy,
                backups: setup.backups.as_ref(),
                blobs: &setup.blobs,
                database: setup.database.as_ref(),
                units: &setup.units,
                env: env.as_ref(),
            };
            runtime.block_on(examine(&patient))
        });
        looked.await.unwrap_or_default()
    }
}

/// Every check, in the order in which one would look.
pub async fn examine(patient: &Patient<'_>) -> Vec<Check> {
    let now = patient.env.now_s();
    let mut checks = vec![files::folder(patient.data)];
    if patient.data.is_dir() {
        checks.push(files::owner(patient.data));
        checks.push(files::free_space(patient.data));
        checks.push(files::file_system(patient.data));
    }
    checks.push(files::key(patient.key_file, patient.data));
    let (found, inside) = database::look(patient, now).await;
    checks.extend(found);
    let holder = lock::holder(patient.data);
    checks.push(network::port(patient.listen, holder.as_ref()));
    if let Some(inside) = &inside {
        checks.extend(network::certificate(patient, inside, holder.as_ref()));
    }
    if let Some(inside) = &inside {
        checks.push(blobs::look(patient, inside).await);
    }
    checks.push(clock::clock(patient.data, now));
    checks.extend(backups::look(patient, now).await);
    checks.push(unit::unit(patient.units));
    checks
}
