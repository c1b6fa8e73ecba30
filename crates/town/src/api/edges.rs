//! What stands before every route: how much one asker may ask, and how much memory all of them together
//! may fill.
//!
//! The limits are generous to a whole town behind one address: 910 phones that come back in one morning
//! pass. They end programs that ask without end, and guessing.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tokio::sync::{Mutex, MutexGuard, OwnedSemaphorePermit, Semaphore, watch};
use yaoguan_model::DeviceId;
use yaoguan_wire::ErrorCode;
use yaoguan_wire::limits::MAX_DECODED_BYTES;

use super::App;
use super::aside::Aside;
use super::bucket::{Buckets, Rate};
use super::error::ApiError;

/// A request may take this long, its body included.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// A file of map tiles may take this long.
pub(super) const TILES_TIMEOUT: Duration = Duration::from_secs(3600);
/// Where it is sent.
pub(super) const TILES: &str = "/console/v1/admin/tiles";
/// A body that gives nothing for this long is given up.
pub const BODY_IDLE: Duration = Duration::from_secs(15);
/// Requests from one address (of IPv6 the first 64 bits): a town behind one NAT, 200 a second.
pub const BY_ADDRESS: Rate = Rate { burst: 20_000, every_ms: 5 };
/// Requests of one device: 10 a second.
pub const BY_DEVICE: Rate = Rate { burst: 600, every_ms: 100 };
/// Wrong invites, tokens and passwords from one address: 10 a minute.
pub const WRONG_TRIES: Rate = Rate { burst: 60, every_ms: 6_000 };
/// Bodies that are being received, all together.
pub const BODIES_BYTES: usize = 48 * 1024 * 1024;
/// Bodies that are being read and worked on, decoded, all together.
pub const DECODED_BYTES: usize = 2 * MAX_DECODED_BYTES;
/// Open event streams of consoles.
pub const LISTENERS: usize = 256;
/// What a full town asks its askers to wait.
const BUSY_S: u32 = 2;
const KIB: usize = 1024;

/// Where a request comes from, as the server saw it.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

/// The counts and the room, shared by all requests.
#[derive(Debug)]
pub struct Edges {
    by_address: Buckets<IpAddr>,
    by_device: Buckets<DeviceId>,
    wrong_tries: Buckets<IpAddr>,
    bodies: Arc<Semaphore>,
    decoded: Arc<Semaphore>,
    /// Where large bodies are read.
    pub(super) aside: Aside,
    panics: AtomicU64,
    listeners: Arc<Semaphore>,
    exports: Mutex<()>,
    closing: watch::Sender<bool>,
}

impl Default for Edges {
    fn default() -> Self {
        Self {
            by_address: Buckets::new(BY_ADDRESS),
            by_device: Buckets::new(BY_DEVICE),
            wrong_tries: Buckets::new(WRONG_TRIES),
            bodies: Arc::new(Semaphore::new(BODIES_BYTES)),
            decoded: Arc::new(Semaphore::new(DECODED_BYTES / KIB)),
            aside: Aside::default(),
            panics: AtomicU64::new(0),
            listeners: Arc::new(Semaphore::new(LISTENERS)),
            exports: Mutex::default(),
            closing: watch::Sender::new(false),
        }
    }
}

impl Edges {
    /// Handlers that panicked since the start.
    pub fn panics(&self) -> u64 {
        self.panics.load(Ordering::Relaxed)
    }

    pub(super) fn count_panic(&self) {
        self.panics.fetch_add(1, Ordering::Relaxed);
    }

