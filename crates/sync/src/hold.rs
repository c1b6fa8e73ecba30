//! Kept saves on their way back: a hold that is decided, a quarantined save that a person sends again.

use yaoguan_wire::{ErrorCode, HoldNews, HoldOutcome};

use crate::apply::Applied;
use crate::local::{Kept, Local, Unsent};
use crate::state::SyncState;
use crate::store::{Quarantined, Tx};

/// What became of a held save that this phone keeps a copy of.
pub(crate) fn apply_news<T: Tx>(
    tx: &mut T,
    state: &mut SyncState,
    news: &HoldNews,
    at: i64,
    applied: &mut Applied,
) -> Result<(), T::Error> {
    if news.outcome == HoldOutcome::Unknown {
        return Ok(());
    }
    for save in tx.take_hold(news.hold)? {
        let about = &save.kept.about;
        applied.changed.push((about.kind.clone(), about.id));
        match news.outcome {
            // It is on the record now, or a later push brought it.
            HoldOutcome::Released | HoldOutcome::Unknown => {}
            HoldOutcome::Refused => {
                let (code, detail) = (ErrorCode::HoldRefused, news.note.clone());
                let (hold, retriable) = (None, false);
                tx.quarantine(&Quarantined { code, detail, hold, retriable, at, ..save })?;
            }
            HoldOutcome::Lost => put_again(tx, state, &save.kept)?,
        }
    }
    Ok(())
}

/// Writes kept changes on the record as it is now, under fresh dots: never a merge.
pub fn put_again<T: Tx>(tx: &mut T, state: &mut SyncState, kept: &Kept) -> Result<(), T::Error> {
    let local = match tx.load(kept.about.id)? {
        Some(mut local) => {
            local.put_again(&kept.changes, || state.next_dot());
            local
        }
        None => {
            let mut record = kept.about.clone();
            kept.changes.put_on(&mut record, || state.next_dot());
            Local { record, unsent: Some(Unsent::default()) }
        }
    };
    tx.put(&local)
}
