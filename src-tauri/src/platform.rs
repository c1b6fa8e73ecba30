//! What the platform does for the app: on Android by plugins, on a desktop as little as there is to do.

use std::sync::Arc;

use tauri::AppHandle;
use yaoguan_app::Platform;
use yaoguan_app::platform::{KeepAlive, Keys, Notifier};
use yaoguan_field::seal::KeyStore;

/// Keys lie under a PIN, bound to the system's key store where it has one (docs/KEYS.md).
pub(crate) fn of(app: &AppHandle, without_pins: bool) -> Platform {
    Platform {
        keys: if without_pins { Keys::File } else { Keys::Pin(key_store()) },
        notifier: Box::new(Notices(app.clone())),
        keep_alive: Box::new(Awake),
        ..Platform::default()
    }
}

#[cfg(target_os = "linux")]
fn key_store() -> Option<Arc<dyn KeyStore>> {
    Some(Arc::new(yaoguan_app::SecretService))
}

/// Android's Keystore is to stand here.
#[cfg(not(target_os = "linux"))]
fn key_store() -> Option<Arc<dyn KeyStore>> {
    None
}

struct Notices(#[cfg_attr(desktop, expect(dead_code, reason = "a desktop shows none"))] AppHandle);

#[cfg(target_os = "android")]
impl Notifier for Notices {
    fn notify(&self, title: &str, body: &str) {
        use tauri_plugin_notification::NotificationExt as _;

        let shown = self.0.notification().builder().title(title).body(body).show();
        if let Err(error) = shown {
            tracing::warn!(%error, "a notice was not shown");
        }
    }
}

/// A desktop may have no daemon that shows notices; what they say stands on the first screen anyway.
#[cfg(not(target_os = "android"))]
impl Notifier for Notices {
    fn notify(&self, _title: &str, _body: &str) {
        tracing::info!("news for the person");
    }
}

/// Nobody switches a desktop's programs off. On Android a service is to stand here.
struct Awake;

impl KeepAlive for Awake {
    fn hold(&self) {
        tracing::info!("a patrol keeps the app running");
    }

    fn release(&self) {
        tracing::info!("no patrol keeps the app running");
    }
}
