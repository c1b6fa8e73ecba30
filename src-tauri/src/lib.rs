//! The app: one window over `yaoguan-app`. It knows no rules and no SQL; a command goes through [`call`],
//! events come back as one Tauri event. Nothing that is slow runs on the main thread.

mod call;
mod log_file;
mod options;
mod photos;
mod platform;
mod screens;

use std::error::Error;
use std::fmt::Display;
use std::sync::Arc;

use tauri::async_runtime::spawn;
use tauri::{App, Manager as _};
use yaoguan_app::{Host, Words};

use crate::options::Options;

/// Opens the window and returns when it is closed.
#[cfg_attr(mobile, tauri::mobile_entry_point)]
pub fn run() {
    let options = Options::read().unwrap_or_else(|error| stop(&error));
    let builder = tauri::Builder::default();
    #[cfg(target_os = "android")]
    let builder = builder.plugin(tauri_plugin_notification::init());
    let ran = builder
        .invoke_handler(tauri::generate_handler![call::call, photos::attach])
        .register_asynchronous_uri_scheme_protocol(photos::SCHEME, photos::answer)
        // An error out of here would be a panic.
        .setup(|app| Ok(open(app, options).unwrap_or_else(|error| stop(&error))))
        .run(tauri::tauri_build_context!());
    ran.unwrap_or_else(|error| stop(&error));
}

fn open(app: &App, options: Options) -> Result<(), Box<dyn Error>> {
    let dir = options.data.map_or_else(|| app.path().app_data_dir(), Ok)?;
    let host = Host::open(&dir, platform::of(app.handle()))?;
    if host.is_taken() {
        // Its window says so too.
        eprintln!("{}", Words::of("zh").taken);
    } else {
        log_file::start(&dir)?;
        spawn(yaoguan_app::sync_in_background(Arc::clone(&host)));
        spawn(call::tell(app.handle().clone(), Arc::clone(&host)));
        if let Some(source) = options.source {
            spawn(yaoguan_app::walk(Arc::clone(&host), source));
        }
    }
    app.manage(host);
    screens::open(app)
}

/// There is no window to say it in.
fn stop(error: &dyn Display) -> ! {
    eprintln!("smart-yaoguan: {error}");
    std::process::exit(1)
}
