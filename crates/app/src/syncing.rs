//! Syncs in the background, when the engine says so.

use std::sync::Arc;
use std::time::Duration;

use yaoguan_field::{FieldError, SyncSummary};

use crate::attention::Attention;
use crate::fetching;
use crate::host::{Event, Host};
use crate::words::Words;

/// For as long as the app runs.
pub async fn run(host: Arc<Host>) {
    loop {
        let (waiting, now_ms) = (waiting(&host).await, host.env.boot_elapsed_ms());
        let wait_ms = waiting.and_then(|n| host.pulse(|pulse| pulse.wait_ms(now_ms, n)));
        match wait_ms {
            Some(0) => once(&host, waiting.unwrap_or(0)).await,
            Some(ms) => {
                let pause = Duration::from_millis(u64::try_from(ms).unwrap_or(0));
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = host.wake.notified() => {}
                }
            }
            None => host.wake.notified().await,
        }
    }
}

/// Records and files that wait; none when the phone is not enrolled.
pub(crate) async fn waiting(host: &Arc<Host>) -> Option<u64> {
    let host = Arc::clone(host);
    let count = move || {
        let whereabouts = host.phone(|phone| phone.whereabouts()).ok()?;
        Some(whereabouts.waiting + whereabouts.files)
    };
    tokio::task::spawn_blocking(count).await.ok().flatten()
}

async fn once(host: &Arc<Host>, waiting: u64) {
    host.pulse(|pulse| pulse.begin(waiting));
    host.tell_sync();
    let (at_work, runtime) = (Arc::clone(host), tokio::runtime::Handle::current());
    let work = move || runtime.block_on(sync(&at_work));
    let ended = tokio::task::spawn_blocking(work).await;
    let ended = ended.unwrap_or_else(|e| Err(FieldError::Protocol(e.to_string())));
    let [a, b, c, d, ..] = host.env.random_16();
    let jitter = u32::from_le_bytes([a, b, c, d]);
    let now_ms = host.env.boot_elapsed_ms();
    host.pulse(|pulse| pulse.end(now_ms, jitter, &ended));
    host.tell_sync();
    host.tell(Event::Changed { changed: None });
    if ended.is_ok() {
        fetching::after_sync(host).await;
    }
}

async fn sync(host: &Host) -> Result<SyncSummary, FieldError> {
    let mut turn = host.turn.subscribe();
    let mut phone = host.open_phone()?;
    let before = Attention::of(&phone)?;
    let told = |so_far: &SyncSummary| {
        host.pulse(|pulse| pulse.progress(so_far));
        host.tell_sync();
    };
    // A store that is locked is not synced. What stops here stops between two requests or in one, as when
    // the line breaks.
    let ended = tokio::select! {
        done = phone.sync(told) => done,
        _ = turn.changed() => return Err(FieldError::Locked),
    };
    // A run that broke off may have brought some.
    if let (Some(before), Some(after)) = (before, Attention::of(&phone)?) {
        let words = Words::of(&phone.settings()?.lang);
        if let Some(news) = after.news_since(&before, &words) {
            host.platform.notifier.notify(&words.name, &news);
        }
    }
    ended
}
