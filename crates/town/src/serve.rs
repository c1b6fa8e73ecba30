//! Runs the town: listens, speaks TLS, renews its certificate, stops gracefully.
//!
//! Connections are bounded in number, in all and by address, and in time: whoever opens one and says
//! nothing, or says it without end, is let go.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;
use yaoguan_model::Env;

use crate::api::console::files::Files;
use crate::api::edges::{Edges, Peer};
use crate::api::{App, router};
use crate::backups::Backups;
use crate::connections::{Connections, Slot, Timed, forwarded};
use crate::data::Town;
use crate::doctor::Setup;
use crate::error::TownError;
use crate::storage::{Database, Storage as _, purge_all};
use crate::tls::{self, Leaf};

/// A handshake, and the head of a request, must arrive within this time.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(15);
const HEADER_TIMEOUT: Duration = Duration::from_secs(15);
/// Requests under way when the town stops get this long.
const GRACE: Duration = Duration::from_secs(20);
/// A connection over which nothing goes either way for this long is closed: longer than a request takes.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(75);
/// Requests that one HTTP/2 connection carries at once.
const MAX_STREAMS: u32 = 32;
/// Streams of a connection that were reset before the town saw them (CVE-2023-44487); then it is closed.
const MAX_RESETS: usize = 64;
/// The head of a request.
const MAX_HEAD_BYTES: usize = 32 * 1024;
const RENEW_CHECK: Duration = Duration::from_secs(6 * 3600);
/// How often the line marker is brought up to date.
const MARK_EVERY: Duration = Duration::from_secs(1);
/// How often the town looks for what has served its purpose.
const PURGE_EVERY: Duration = Duration::from_secs(24 * 3600);
/// How often it looks for files and uploads whose time is over.
const SWEEP_EVERY: Duration = Duration::from_secs(3600);

/// How to serve.
#[derive(Debug, Clone)]
pub struct Options {
    pub listen: SocketAddr,
    /// Plain HTTP: a proxy before the town speaks TLS.
    pub behind_proxy: bool,
    /// The address that phones use, when it is not the one listened on.
    pub public: Option<String>,
    /// Where and when the server makes backups by itself.
    pub backups: Option<Arc<Backups>>,
    /// Where the built pages of the console lie.
    pub console_dir: Option<PathBuf>,
    /// How the town is set up, for administrators who look after it.
    pub setup: Option<Arc<Setup>>,
}

/// A town that listens and is ready to run.
pub struct Server {
    listener: TcpListener,
    app: Router,
    tls: Option<TlsAcceptor>,
    renewal: Option<Renewal>,
    behind_proxy: bool,
    upkeep: Upkeep,
    edges: Arc<Edges>,
    /// What phones are told.
    pub url: String,
    /// Where it listens.
    pub local: SocketAddr,
}

/// What a serving town does by itself.
struct Upkeep {
    town: Town,
    env: Arc<dyn Env>,
    backups: Option<Arc<Backups>>,
}

