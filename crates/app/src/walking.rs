//! The receiver: polls a source of positions, adds what comes to the patrol that runs, tells the screens.
//!
//! A source gives each fix once. One that could not be added waits, in its order, until it can be; with the
//! patrol it belongs to it ends.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use yaoguan_field::position::PositionSource;
use yaoguan_field::{FieldError, Phone, Point};
use yaoguan_model::RecordId;
use yaoguan_model::geodesy::Fix;

use crate::host::{Event, Host, locked};

const POLL: Duration = Duration::from_millis(200);
/// Fixes that wait for a store that cannot be written: more than a day's, one each second. The oldest go.
const MAX_WAITING: usize = 100_000;

/// The file begins when a patrol does; until then its first fix is where the phone is.
pub async fn run(host: Arc<Host>, mut source: Box<dyn PositionSource>) {
    let first = source.poll(host.env.now_ms());
    if let Some(fix) = first.last() {
        *locked(&host.last_fix) = Some(Point::from(fix.position));
    }
    let waiting = Arc::new(Mutex::new(VecDeque::from(first)));
    // Whose the waiting ones are; nobody's yet at the start.
    let mut owner = None;
    loop {
        tokio::time::sleep(POLL).await;
        // Not known while the store does not answer: then the source keeps what it has.
        let Some(running) = on_phone(&host, |phone| running(phone)).await else { continue };
        let Some(patrol) = running else { continue };
        if owner.replace(patrol).is_some_and(|before| before != patrol) {
            locked(&waiting).clear();
        }
        let Some(last) = take_in(&mut locked(&waiting), source.poll(host.env.now_ms())) else {
            continue;
        };
        *locked(&host.last_fix) = Some(last);
        let left = Arc::clone(&waiting);
        let add = move |phone: &mut Phone| {
            add_all(&mut locked(&left), |fix| phone.add_fix(fix))?;
            phone.patrol_now()
        };
        if let Some(patrol) = on_phone(&host, add).await {
            host.tell(Event::Fix { at: last, patrol });
        }
    }
}

/// Puts what came behind what waits; where the phone is, unless nothing waits.
fn take_in(waiting: &mut VecDeque<Fix>, came: Vec<Fix>) -> Option<Point> {
    waiting.extend(came);
    waiting.drain(..waiting.len().saturating_sub(MAX_WAITING));
    waiting.back().map(|fix| Point::from(fix.position))
}

/// The patrol that is under way.
fn running(phone: &Phone) -> Result<Option<RecordId>, FieldError> {
    let patrol = phone.patrol_now()?.filter(|patrol| patrol.ended_at_ms.is_none());
    Ok(patrol.map(|patrol| patrol.id))
}

/// None when the store could not be asked.
async fn on_phone<R: Send + 'static>(
    host: &Arc<Host>,
    work: impl FnOnce(&mut Phone) -> Result<R, FieldError> + Send + 'static,
) -> Option<R> {
    let host = Arc::clone(host);
    let done = tokio::task::spawn_blocking(move || host.phone(work)).await;
    done.ok()?.ok()
}

/// Adds in order; what could not be added stays, and all that came after it.
fn add_all<E>(
    fixes: &mut VecDeque<Fix>,
    mut add: impl FnMut(&Fix) -> Result<bool, E>,
) -> Result<(), E> {
    while let Some(fix) = fixes.front() {
        add(fix)?;
        fixes.pop_front();
    }
    Ok(())
}

#[cfg(test)]
mod tests;
