//! A lossy network: a TCP relay between phones and town that cuts connections where a test says, and is as
//! slow as it says. TLS goes through it untouched, as through a bad line.

use std::fs::File;
use std::net::{SocketAddr, TcpListener as Listener};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};

/// No cut is due.
const WHOLE: i64 = -1;

/// How slow a line is; by default it is not.
#[derive(Debug, Clone, Copy, Default)]
pub struct Pace {
    /// Time that a byte is under way, either way. A new connection first costs both ways once, as TCP's
    /// handshake does.
    pub delay: Duration,
    /// What goes through in a second, either way.
    pub bits_per_s: Option<u64>,
    /// For how long the line is up, then for how long nothing goes through, in turns.
    pub stalls: Option<(Duration, Duration)>,
}

/// A relay. Dropping it ends it with its runtime.
#[derive(Debug, Clone)]
pub struct Line {
    /// Where phones connect.
    pub address: SocketAddr,
    faults: Arc<Faults>,
}

#[derive(Debug)]
struct Faults {
    /// Bytes towards the town that still go through; then the connection breaks. `WHOLE`: all.
    up: AtomicI64,
    /// The same towards the phone.
    down: AtomicI64,
    bytes_up: AtomicU64,
    bytes_down: AtomicU64,
    connections: AtomicU64,
    /// And since when.
    pace: Mutex<(Pace, Instant)>,
}

impl Line {
    /// Starts a relay to the town.
    pub async fn to(town: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let faults = Arc::new(Faults {
            up: AtomicI64::new(WHOLE),
            down: AtomicI64::new(WHOLE),
            bytes_up: AtomicU64::new(0),
            bytes_down: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            pace: Mutex::new((Pace::default(), Instant::now())),
        });
        let line = Self { address, faults: Arc::clone(&faults) };
        tokio::spawn(async move {
            while let Ok((phone, _)) = listener.accept().await {
                let faults = Arc::clone(&faults);
                faults.connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move {
                    if let Ok(town) = TcpStream::connect(town).await {
                        // Else the two sides' small packets wait for one another.
                        _ = (phone.set_nodelay(true), town.set_nodelay(true));
                        let delay = faults.pace().0.delay;
                        if delay > Duration::ZERO {
                            sleep(delay * 2).await;
                        }
                        relay(phone, town, &faults).await;
                    }
                });
            }
        });
        Ok(line)
    }

    /// The line breaks after so many more bytes towards the town.
    pub fn cut_up_after(&self, bytes: i64) {
        self.faults.up.store(bytes, Ordering::SeqCst);
    }

    /// The line breaks after so many more bytes towards the phone: an answer is lost or half there.
    pub fn cut_down_after(&self, bytes: i64) {
        self.faults.down.store(bytes, Ordering::SeqCst);
    }

    /// The line is whole again.
    pub fn mend(&self) {
        self.faults.up.store(WHOLE, Ordering::SeqCst);
        self.faults.down.store(WHOLE, Ordering::SeqCst);
    }

    /// From now on the line is so slow; its turns of up and down begin now.
    pub fn set_pace(&self, pace: Pace) {
        *self.faults.pace.lock().unwrap() = (pace, Instant::now());
    }

    /// Bytes on the socket so far, TLS and all: up, down.
    pub fn bytes(&self) -> (u64, u64) {
        let load = |n: &AtomicU64| n.load(Ordering::SeqCst);
        (load(&self.faults.bytes_up), load(&self.faults.bytes_down))
    }

    /// Connections that were made so far.
    pub fn connections(&self) -> u64 {
        self.faults.connections.load(Ordering::SeqCst)
    }
}

async fn relay(phone: TcpStream, town: TcpStream, faults: &Faults) {
    let (from_phone, to_phone) = phone.into_split();
    let (from_town, to_town) = town.into_split();
    // Either end of the line takes the other with it.
    tokio::select! {
        () = faults.carry(from_phone, to_town, &faults.up, &faults.bytes_up) => {}
        () = faults.carry(from_town, to_phone, &faults.down, &faults.bytes_down) => {}
    }
}

/// Pieces under way at once: more than a slow line holds.
const UNDER_WAY: usize = 256;

impl Faults {
    fn pace(&self) -> (Pace, Instant) {
        *self.pace.lock().unwrap()
    }

    async fn carry(
        &self,
        mut from: OwnedReadHalf,
        mut to: OwnedWriteHalf,
        left: &AtomicI64,
        count: &AtomicU64,
    ) {
        let (enter, mut leave) = mpsc::channel::<(Instant, Vec<u8>)>(UNDER_WAY);
        let entering = async move {
            let mut buffer = [0_u8; 4096];
            let mut free_at = Instant::now();
            while let Ok(n @ 1..) = from.read(&mut buffer).await {
                count.fetch_add(n as u64, Ordering::SeqCst);
                let goes = through(left, n);
                let (pace, since) = self.pace();
                free_at = pace.through_at(since, free_at.max(Instant::now()), goes);
                let piece = (free_at + pace.delay, buffer[..goes].to_vec());
                if enter.send(piece).await.is_err() || goes < n {
                    break;
                }
            }
        };
        let leaving = async move {
            while let Some((at, piece)) = leave.recv().await {
                sleep_until(at).await;
                if to.write_all(&piece).await.is_err() {
                    break;
                }
            }
        };
        // What is under way when one side ends still arrives; a reader that is gone ends the writer.
        tokio::join!(entering, leaving);
    }
}

impl Pace {
    /// When the last of `bytes` that begin at `from` is through; the turns began at `since`.
    fn through_at(self, since: Instant, from: Instant, bytes: usize) -> Instant {
        let Some(bits_per_s) = self.bits_per_s else { return from };
        let mut at = from;
        let mut takes = Duration::from_secs_f64(bytes as f64 * 8.0 / bits_per_s as f64);
        let Some((up, down)) = self.stalls else { return at + takes };
        loop {
            let turn = (at - since).as_secs_f64() % (up + down).as_secs_f64();
            let turn = Duration::from_secs_f64(turn);
            if turn >= up {
                at += up + down - turn;
            } else if takes <= up - turn {
                return at + takes;
            } else {
                takes -= up - turn;
                at += up + down - turn;
            }
        }
    }
}

/// How many of `n` bytes still go through.
fn through(left: &AtomicI64, n: usize) -> usize {
    let before = left.load(Ordering::SeqCst);
    if before == WHOLE {
        return n;
    }
    let goes = usize::try_from(before).unwrap_or(0).min(n);
    left.store(before - goes as i64, Ordering::SeqCst);
    goes
}

/// An address of this process alone, for as long as it runs: a town that is stopped finds its port again,
/// whatever other tests start meanwhile. Below the range that systems hand out by themselves.
pub fn own_address() -> SocketAddr {
    static HELD: Mutex<Vec<File>> = Mutex::new(Vec::new());
    let taken = std::env::temp_dir().join("yaoguan-test-ports");
    std::fs::create_dir_all(&taken).unwrap();
    // Each process begins elsewhere, so that few look at the same ones.
    let start = std::process::id() * 7;
    for n in 0..PORTS {
        let port = FIRST_PORT + ((start + n) % PORTS) as u16;
        let file = File::create(taken.join(port.to_string())).unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        if file.try_lock().is_ok() && Listener::bind(address).is_ok() {
            HELD.lock().unwrap().push(file);
            return address;
        }
    }
    panic!("every port of {taken:?} is taken");
}

const FIRST_PORT: u16 = 20_000;
const PORTS: u32 = 12_000;
