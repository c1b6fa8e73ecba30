//! Carries out an answer in one transaction: verdicts, then the feed, then cursor and chain.

use yaoguan_model::{Env, Kind, RecordId, VersionVector};
use yaoguan_wire::packing::{unpack, unpack_context};
use yaoguan_wire::{ErrorCode, FeedItem, Judgement, SyncRequest, SyncResponse, Verdict};

use crate::error::SyncError;
use crate::fork::{rebase_unsent, rewrite_after_fork};
use crate::local::Local;
use crate::state::SyncState;
use crate::store::{Quarantined, Tx};

/// What an answer changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// Saves that the town took (records).
    pub taken: u64,
    pub refused: u64,
    pub held: u64,
    /// Records of the feed that were new here.
    pub received: u64,
    /// Records taken off the phone: out of scope, or purged.
    pub evicted: u64,
    /// The feed has another page.
    pub more: bool,
    /// The person's role or grids changed; they are in the answer.
    pub scope_changed: bool,
    /// What the screens have to fetch again.
    pub changed: Vec<(Kind, RecordId)>,
}

/// Applies the answer to `request`. On an error nothing has changed and the same request may go again.
pub fn apply<T: Tx>(
    tx: &mut T,
    env: &dyn Env,
    request: &SyncRequest,
    response: &SyncResponse,
) -> Result<Applied, SyncError<T::Error>> {
    let mut state = tx.state()?;
    let mut applied = Applied { more: response.more, ..Applied::default() };
    let new_epoch = state.epoch.is_some_and(|epoch| epoch != response.epoch);
    if new_epoch {
        // The town has another history: its positions and tokens mean nothing any more.
        // Nor do the push chains tell a twin any more, and the town may have lost dots of this replica
        // which others still hold: unsent saves are written again under a new id, as after a fork.
        state.epoch = Some(response.epoch);
        state.reconcile = true;
        applied.more = true;
        tx.set_state(&state)?;
        rewrite_after_fork(tx, env)?;
        return Ok(applied);
    }
    // A replica that has set saves aside writes on under a new id: see Local::put_back.
    let goes_back =
        |v: &Verdict| matches!(v.judgement, Judgement::Refused { .. } | Judgement::Held);
    let sets_aside = response.verdicts.iter().any(goes_back);
    if sets_aside {
        state.new_replica(env);
    } else if let Some(token) = request.push.next {
        state.acked = Some(token);
        state.attempts.clear();
    }
    for verdict in &response.verdicts {
        apply_verdict(tx, &mut state, response, verdict, &mut applied)?;
    }
    if sets_aside {
        rebase_unsent(tx, &mut state)?;
    }
    for item in &response.feed {
        apply_item(tx, &state, response, item, &mut applied)?;
    }
    state.epoch = Some(response.epoch);
    state.cursor = Some(response.cursor.clone());
    applied.scope_changed = state.scope_version != response.scope.version;
    state.scope_version = response.scope.version;
    state.clock_offset_s = response.town_time.saturating_sub(env.now_s());
    state.last_contact_s = Some(response.town_time);
    tx.set_state(&state)?;
    Ok(applied)
}

fn apply_verdict<T: Tx>(
    tx: &mut T,
    state: &mut SyncState,
    response: &SyncResponse,
    verdict: &Verdict,
    applied: &mut Applied,
) -> Result<(), SyncError<T::Error>> {
    let context = unpack_context(&response.replicas, &verdict.context)
        .ok_or(SyncError::Protocol("a verdict names a replica outside the table"))?;
    let Some(mut local) = tx.load(verdict.id)? else { return Ok(()) };
    applied.changed.push((local.record.kind.clone(), verdict.id));
    match &verdict.judgement {
        Judgement::Taken => {
            local.taken(&context);
            applied.taken += 1;
            tx.put_unsent(&local)?;
        }
        Judgement::TakenEvict => {
            local.taken(&context);
            applied.taken += 1;
            evict(tx, &local, applied)?;
        }
        Judgement::Refused { code, retriable, detail } => {
            applied.refused += 1;
            let why = (code.clone(), detail.clone(), *retriable);
            put_back(tx, state, local, &context, why, response.town_time)?;
        }
        Judgement::Held => {
            applied.held += 1;
            // The town keeps it for a supervisor; this copy outlives a town that loses it, and holds the
            // saves made meanwhile that replaced its dots.
            let why = (ErrorCode::Held, String::new(), true);
            put_back(tx, state, local, &context, why, response.town_time)?;
        }
        Judgement::Unknown => {}
    }
    Ok(())
}

/// Sets the save apart with its reason; the record goes back to its base, or goes when it has none.
fn put_back<T: Tx>(
    tx: &mut T,
    state: &mut SyncState,
    local: Local,
    context: &VersionVector,
    (code, detail, retriable): (ErrorCode, String, bool),
    at: i64,
) -> Result<(), T::Error> {
    let id = local.record.id;
    let (left, kept) = local.put_back(context, || state.next_dot());
    if let Some(kept) = kept {
        tx.quarantine(&Quarantined { kept, code, detail, retriable, at })?;
    }
    match left {
        Some(local) => tx.put(&local),
        None => tx.remove(id),
    }
}

/// Takes a record off the phone, unless saves on it are still to be confirmed.
fn evict<T: Tx>(tx: &mut T, local: &Local, applied: &mut Applied) -> Result<(), T::Error> {
    if local.unsent.is_some() {
        return tx.put_unsent(local);
    }
    applied.evicted += 1;
    tx.remove(local.record.id)
}

fn apply_item<T: Tx>(
    tx: &mut T,
    state: &SyncState,
    response: &SyncResponse,
    item: &FeedItem,
    applied: &mut Applied,
) -> Result<(), SyncError<T::Error>> {
    if let Some(packed) = &item.record {
        let incoming = unpack(&response.replicas, packed.clone()).map_err(SyncError::Record)?;
        let id = incoming.id;
        applied.changed.push((incoming.kind.clone(), id));
        let local = match tx.load(id)? {
            None => {
                applied.received += 1;
                Local::confirmed(incoming)
            }
            Some(mut local) => {
                if !local.record.context.covers(&incoming.context) {
                    applied.received += 1;
                }
                let alarm = local.pulled(&incoming).map_err(|_| SyncError::Identity(id))?;
                if let Some(alarm) = alarm {
                    tx.alarm(id, alarm)?;
                }
                local
            }
        };
        tx.put(&local)?;
    } else if let Some(id) = item.left.or(item.purged)
        // Until a reconciliation after a new epoch this phone may hold what the town has lost.
        && !state.reconcile
        && let Some(local) = tx.load(id)?
    {
        applied.changed.push((local.record.kind.clone(), id));
        evict(tx, &local, applied)?;
    }
    Ok(())
}
