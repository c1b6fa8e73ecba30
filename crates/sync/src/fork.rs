//! This replica has a twin (409 `replica_forked`): its unsent saves are written again under a new id.

use yaoguan_model::Env;

use crate::error::SyncError;
use crate::store::Tx;

/// Takes a new replica id and rebases every unsent record on its base. The cursor goes too: what the
/// twin sent in this replica's name is pulled again. Returns how many records were rewritten.
pub fn rewrite_after_fork<T: Tx>(tx: &mut T, env: &dyn Env) -> Result<u64, SyncError<T::Error>> {
    let mut state = tx.state()?;
    state.new_replica(env);
    state.cursor = None;
    state.reconcile = true;
    let ids = tx.outbox()?;
    for id in &ids {
        let Some(local) = tx.load(*id)? else { continue };
        let rebased = local.rebased(|| state.next_dot());
        tx.put(&rebased)?;
    }
    tx.set_state(&state)?;
    Ok(ids.len() as u64)
}