    /// Waits until no other export is being made.
    pub(super) async fn export(&self) -> MutexGuard<'_, ()> {
        self.exports.lock().await
    }

    /// A place for one more event stream.
    pub(super) fn listener(&self, headers: &HeaderMap) -> Result<Listener, ApiError> {
        let permit = Arc::clone(&self.listeners).try_acquire_owned();
        let permit = permit.map_err(|_| ApiError::later(headers, ErrorCode::Busy, BUSY_S))?;
        Ok(Listener { _permit: permit, closing: self.closing.subscribe() })
    }

    /// Ends the event streams, which would go on for ever.
    pub fn close(&self) {
        self.closing.send_replace(true);
    }

    /// Room for so many more bytes of a body.
    pub(super) fn room(&self, headers: &HeaderMap, bytes: usize) -> Result<Room, ApiError> {
        let wanted = u32::try_from(bytes).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.bodies).try_acquire_many_owned(wanted);
        permit.map(Room).map_err(|_| ApiError::later(headers, ErrorCode::Busy, BUSY_S))
    }

    /// Waits until a body of this decoded size may be worked on; `None`: it does not say its size.
    pub(super) async fn turn(&self, decoded: Option<u64>) -> Option<Room> {
        let bytes = decoded.and_then(|size| usize::try_from(size).ok()).unwrap_or(usize::MAX);
        let kib = bytes.min(MAX_DECODED_BYTES).div_ceil(KIB);
        let wanted = u32::try_from(kib).unwrap_or(u32::MAX);
        // It fails only when the semaphore is closed, which nobody does.
        Arc::clone(&self.decoded).acquire_many_owned(wanted).await.ok().map(Room)
    }
}

/// An open event stream.
#[derive(Debug)]
pub(super) struct Listener {
    _permit: OwnedSemaphorePermit,
    closing: watch::Receiver<bool>,
}

impl Listener {
    /// Ready when the town stops.
    pub(super) async fn closed(&mut self) {
        _ = self.closing.wait_for(|closing| *closing).await;
    }
}

/// Memory that a request fills; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Room(OwnedSemaphorePermit);

impl Room {
    pub(super) fn and(&mut self, more: Self) {
        self.0.merge(more.0);
    }
}

impl App {
    /// One request of a device that proved itself.
    pub(super) fn count_device(&self, headers: &HeaderMap, id: DeviceId) -> Result<(), ApiError> {
        let taken = self.edges.by_device.take(id, self.env.now_ms());
        taken.map_err(|wait_s| ApiError::later(headers, ErrorCode::RateLimited, wait_s))
    }

    /// Refuses an address that guessed wrong too often.
    pub(super) fn may_try(&self, headers: &HeaderMap, peer: Option<Peer>) -> Result<(), ApiError> {
        let Some(Peer(address)) = peer else { return Ok(()) };
        let looked = self.edges.wrong_tries.look(network(address), self.env.now_ms());
        looked.map_err(|wait_s| ApiError::later(headers, ErrorCode::RateLimited, wait_s))
    }

    /// It guessed wrong.
    pub(super) fn tried_wrong(&self, peer: Option<Peer>) {
        if let Some(Peer(address)) = peer {
            _ = self.edges.wrong_tries.take(network(address), self.env.now_ms());
        }
    }
}

/// Ends a request that takes too long.
pub(super) async fn in_time(request: Request, next: Next) -> Response {
    let file = request.method() == Method::POST && request.uri().path() == TILES;
    let limit = if file { TILES_TIMEOUT } else { REQUEST_TIMEOUT };
    let answered = tokio::time::timeout(limit, next.run(request)).await;
    answered.unwrap_or_else(|_| StatusCode::REQUEST_TIMEOUT.into_response())
}

/// Counts a request against its address.
pub(super) async fn by_address(State(app): State<App>, request: Request, next: Next) -> Response {
    if let Some(Peer(address)) = request.extensions().get::<Peer>()
        && let Err(wait_s) = app.edges.by_address.take(network(*address), app.env.now_ms())
    {
        tracing::warn!(%address, "too many requests from one address");
        let error = ApiError::later(request.headers(), ErrorCode::RateLimited, wait_s);
        return error.into_response();
    }
    next.run(request).await
}

/// Whoever has one address of an IPv6 network has all of them.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_ipv6_counts_with_its_network() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:2"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:10.1.2.3"), of("10.1.2.3"));
        assert_ne!(of("10.1.2.3"), of("10.1.2.4"));
    }

    #[test]
    fn the_phones_of_a_whole_town_behind_one_address_pass_in_one_morning() {
        let buckets = Buckets::new(BY_ADDRESS);
        // 910 phones within ten minutes, each with ten requests.
        for n in 0..9_100 {
            assert_eq!(buckets.take(0, i64::from(n) * 600_000 / 9_100), Ok(()), "{n}");
        }
    }
}
