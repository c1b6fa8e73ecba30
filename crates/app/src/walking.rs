//! The receiver: polls a source of positions, adds what comes to the patrol that runs, tells the screens.

use std::sync::Arc;
use std::time::Duration;

use yaoguan_field::position::PositionSource;
use yaoguan_field::{FieldError, Point};

use crate::host::{Event, Host, locked};

const POLL: Duration = Duration::from_millis(200);

/// The file begins when a patrol does; until then its first fix is where the phone is.
pub async fn run(host: Arc<Host>, mut source: Box<dyn PositionSource>) {
    let first = source.poll(host.env.now_ms());
    let mut waiting = first;
    if let Some(fix) = waiting.last() {
        *locked(&host.last_fix) = Some(Point::from(fix.position));
    }
    loop {
        tokio::time::sleep(POLL).await;
        let at_work = Arc::clone(&host);
        let running = move || {
            at_work.phone(|phone| {
                Ok(phone.patrol_now()?.is_some_and(|patrol| patrol.ended_at_ms.is_none()))
            })
        };
        let running = tokio::task::spawn_blocking(running).await;
        if !matches!(running, Ok(Ok(true))) {
            continue;
        }
        waiting.extend(source.poll(host.env.now_ms()));
        let fixes = std::mem::take(&mut waiting);
        let Some(last) = fixes.last().map(|fix| Point::from(fix.position)) else { continue };
        *locked(&host.last_fix) = Some(last);
        let at_work = Arc::clone(&host);
        let add = move || {
            at_work.phone(|phone| {
                for fix in &fixes {
                    phone.add_fix(fix)?;
                }
                phone.patrol_now()
            })
        };
        let added: Result<Result<_, FieldError>, _> = tokio::task::spawn_blocking(add).await;
        if let Ok(Ok(patrol)) = added {
            host.tell(Event::Fix { at: last, patrol });
        }
    }
}