impl Upkeep {
    fn start(self) -> Vec<JoinHandle<()>> {
        let Self { town, env, backups } = self;
        let mut tasks = vec![
            tokio::spawn(mark_line(town.storage.clone())),
            tokio::spawn(purge_daily(town.storage.clone(), Arc::clone(&env))),
            tokio::spawn(sweep_blobs(town.clone(), Arc::clone(&env))),
        ];
        tasks.extend(backups.map(|backups| tokio::spawn(backups.run(town, env))));
        tasks
    }
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
        let app = App::of(town, Arc::clone(&env));
        let console = options.console_dir.as_deref().map(Files::read).transpose()?;
        let console = Arc::new(console.unwrap_or_default());
        let edges = Arc::clone(&app.edges);
        let app = router(App {
            backups: options.backups.clone(),
            console,
            setup: options.setup.clone(),
            ..app
        });
        let upkeep =
            Upkeep { town: town.clone(), env: Arc::clone(&env), backups: options.backups.clone() };
        let (tls, renewal) = if options.behind_proxy {
            (None, None)
        } else {
            let hosts = hosts(local, &url);
            let leaf = Arc::new(Leaf::new(town.ca.leaf(&hosts, env.now_s())?));
            let config = tls::server_config(Arc::clone(&leaf))?;
            let renewal = Renewal { ca: town.ca.clone(), leaf, hosts, env };
            (Some(TlsAcceptor::from(Arc::new(config))), Some(renewal))
        };
        let behind_proxy = options.behind_proxy;
        Ok(Self { listener, app, tls, renewal, behind_proxy, upkeep, edges, url, local })
    }

    /// Serves until `stop` is ready, then lets requests under way finish.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<(), TownError> {
        let Self { listener, app, tls, renewal, behind_proxy, upkeep, edges, .. } = self;
        let connections = Connections::within_the_system();
        let storage = upkeep.town.storage.clone();
        let mut by_itself = upkeep.start();
        by_itself.extend(renewal.map(|renewal| tokio::spawn(renew(renewal))));
        let graceful = GracefulShutdown::new();
        let mut stop = pin!(stop);
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = &mut stop => break,
            };
            let (stream, from) = match accepted {
                Ok(accepted) => accepted,
                // Out of file handles and the like: pause instead of spinning.
                Err(error) => {
                    tracing::error!(%error, "cannot accept");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            // A proxy has one address for everyone.
            let Some(slot) = connections.admit(from.ip(), !behind_proxy) else { continue };
            let caller = Caller { app: app.clone(), address: from.ip(), behind_proxy };
            tokio::spawn(connection(stream, caller, tls.clone(), graceful.watcher(), slot));
        }
        drop(listener);
        edges.close();
        for task in by_itself {
            task.abort();
        }
        tracing::info!("stopping: requests under way are finished");
        _ = tokio::time::timeout(GRACE, graceful.shutdown()).await;
        storage.mark_line().await
    }
}

/// The other end of a connection, and what answers it.
#[derive(Clone)]
struct Caller {
    app: Router,
    address: IpAddr,
    behind_proxy: bool,
}

async fn connection(
    stream: TcpStream,
    caller: Caller,
    tls: Option<TlsAcceptor>,
    watcher: Watcher,
    _slot: Slot,
) {
    // Small answers must not wait for a full segment.
    _ = stream.set_nodelay(true);
    let stream = Timed::new(stream, HEADER_TIMEOUT, IDLE_TIMEOUT);
    match tls {
        None => http(stream, caller, watcher).await,
        Some(tls) => match tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await {
            Ok(Ok(stream)) => http(stream, caller, watcher).await,
            Ok(Err(error)) => tracing::debug!(%error, "handshake failed"),
            Err(_) => tracing::debug!("handshake took too long"),
        },
    }
}

async fn http(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    caller: Caller,
    watcher: Watcher,
) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(MAX_HEAD_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_pending_accept_reset_streams(MAX_RESETS)
        .max_header_list_size(MAX_HEAD_BYTES as u32);
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        let Caller { app, address, behind_proxy } = caller.clone();
        let address = if behind_proxy { forwarded(&request, address) } else { address };
        request.extensions_mut().insert(Peer(address));
        app.oneshot(request.map(Body::new))
    });
    let served = builder.serve_connection(TokioIo::new(stream), service).into_owned();
    let watched = watcher.watch(served);
    if let Err(error) = watched.await {
        tracing::debug!(%error, "connection ended");
    }
}

async fn mark_line(storage: Database) {
    loop {
        tokio::time::sleep(MARK_EVERY).await;
        if let Err(error) = storage.mark_line().await {
            tracing::error!(%error, "the line marker cannot be written");
        }
    }
}

async fn purge_daily(storage: Database, env: Arc<dyn Env>) {
    loop {
        match purge_all(&storage, env.now_s()).await {
            Ok(counts) if counts.is_empty() => {}
            Ok(counts) => tracing::info!(?counts, "records at the end of their retention are gone"),
            Err(error) => tracing::error!(%error, "purging failed"),
        }
        tokio::time::sleep(PURGE_EVERY).await;
    }
}

async fn sweep_blobs(town: Town, env: Arc<dyn Env>) {
    loop {
        match town.blobs.sweep(&town.storage, env.now_s()).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "files that nothing refers to are gone"),
            Err(error) => tracing::error!(%error, "files cannot be swept"),
        }
        tokio::time::sleep(SWEEP_EVERY).await;
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
