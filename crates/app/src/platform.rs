//! What the app needs of the platform that it runs on. Each is a trait: a desktop's stand here, a phone's
//! come with the shell. Positions come in through `field::position::PositionSource`.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use yaoguan_field::seal::KeyStore;

/// What the platform says of the line to the town.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    Down,
    /// Somebody pays by the byte.
    Metered,
    Free,
}

/// Tells of the line.
pub trait Connectivity: Send + Sync {
    /// Calls `heard` with the line as it is now, and at every change, for as long as the app runs.
    fn watch(&self, heard: Box<dyn Fn(Line) + Send + Sync>);
}

/// Shows a notice outside the window.
pub trait Notifier: Send + Sync {
    fn notify(&self, title: &str, body: &str);
}

/// Keeps the app running while a patrol does, with a standing notice that says so.
pub trait KeepAlive: Send + Sync {
    /// Holding twice is holding once.
    fn hold(&self);
    fn release(&self);
}

/// Takes a picture outside the page. On a phone that is the camera's own screen, in whose time the system may
/// end the app: what was filled in is a draft by then.
pub trait PhotoCapture: Send + Sync {
    /// Writes a picture to `to`; false when the person took none. Blocks until they are done.
    fn take(&self, to: &Path) -> io::Result<bool>;
}

/// A camera that always takes the same picture: for demonstrations and tests.
pub struct Still(pub PathBuf);

impl PhotoCapture for Still {
    fn take(&self, to: &Path) -> io::Result<bool> {
        std::fs::copy(&self.0, to).map(|_| true)
    }
}

/// How the keys of people's stores are kept (docs/KEYS.md).
#[derive(Default)]
pub enum Keys {
    /// In a file, unless somebody has set a PIN: for development and tests.
    #[default]
    File,
    /// Everybody has to set a PIN; the system's key store is used where there is one.
    Pin(Option<Arc<dyn KeyStore>>),
}

impl Keys {
    pub(crate) fn store(&self) -> Option<Arc<dyn KeyStore>> {
        match self {
            Self::File => None,
            Self::Pin(store) => store.clone(),
        }
    }

    pub(crate) fn need_pin(&self) -> bool {
        matches!(self, Self::Pin(_))
    }
}

/// The platform, as the app is given it.
pub struct Platform {
    pub keys: Keys,
    pub connectivity: Box<dyn Connectivity>,
    pub notifier: Box<dyn Notifier>,
    pub keep_alive: Box<dyn KeepAlive>,
    /// None where the page's own chooser hands a picture over, as on a desktop.
    pub photo_capture: Option<Box<dyn PhotoCapture>>,
}

/// A desktop: nobody switches its programs off, and trying tells whether there is a line.
impl Default for Platform {
    fn default() -> Self {
        Self {
            keys: Keys::default(),
            connectivity: Box::new(Always(Line::Free)),
            notifier: Box::new(Quiet),
            keep_alive: Box::new(Quiet),
            photo_capture: None,
        }
    }
}

impl Platform {
    /// A desktop that says of its line what it is told to.
    pub fn with_line(line: Line) -> Self {
        Self { connectivity: Box::new(Always(line)), ..Self::default() }
    }
}

struct Always(Line);

impl Connectivity for Always {
    fn watch(&self, heard: Box<dyn Fn(Line) + Send + Sync>) {
        heard(self.0);
    }
}

/// Neither notices nor keeping alive.
struct Quiet;

impl Notifier for Quiet {
    fn notify(&self, _title: &str, _body: &str) {}
}

impl KeepAlive for Quiet {
    fn hold(&self) {}
    fn release(&self) {}
}
