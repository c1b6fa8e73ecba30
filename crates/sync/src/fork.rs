//! This replica has a twin (409 `replica_forked`): its unsent saves are written again under a new id.

use yaoguan_model::Env;

use crate::error::SyncError;
use crate::state::SyncState;
use crate::store::Tx;

/// Takes a new replica id and rebases every unsent record on its base. The cursor goes too, and a
/// reconciliation is owed: what the twin sent in this replica's name is fetched. Returns how many records were rewritten.
pub fn rewrite_after_fork<T: Tx>(tx: &mut T, env: &dyn Env) -> Result<u64, SyncError<T::Error>> {
    let mut state = tx.state()?;
    tx.note_former(state.new_replica(env))?;
    state.cursor = None;
    state.reconcile = true;
    let rewritten = rebase_unsent(tx, &mut state)?;
    tx.set_state(&state)?;
    Ok(rewritten)
}

/// Writes every unsent record again on its base. Unsent saves never outlive their replica id: a clone
/// made while a push was under way holds that push's token too, and goes on under the old id.
pub(crate) fn rebase_unsent<T: Tx>(
    tx: &mut T,
    state: &mut SyncState,
) -> Result<u64, SyncError<T::Error>> {
    let ids = tx.unsent()?;
    for id in &ids {
        let Some(local) = tx.load(*id)? else { continue };
        tx.narrow_drafts(*id, &local.confirmed_context())?;
        let rebased = local.rebased(|| state.next_dot());
        tx.put(&rebased)?;
    }
    Ok(ids.len() as u64)
}
