//! The window. It shows the screens that are built in, and goes nowhere else.

use tauri::{App, Url, WebviewWindowBuilder};

/// Where the platforms show what is built in: `tauri://localhost`, on Android `http://tauri.localhost`.
const OWN: [(&str, &str); 2] = [("tauri", "localhost"), ("http", "tauri.localhost")];

pub(crate) fn open(app: &App) -> Result<(), Box<dyn std::error::Error>> {
    let config = app.config().app.windows.first().ok_or("no window is described")?;
    WebviewWindowBuilder::from_config(app.handle(), config)?.on_navigation(is_own).build()?;
    Ok(())
}

fn is_own(url: &Url) -> bool {
    OWN.iter().any(|(scheme, host)| url.scheme() == *scheme && url.host_str() == Some(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_shows_its_own_screens_and_no_page_from_elsewhere() {
        for own in ["tauri://localhost/report", "http://tauri.localhost/record/1"] {
            assert!(is_own(&own.parse().unwrap()), "{own}");
        }
        for foreign in [
            "http://localhost/",
            "https://tauri.localhost.example/",
            "tauri://example/",
            "file:///etc/passwd",
        ] {
            assert!(!is_own(&foreign.parse().unwrap()), "{foreign}");
        }
    }
}
