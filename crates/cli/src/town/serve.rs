//! Serving: the first line on stdout says where, logs go to stderr.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use tracing_subscriber::EnvFilter;
use yaoguan_model::env::System;
use yaoguan_town::Town;
use yaoguan_town::data::lock;
use yaoguan_town::serve::{Options, Server};

use crate::output::Failure;

/// What is logged unless `YAOGUAN_LOG` says otherwise.
const LOG: &str = "info,tower_http=warn";

pub(super) async fn serve(
    town: &Town,
    dir: &Path,
    listen: SocketAddr,
    behind_proxy: bool,
    public: Option<String>,
) -> Result<(), Failure> {
    let _alone = lock(dir)?;
    let filter = EnvFilter::try_from_env("YAOGUAN_LOG").unwrap_or_else(|_| EnvFilter::new(LOG));
    tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr).init();
    let options = Options { listen, behind_proxy, public };
    let server = Server::bind(town, &options, Arc::new(System)).await?;
    let line = json!({ "listening": server.url, "fingerprint": town.ca.fingerprint()? });
    let mut out = std::io::stdout();
    writeln!(out, "{line}")?;
    out.flush()?;
    server.run(asked_to_stop()).await?;
    Ok(())
}

/// SIGINT or SIGTERM.
async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => _ = tokio::signal::ctrl_c().await,
    }
}
