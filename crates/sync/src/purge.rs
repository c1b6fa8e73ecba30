//! Gives up finished records once the town has had them for long enough: content goes, `(id, hash)` stays.
//!
//! Time is the town's, as last heard. Nothing goes while phone and town may not have the same, and nothing
//! of which a save, a draft or a decision still waits.

use yaoguan_model::retention::is_finished;
use yaoguan_model::{Kind, RecordId};

use crate::store::Tx;

/// Gives up at most `most` finished records that were confirmed `keeps_s` seconds ago or earlier, oldest
/// first. Returns what went.
pub fn purge<T: Tx>(
    tx: &mut T,
    keeps_s: i64,
    most: usize,
) -> Result<Vec<(Kind, RecordId)>, T::Error> {
    let mut gone = Vec::new();
    let state = tx.state()?;
    let Some(now) = state.last_contact_s.filter(|_| !state.reconcile) else { return Ok(gone) };
    for id in tx.settled(now.saturating_sub(keeps_s))? {
        if gone.len() >= most {
            break;
        }
        let Some(local) = tx.load(id)? else { continue };
        if local.unsent.is_none() && is_finished(&local.record, now) {
            gone.push((local.record.kind, id));
            tx.give_up(id)?;
        }
    }
    Ok(gone)
}
