//! Runs the town: listens, speaks TLS, renews its certificate, stops gracefully.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use yaoguan_model::Env;

use crate::api::{App, router};
use crate::data::Town;
use crate::error::TownError;
use crate::storage::sqlite::Sqlite;
use crate::storage::{Storage as _, purge_all};
use crate::tls::{self, Leaf};

/// A handshake, and the head of a request, must arrive within this time.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(15);
const HEADER_TIMEOUT: Duration = Duration::from_secs(15);
/// Requests under way when the town stops get this long.
const GRACE: Duration = Duration::from_secs(20);
const RENEW_CHECK: Duration = Duration::from_secs(6 * 3600);
/// How often the line marker is brought up to date.
const MARK_EVERY: Duration = Duration::from_secs(1);
/// How often the town looks for what has served its purpose.
const PURGE_EVERY: Duration = Duration::from_secs(24 * 3600);

/// How to serve.
#[derive(Debug, Clone)]
pub struct Options {
    pub listen: SocketAddr,
    /// Plain HTTP: a proxy before the town speaks TLS.
    pub behind_proxy: bool,
    /// The address that phones use, when it is not the one listened on.
    pub public: Option<String>,
}

/// A town that listens and is ready to run.
pub struct Server {
    listener: TcpListener,
    app: Router,
    tls: Option<TlsAcceptor>,
    renewal: Option<Renewal>,
    upkeep: Upkeep,
    /// What phones are told.
    pub url: String,
}

/// What a serving town does by itself.
struct Upkeep {
    storage: Sqlite,
    env: Arc<dyn Env>,
}

struct Renewal {
    ca: tls::Ca,
    leaf: Arc<Leaf>,
    hosts: Vec<String>,
    env: Arc<dyn Env>,
}

impl Server {
    /// Binds, makes a certificate, notes the address for invites.
    pub async fn bind(
        town: &Town,
        options: &Options,
        env: Arc<dyn Env>,
    ) -> Result<Self, TownError> {
        let listener = TcpListener::bind(options.listen).await?;
        let local = listener.local_addr()?;
        let scheme = if options.behind_proxy { "http" } else { "https" };
        let url =
            options.public.clone().unwrap_or_else(|| format!("{scheme}://{}", reachable(local)));
        town.storage.set_address(url.clone(), !options.behind_proxy).await?;
        let app = router(App { storage: Arc::new(town.storage.clone()), env: Arc::clone(&env) });
        let upkeep = Upkeep { storage: town.storage.clone(), env: Arc::clone(&env) };
        let (tls, renewal) = if options.behind_proxy {
            (None, None)
        } else {
            let hosts = hosts(local, &url);
            let leaf = Arc::new(Leaf::new(town.ca.leaf(&hosts, env.now_s())?));
            let config = tls::server_config(Arc::clone(&leaf))?;
            let renewal = Renewal { ca: town.ca.clone(), leaf, hosts, env };
            (Some(TlsAcceptor::from(Arc::new(config))), Some(renewal))
        };
        Ok(Self { listener, app, tls, renewal, upkeep, url })
    }

    /// Serves until `stop` is ready, then lets requests under way finish.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<(), TownError> {
        let Self { listener, app, tls, renewal, upkeep, .. } = self;
        let storage = upkeep.storage.clone();
        let mut by_itself = vec![
            tokio::spawn(mark_line(upkeep.storage.clone())),
            tokio::spawn(purge_daily(upkeep)),
        ];
        by_itself.extend(renewal.map(|renewal| tokio::spawn(renew(renewal))));
        let graceful = GracefulShutdown::new();
        let mut stop = pin!(stop);
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = &mut stop => break,
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                // Out of file handles and the like: pause instead of spinning.
                Err(error) => {
                    tracing::error!(%error, "cannot accept");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            tokio::spawn(connection(stream, app.clone(), tls.clone(), graceful.watcher()));
        }
        drop(listener);
        for task in by_itself {
            task.abort();
        }
        tracing::info!("stopping: requests under way are finished");
        _ = tokio::time::timeout(GRACE, graceful.shutdown()).await;
        storage.mark_line().await
    }
}

async fn connection(stream: TcpStream, app: Router, tls: Option<TlsAcceptor>, watcher: Watcher) {
    // Small answers must not wait for a full segment.
    _ = stream.set_nodelay(true);
    match tls {
        None => http(stream, app, watcher).await,
        Some(tls) => match tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await {
            Ok(Ok(stream)) => http(stream, app, watcher).await,
            Ok(Err(error)) => tracing::debug!(%error, "handshake failed"),
            Err(_) => tracing::debug!("handshake took too long"),
        },
    }
}

async fn http(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    app: Router,
    watcher: Watcher,
) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(Some(HEADER_TIMEOUT));
    let service = TowerToHyperService::new(app);
    let served = builder.serve_connection(TokioIo::new(stream), service).into_owned();
    let watched = watcher.watch(served);
    if let Err(error) = watched.await {
        tracing::debug!(%error, "connection ended");
    }
}

async fn mark_line(storage: Sqlite) {
    loop {
        tokio::time::sleep(MARK_EVERY).await;
        if let Err(error) = storage.mark_line().await {
            tracing::error!(%error, "the line marker cannot be written");
        }
    }
}

async fn purge_daily(Upkeep { storage, env }: Upkeep) {
    loop {
        match purge_all(&storage, env.now_s()).await {
            Ok(counts) if counts.is_empty() => {}
            Ok(counts) => tracing::info!(?counts, "records at the end of their retention are gone"),
            Err(error) => tracing::error!(%error, "purging failed"),
        }
        tokio::time::sleep(PURGE_EVERY).await;
    }
}

async fn renew(renewal: Renewal) {
    let mut made = renewal.env.now_s();
    loop {
        tokio::time::sleep(RENEW_CHECK).await;
        let now = renewal.env.now_s();
        if !tls::renewal_is_due(made, now) {
            continue;
        }
        match renewal.ca.leaf(&renewal.hosts, now) {
            Ok(key) => {
                renewal.leaf.renew(key);
                made = now;
            }
            Err(error) => tracing::error!(%error, "the certificate cannot be renewed"),
        }
    }
}

/// An address that somebody else can use: a wildcard is not one.
fn reachable(local: SocketAddr) -> SocketAddr {
    match local.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => SocketAddr::from(([127, 0, 0, 1], local.port())),
        IpAddr::V6(ip) if ip.is_unspecified() => {
            SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], local.port()))
        }
        IpAddr::V4(_) | IpAddr::V6(_) => local,
    }
}

/// Names and addresses that the certificate holds for.
fn hosts(local: SocketAddr, url: &str) -> Vec<String> {
    let mut hosts = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    if !local.ip().is_unspecified() {
        hosts.push(local.ip().to_string());
    }
    if let Ok(uri) = url.parse::<axum::http::Uri>()
        && let Some(host) = uri.host()
    {
        hosts.push(host.trim_matches(['[', ']']).to_owned());
    }
    hosts.sort();
    hosts.dedup();
    hosts
}
