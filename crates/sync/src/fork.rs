//! This replica has a twin (409 `replica_forked`): its unsent saves are written again under a new id.

use yaoguan_model::Env;
use yaoguan_wire::PushToken;

use crate::error::SyncError;
use crate::state::{Returned, SyncState};
use crate::store::Tx;

/// Takes a new replica id and rebases every unsent record on its base. The cursor goes too, and a
/// reconciliation is owed: what the twin sent in this replica's name is fetched. Returns how many records were rewritten.
pub fn rewrite_after_fork<T: Tx>(tx: &mut T, env: &dyn Env) -> Result<u64, SyncError<T::Error>> {
    let mut state = tx.state()?;
    tx.note_former(state.new_replica(env))?;
    state.cursor = None;
    state.reconcile = true;
    state.returned = None;
    let rewritten = rebase_unsent(tx, &mut state)?;
    tx.set_state(&state)?;
    Ok(rewritten)
}

/// This store was brought back from a backup, and the marker says that its own line went on to push
/// `last_push`, under counters that cover every save in here. Takes a new replica id; unsent saves keep
/// their dots until the town has been asked and compared with, so that what it has of them merges as what
/// it is: what was replaced there since does not come back beside the newer value.
///
/// Sound, because a chain that ends with this line's last push is this line's alone: a twin's pushes are
/// refused from there on. When it does not, they are rewritten as after a fork.
pub fn brought_back<T: Tx>(
    tx: &mut T,
    env: &dyn Env,
    last_push: PushToken,
) -> Result<(), SyncError<T::Error>> {
    let mut state = tx.state()?;
    if state.returned.is_some() || tx.unsent_count()? == 0 {
        return rewrite_after_fork(tx, env).map(|_| ());
    }
    let former = state.new_replica(env);
    tx.note_former(former)?;
    state.cursor = None;
    state.reconcile = true;
    state.returned = Some(Returned::Asking { former, last_push });
    Ok(tx.set_state(&state)?)
}

/// All that the town has is merged: what is still unsent is written again under the new id.
pub(crate) fn settle_returned<T: Tx>(
    tx: &mut T,
    state: &mut SyncState,
) -> Result<(), SyncError<T::Error>> {
    if state.returned.take().is_some() {
        rebase_unsent(tx, state)?;
    }
    Ok(())
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
