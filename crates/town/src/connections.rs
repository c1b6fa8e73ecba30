//! Connections: how many at once, in all and from one address, and how long they may be silent.

use std::collections::HashMap;
use std::future::Future as _;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::http::Request;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// Connections at once.
const MAX_CONNECTIONS: usize = 4_096;
/// File handles that are kept for the database, logs and whatever else the process opens.
const OTHER_FILES: usize = 256;
/// What the system allows when it does not say.
const USUAL_FILES: usize = 1_024;

/// The connections that there are.
#[derive(Debug, Clone)]
pub(crate) struct Connections {
    max: usize,
    /// By address; what is in all is their sum.
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Connections {
    /// As many as the limits of this process have room for.
    pub(crate) fn within_the_system() -> Self {
        let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
        let files = files_allowed(&limits).unwrap_or(USUAL_FILES);
        let max = files.saturating_sub(OTHER_FILES).clamp(1, MAX_CONNECTIONS);
        Self::at_most(max)
    }

    fn at_most(max: usize) -> Self {
        Self { max, open: Arc::default() }
    }

    /// A place for one more. None when all are taken, or when one address has three quarters of them:
    /// the phones of a town may stand behind one address, and yet it may not shut all others out.
    pub(crate) fn admit(&self, from: IpAddr, by_address: bool) -> Option<Slot> {
        let from = from.to_canonical();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = open.values().sum();
        let own = open.get(&from).copied().unwrap_or(0);
        if all >= self.max || (by_address && own >= (self.max / 4 * 3).max(1)) {
            return None;
        }
        open.insert(from, own + 1);
        Some(Slot { from, open: Arc::clone(&self.open) })
    }
}

/// A place among the connections; free again when dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    from: IpAddr,
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.from) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.from);
            }
        }
    }
}

/// The soft limit of open files, as `/proc/self/limits` has it.
fn files_allowed(limits: &str) -> Option<usize> {
    let line = limits.lines().find(|line| line.starts_with("Max open files"))?;
    let soft = line.split_whitespace().nth(3)?;
    if soft == "unlimited" { Some(usize::MAX) } else { soft.parse().ok() }
}

/// Whom a proxy speaks for: the last address in `X-Forwarded-For`, which the proxy itself has written.
pub(crate) fn forwarded<B>(request: &Request<B>, proxy: IpAddr) -> IpAddr {
    let lists = request.headers().get_all("x-forwarded-for");
    let last = lists.iter().next_back().and_then(|value| value.to_str().ok());
    let last = last.and_then(|list| list.rsplit(',').next());
    last.and_then(|address| address.trim().parse().ok()).unwrap_or(proxy)
}

/// A stream that fails once nothing has gone either way for so long; in the beginning, for a shorter time.
#[derive(Debug)]
pub(crate) struct Timed<S> {
    stream: S,
    idle: Duration,
    end: Pin<Box<Sleep>>,
}

impl<S> Timed<S> {
    pub(crate) fn new(stream: S, first: Duration, idle: Duration) -> Self {
        Self { stream, idle, end: Box::pin(tokio::time::sleep(first)) }
    }

    fn moved(&mut self) {
        if let Some(end) = Instant::now().checked_add(self.idle) {
            self.end.as_mut().reset(end);
        }
    }

    /// Nothing can go on now: is it over?
    fn waits<T>(&mut self, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        ready!(self.end.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Timed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Pending => self.waits(context),
            done @ Poll::Ready(_) => {
                self.moved();
                done
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Timed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write(context, bytes) {
            Poll::Pending => self.waits(context),
            done @ Poll::Ready(_) => {
                self.moved();
                done
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn one_address_does_not_shut_the_others_out() {
        let connections = Connections::at_most(8);
        let crowd: Vec<_> =
            (0..20).filter_map(|_| connections.admit(address("10.0.0.1"), true)).collect();
        assert_eq!(crowd.len(), 6);
        let others: Vec<_> = (2..20)
            .filter_map(|n| connections.admit(address(&format!("10.0.0.{n}")), true))
            .collect();
        assert_eq!(others.len(), 2);
        drop(crowd);
        assert!(connections.admit(address("::ffff:10.0.0.1"), true).is_some());
        drop(others);
        assert!(connections.open.lock().unwrap().is_empty());
    }

    #[test]
    fn a_proxy_may_have_them_all() {
        let connections = Connections::at_most(8);
        let all: Vec<_> =
            (0..20).filter_map(|_| connections.admit(address("10.0.0.1"), false)).collect();
        assert_eq!(all.len(), 8);
    }

    #[test]
    fn the_limit_of_files_is_read_from_the_system() {
        let text = "Limit  Soft Limit  Hard Limit  Units\nMax open files            1024                 524288               files\n";
        assert_eq!(files_allowed(text), Some(1024));
        assert_eq!(
            files_allowed("Max open files   unlimited   unlimited   files"),
            Some(usize::MAX)
        );
        assert_eq!(files_allowed(""), None);
    }

    #[test]
    fn of_what_a_proxy_passes_on_only_its_own_word_counts() {
        let request =
            |value: &str| Request::builder().header("x-forwarded-for", value).body(()).unwrap();
        let proxy = address("127.0.0.1");
        assert_eq!(forwarded(&request("6.6.6.6, 10.1.1.1"), proxy), address("10.1.1.1"));
        assert_eq!(forwarded(&request("nonsense"), proxy), proxy);
        assert_eq!(forwarded(&Request::new(()), proxy), proxy);
    }

    #[tokio::test]
    async fn a_silent_stream_ends_and_one_that_moves_does_not() {
        let (mut near, far) = tokio::io::duplex(64);
        let mut far = Timed::new(far, Duration::from_millis(200), Duration::from_millis(200));
        let mut byte = [0];
        for _ in 0..4 {
            tokio::time::sleep(Duration::from_millis(80)).await;
            near.write_all(b"x").await.unwrap();
            far.read_exact(&mut byte).await.unwrap();
        }
        let error = far.read_exact(&mut byte).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
