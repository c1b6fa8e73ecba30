//! A lossy network: a TCP relay between phones and town that cuts connections where a test says. TLS goes
//! through it untouched, as through a bad line.

use std::fs::File;
use std::net::{SocketAddr, TcpListener as Listener};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// No cut is due.
const WHOLE: i64 = -1;

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
        });
        let line = Self { address, faults: Arc::clone(&faults) };
        tokio::spawn(async move {
            while let Ok((phone, _)) = listener.accept().await {
                let faults = Arc::clone(&faults);
                tokio::spawn(async move {
                    if let Ok(town) = TcpStream::connect(town).await {
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

    /// Bytes on the socket so far, TLS and all: up, down.
    pub fn bytes(&self) -> (u64, u64) {
        let load = |n: &AtomicU64| n.load(Ordering::SeqCst);
        (load(&self.faults.bytes_up), load(&self.faults.bytes_down))
    }
}

async fn relay(phone: TcpStream, town: TcpStream, faults: &Faults) {
    let (mut from_phone, mut to_phone) = phone.into_split();
    let (mut from_town, mut to_town) = town.into_split();
    let up = async {
        let mut buffer = [0_u8; 4096];
        while let Ok(n @ 1..) = from_phone.read(&mut buffer).await {
            faults.bytes_up.fetch_add(n as u64, Ordering::SeqCst);
            let goes = through(&faults.up, n);
            if to_town.write_all(&buffer[..goes]).await.is_err() || goes < n {
                break;
            }
        }
    };
    let down = async {
        let mut buffer = [0_u8; 4096];
        while let Ok(n @ 1..) = from_town.read(&mut buffer).await {
            faults.bytes_down.fetch_add(n as u64, Ordering::SeqCst);
            let goes = through(&faults.down, n);
            if to_phone.write_all(&buffer[..goes]).await.is_err() || goes < n {
                break;
            }
        }
    };
    // Either end of the line takes the other with it.
    tokio::select! {
        () = up => {}
        () = down => {}
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
