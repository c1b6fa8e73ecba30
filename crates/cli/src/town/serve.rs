//! Serving: the first line on stdout says where, logs go to stderr.

use std::future::Future;
use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;
use tracing_subscriber::EnvFilter;
use yaoguan_model::env::System;
use yaoguan_town::backups::Backups;
use yaoguan_town::data::make_private;
use yaoguan_town::doctor::Setup;
use yaoguan_town::notify::Notify;
use yaoguan_town::serve::{Options, Server};
use yaoguan_town::{Town, TownError, lock};

use super::doctor::UNITS;
use super::settings::Settings;
use crate::output::Failure;

pub(super) async fn serve(settings: &Settings) -> Result<(), Failure> {
    log_to_stderr(&settings.log);
    let is_elsewhere = settings.database.is_some();
    if is_elsewhere {
        make_private(&settings.data)?;
    } else if !settings.data.is_dir() {
        return Err(TownError::Missing(settings.data.clone()).into());
    }
    // Before the database is opened: a migration must have the folder to itself. Processes on a database of its
    // own may share the folder; the first one holds it.
    let mut lock = match lock::take(&settings.data) {
        Err(TownError::InUse(_)) if is_elsewhere => None,
        taken => Some(taken?),
    };
    let town = Town::open_at(&settings.place()).await?;
    let backups = settings.backups.clone().filter(|_| !is_elsewhere).map(Backups::new);
    let options = Options {
        listen: settings.listen,
        behind_proxy: settings.behind_proxy,
        public: settings.public.clone(),
        backups: backups.map(Arc::new),
        console_dir: Some(settings.console_dir.clone()),
        setup: Some(Arc::new(setup(settings))),
    };
    let server = Server::bind(&town, &options, Arc::new(System)).await?;
    if let Some(lock) = &mut lock {
        lock.tell(&server.url, server.local)?;
    }
    // Before anybody is told that it serves: whoever hears it may ask it to stop.
    let asked_to_stop = asked_to_stop()?;
    let line = json!({ "listening": server.url, "fingerprint": town.ca.fingerprint()? });
    let mut out = std::io::stdout();
    writeln!(out, "{line}")?;
    out.flush()?;
    let notify = Notify::from_env();
    notify.ready(&server.url);
    let watching = tokio::spawn(notify.clone().watch());
    let stop = async move {
        asked_to_stop.await;
        notify.stopping();
    };
    let served = server.run(stop).await;
    watching.abort();
    Ok(served?)
}

/// What administrators have looked at from the console: the same as `doctor`.
fn setup(settings: &Settings) -> Setup {
    Setup {
        data: settings.data.clone(),
        key_file: settings.key_file.clone(),
        listen: settings.listen,
        public: settings.public.clone(),
        behind_proxy: settings.behind_proxy,
        backups: settings.backups.clone(),
        blobs: settings.blobs.clone(),
        database: settings.database.clone(),
        units: UNITS.map(PathBuf::from).to_vec(),
        look: tokio::sync::Mutex::default(),
    }
}

/// One JSON object a line, unless somebody looks on.
fn log_to_stderr(filter: &str) {
    let filter = filter.parse().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        log.init();
    } else {
        log.json().init();
    }
}

/// SIGINT or SIGTERM, from this call on.
fn asked_to_stop() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
