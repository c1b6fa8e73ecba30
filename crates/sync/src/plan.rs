//! Draws up a request: the outbox as far as a page reaches, and the push chain, stored before it is sent.

use yaoguan_model::Env;
use yaoguan_wire::body::PageBudget;
use yaoguan_wire::limits::{MAX_HOLDS, MAX_PUSH_TOKENS};
use yaoguan_wire::{Clock, HoldId, PROTOCOL, Push, PushToken, ReplicaTable, SyncRequest};

use crate::error::SyncError;
use crate::state::{Returned, SyncState};
use crate::store::Tx;

/// One request. Everything that the answer will be measured against is stored in this transaction: the
/// states as sent and the token of this attempt.
pub fn plan<T: Tx>(tx: &mut T, env: &dyn Env) -> Result<SyncRequest, SyncError<T::Error>> {
    let mut state = tx.state()?;
    if state.returned.is_some() {
        return Ok(without_records(tx.holds(MAX_HOLDS)?, state, env));
    }
    let mut table = ReplicaTable::default();
    let mut budget = PageBudget::default();
    let mut records = Vec::new();
    for id in tx.outbox()? {
        let Some(mut local) = tx.load(id)? else { continue };
        let packed = table.pack(local.send());
        if !budget.admit(&to_json(&packed)?) {
            break;
        }
        tx.put_unsent(&local)?;
        records.push(packed);
    }
    // What the town turned out not to have goes along, as it is.
    for id in tx.offers()? {
        match tx.load(id)? {
            Some(local) if local.unsent.is_none() => {
                let packed = table.pack_owned(local.record);
                if !budget.admit(&to_json(&packed)?) {
                    break;
                }
                records.push(packed);
            }
            // It goes out by itself, or is gone.
            Some(_) | None => tx.withdraw_offer(id)?,
        }
    }
    let tokens: Vec<PushToken> =
        state.acked.into_iter().chain(state.attempts.iter().copied()).collect();
    let next = if records.is_empty() {
        None
    } else {
        let unchanged = state.attempt_counter == state.counter;
        let token = match state.attempts.last() {
            // A chain of unanswered attempts is bounded: the oldest go, the acknowledged one stays.
            Some(last) if unchanged => *last,
            _ => PushToken::new(env.random_16()),
        };
        if state.attempts.last() != Some(&token) {
            // The marker's counter thereby tells a store from before this push, also when nothing has
            // been written since.
            state.counter += 1;
            if state.attempts.len() >= MAX_PUSH_TOKENS - 1 {
                state.attempts.remove(0);
            }
            state.attempts.push(token);
        }
        state.attempt_counter = state.counter;
        tx.set_state(&state)?;
        Some(token)
    };
    let replicas = table.into_ids();
    let mut former = Vec::new();
    for (index, replica) in (0_u32..).zip(&replicas) {
        if tx.is_former(*replica)? {
            former.push(index);
        }
    }
    let push = Push { tokens, next, counter: state.counter, former };
    let request = without_records(tx.holds(MAX_HOLDS)?, state, env);
    Ok(SyncRequest { push, replicas, records, ..request })
}

/// A request that pushes nothing. A store that was brought back asks with it whether its line's last push
/// is the last one under its former id.
fn without_records(holds: Vec<HoldId>, state: SyncState, env: &dyn Env) -> SyncRequest {
    let (replica, tokens) = match state.returned {
        Some(Returned::Asking { former, last_push }) => (former, vec![last_push]),
        Some(Returned::Known) | None => (state.replica, state.acked.into_iter().collect()),
    };
    SyncRequest {
        protocol: PROTOCOL,
        epoch: state.epoch,
        replica,
        push: Push { tokens, next: None, counter: state.counter, former: Vec::new() },
        cursor: state.cursor,
        scope_version: state.scope_version,
        replicas: Vec::new(),
        records: Vec::new(),
        holds,
        clock: Clock { device: env.now_s(), boot_elapsed: env.boot_elapsed_ms().div_euclid(1000) },
        waiting: None,
    }
}

fn to_json<E: std::error::Error + 'static>(
    packed: &yaoguan_wire::packing::PackedRecord,
) -> Result<Vec<u8>, SyncError<E>> {
    serde_json::to_vec(packed).map_err(|_| SyncError::Protocol("unpackable record"))
}
