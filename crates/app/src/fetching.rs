//! Fetches the town's map behind a sync: where bytes cost nothing, while nothing else is to be done.

use std::sync::Arc;

use yaoguan_field::FieldError;
use yaoguan_field::tiles::MapStep;

use crate::host::{Event, Host};
use crate::syncing::waiting;

/// How often the town is asked whether it has another map.
pub(crate) const ASK_EVERY_MS: i64 = 6 * 3600 * 1000;

/// Part by part, until it is here or something else is to be done; the next sync goes on with it.
pub(crate) async fn after_sync(host: &Arc<Host>) {
    if !host.map.may_ask(host.env.boot_elapsed_ms()) {
        return;
    }
    while is_quiet(host).await {
        match step(host).await {
            Ok(MapStep::More(_)) => {}
            Ok(MapStep::Installed(_)) => {
                host.map.changed();
                host.tell(Event::Changed { changed: None });
                return host.map.asked(host.env.boot_elapsed_ms());
            }
            Ok(MapStep::Nothing) | Err(FieldError::BadMap(_)) => {
                return host.map.asked(host.env.boot_elapsed_ms());
            }
            // The line broke: the next sync tries again.
            Err(_) => return,
        }
    }
}

/// Nothing waits to be sent or fetched, and the line costs nothing.
async fn is_quiet(host: &Arc<Host>) -> bool {
    let now_ms = host.env.boot_elapsed_ms();
    let idle = host.pulse(|pulse| {
        let now = pulse.now();
        now.online && !now.metered && pulse.wait_ms(now_ms, 0) != Some(0)
    });
    idle && waiting(host).await == Some(0)
}

async fn step(host: &Arc<Host>) -> Result<MapStep, FieldError> {
    let (at_work, runtime) = (Arc::clone(host), tokio::runtime::Handle::current());
    let work = move || {
        let phone = at_work.open_phone()?;
        runtime.block_on(phone.fetch_map(&at_work.dir))
    };
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(FieldError::Protocol(error.to_string())))
}
