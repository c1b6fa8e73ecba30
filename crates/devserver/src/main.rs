//! The app over HTTP on loopback, so that the screens of the app run in a plain browser. For development
//! and tests only: it has no protection but the loopback address, and is part of no release.

mod key_folder;
mod server;

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Parser;
use yaoguan_app::platform::{Keys, Line, Still};
use yaoguan_app::{Host, Platform, Words};
use yaoguan_field::position::Played;

use crate::key_folder::KeyFolder;

/// The dev server of the field app.
#[derive(Debug, Parser)]
#[command(name = "yaoguan-devserver")]
struct Arguments {
    /// The phone's folder.
    #[arg(long, default_value = "yaoguan-data")]
    data: PathBuf,
    /// Port on 127.0.0.1; 0 lets the system choose.
    #[arg(long, default_value_t = 8787)]
    port: u16,
    /// The built screens.
    #[arg(long, default_value = "ui/dist/field")]
    ui: PathBuf,
    /// A GPX track to be walked.
    #[arg(long)]
    gpx: Option<PathBuf>,
    /// How many times faster than it was walked.
    #[arg(long, default_value_t = 1)]
    speed: i64,
    /// Everybody has to set a PIN.
    #[arg(long)]
    pins: bool,
    /// A folder that stands for the system's key store: the PINs are bound to it.
    #[arg(long, requires = "pins")]
    key_store: Option<PathBuf>,
    /// A picture that the camera takes, each time.
    #[arg(long)]
    camera: Option<PathBuf>,
    /// Begin without a line.
    #[arg(long)]
    offline: bool,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let source = match &arguments.gpx {
        Some(file) => Some(Played::gpx(&std::fs::read(file)?, arguments.speed)?),
        None => None,
    };
    let line = if arguments.offline { Line::Down } else { Line::Free };
    let key_store = arguments.key_store.map(|dir| Arc::new(KeyFolder(dir)) as _);
    let keys = if arguments.pins { Keys::Pin(key_store) } else { Keys::File };
    let photo_capture = arguments.camera.map(|picture| Box::new(Still(picture)) as _);
    let platform = Platform { keys, photo_capture, ..Platform::with_line(line) };
    let host = Host::open(&arguments.data, platform)?;
    if host.is_taken() {
        anyhow::bail!(Words::of("en").taken);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, arguments.port));
        let listener = tokio::net::TcpListener::bind(address).await?;
        let line = serde_json::json!({ "listening": format!("http://{}", listener.local_addr()?) });
        let mut out = std::io::stdout();
        writeln!(out, "{line}")?;
        out.flush()?;
        tokio::spawn(yaoguan_app::sync_in_background(Arc::clone(&host)));
        if let Some(source) = source {
            tokio::spawn(yaoguan_app::walk(Arc::clone(&host), Box::new(source)));
        }
        axum::serve(listener, server::router(host, &arguments.ui)).await?;
        Ok(())
    })
}
