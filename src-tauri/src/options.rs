//! What a desktop is started with; a phone is started with nothing.

use std::path::PathBuf;

use yaoguan_app::platform::PhotoCapture;
use yaoguan_field::position::PositionSource;

/// What the app is to run with.
#[derive(Default)]
pub(crate) struct Options {
    /// Else the platform's folder for the app's data.
    pub(crate) data: Option<PathBuf>,
    /// A track to be walked, in place of a receiver.
    pub(crate) source: Option<Box<dyn PositionSource>>,
    /// Nobody has to set a PIN: for the demo and tests.
    pub(crate) without_pins: bool,
    /// A picture that stands for a camera's.
    pub(crate) photo_capture: Option<Box<dyn PhotoCapture>>,
}

#[cfg(mobile)]
impl Options {
    pub(crate) fn read() -> Result<Self, Box<dyn std::error::Error>> {
        Ok(Self::default())
    }
}

#[cfg(desktop)]
mod desktop {
    use clap::Parser;
    use yaoguan_app::platform::Still;
    use yaoguan_field::position::Played;

    use super::{Options, PathBuf};

    /// Smart Yaoguan on a desktop.
    #[derive(Debug, Parser)]
    #[command(name = "smart-yaoguan", version)]
    struct Arguments {
        /// The app's data folder.
        #[arg(long, env = "YAOGUAN_DATA")]
        data: Option<PathBuf>,
        /// A GPX track to be walked.
        #[arg(long)]
        gpx: Option<PathBuf>,
        /// How many times faster than it was walked.
        #[arg(long, default_value_t = 1)]
        speed: i64,
        /// Nobody has to set a PIN: for demonstrations and tests.
        #[arg(long)]
        without_pins: bool,
        /// A picture that the camera takes, each time.
        #[arg(long)]
        camera: Option<PathBuf>,
    }

    impl Options {
        /// Ends the program with 2 when the arguments are not understood, before there is a window.
        pub(crate) fn read() -> Result<Self, Box<dyn std::error::Error>> {
            let Arguments { data, gpx, speed, without_pins, camera } = Arguments::parse();
            let source = match gpx {
                Some(file) => Some(Box::new(Played::gpx(&std::fs::read(file)?, speed)?) as _),
                None => None,
            };
            let photo_capture = camera.map(|picture| Box::new(Still(picture)) as _);
            Ok(Self { data, source, without_pins, photo_capture })
        }
    }
}
