//! Carries out an answer in one transaction: verdicts, then the feed, then cursor and chain.

use yaoguan_model::{Env, Kind, Record, RecordId, ReplicaId, VersionVector};
use yaoguan_wire::packing::{unpack, unpack_context};
use yaoguan_wire::reconcile::root_of;
use yaoguan_wire::{ErrorCode, FeedItem, Judgement, SyncRequest, SyncResponse, Verdict};

use crate::error::SyncError;
use crate::fork::{rebase_unsent, rewrite_after_fork};
use crate::local::Local;
use crate::reconcile::hash_of;
use crate::state::{Returned, SyncState};
use crate::store::{Quarantined, Tx};
use crate::{evict, hold};

/// What an answer changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// Saves that the town took (records).
    pub taken: u64,
    pub refused: u64,
    pub held: u64,
    /// Records that rest on what the town has lost: it keeps them for an administrator.
    pub recovered: u64,
    /// Records of the feed that were new here.
    pub received: u64,
    /// Records taken off the phone: out of scope, or purged.
    pub evicted: u64,
    /// The feed has another page.
    pub more: bool,
    /// The person's role or grids changed.
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
    if state.epoch.is_some_and(|epoch| epoch != response.epoch) {
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
    // First of all: what is confirmed from here on was confirmed now.
    state.last_contact_s = Some(response.town_time);
    if let Some(Returned::Asking { .. }) = state.returned {
        // The chain fits. The feed is not of use: the former id's own pushes are not in it.
        state.returned = Some(Returned::Known);
        tx.set_state(&state)?;
        applied.more = true;
        return Ok(applied);
    }
    tx.set_state(&state)?;
    let is_other_scope = state.scope_version != response.scope.version;
    // All that such a phone has afterwards is what this answer brings, within the scope that it names.
    let was_empty = is_other_scope && tx.ids()?.is_empty();
    let town = Answered { replicas: &response.replicas, at: response.town_time };
    apply_verdicts(tx, env, &mut state, request, (&response.verdicts, town), &mut applied)?;
    for news in &response.holds {
        hold::apply_news(tx, &mut state, news, response.town_time, &mut applied)?;
    }
    for item in &response.feed {
        apply_item(tx, &mut state, response, item, &mut applied)?;
    }
    state.epoch = Some(response.epoch);
    state.cursor = Some(response.cursor.clone());
    state.reconcile |= response.reconcile;
    state.clock_offset_s = response.town_time.saturating_sub(env.now_s());
    if is_other_scope {
        state.scope_version = response.scope.version;
        state.evict_owed |= !was_empty;
        applied.scope_changed = true;
        if let (Some(role), Some(grids)) = (response.scope.role, &response.scope.grids) {
            tx.set_scope(role, grids)?;
        }
    }
    evict::out_of_scope(tx, &mut state, &mut applied)?;
    if let Some(root) = &response.root
        && !response.more
        && tx.outbox()?.is_empty()
    {
        let own = root_of(tx.hashes()?.into_iter().map(|(hash, _)| hash));
        state.reconcile |= own != *root;
        unpark(tx)?;
    }
    tx.set_state(&state)?;
    Ok(applied)
}

/// What the town keeps as recovered goes out again, once a day: it may have been taken where this person does not
/// read it any more, or the town may have lost it with a restore that no feed position tells of.
fn unpark<T: Tx>(tx: &mut T) -> Result<(), T::Error> {
    for id in tx.unsent()? {
        let Some(mut local) = tx.load(id)? else { continue };
        local.unpark();
        tx.put_unsent(&local)?;
    }
    Ok(())
}

/// The verdicts on a push to a town that gives nothing else any more: the device was revoked, the account
/// closed, or this program is too old.
pub fn apply_verdicts_alone<T: Tx>(
    tx: &mut T,
    env: &dyn Env,
    request: &SyncRequest,
    (verdicts, replicas): (&[Verdict], &[ReplicaId]),
) -> Result<Applied, SyncError<T::Error>> {
    let mut state = tx.state()?;
    let mut applied = Applied::default();
    let town = Answered { replicas, at: state.town_now_s(env) };
    apply_verdicts(tx, env, &mut state, request, (verdicts, town), &mut applied)?;
    tx.set_state(&state)?;
    Ok(applied)
}

/// What verdicts are read with.
#[derive(Clone, Copy)]
struct Answered<'a> {
    replicas: &'a [ReplicaId],
    /// The town's clock.
    at: i64,
}

fn apply_verdicts<T: Tx>(
    tx: &mut T,
    env: &dyn Env,
    state: &mut SyncState,
    request: &SyncRequest,
    (verdicts, town): (&[Verdict], Answered<'_>),
    applied: &mut Applied,
) -> Result<(), SyncError<T::Error>> {
    // A replica that has set saves aside writes on under a new id: see Local::put_back.
    let mut sets_aside = false;
    for verdict in verdicts {
        let back = matches!(verdict.judgement, Judgement::Refused { .. } | Judgement::Held { .. });
        if back && tx.load(verdict.id)?.is_some_and(|local| local.unsent.is_some()) {
            sets_aside = true;
        }
    }
    if sets_aside {
        tx.note_former(state.new_replica(env))?;
    } else if let Some(token) = request.push.next {
        state.acked = Some(token);
        state.attempts.clear();
    }
    for verdict in verdicts {
        apply_verdict(tx, state, town, verdict, applied)?;
    }
    if sets_aside {
        rebase_unsent(tx, state)?;
    }
    Ok(())
}

fn apply_verdict<T: Tx>(
    tx: &mut T,
    state: &mut SyncState,
    town: Answered<'_>,
    verdict: &Verdict,
    applied: &mut Applied,
) -> Result<(), SyncError<T::Error>> {
    let context = unpack_context(town.replicas, &verdict.context)
        .ok_or(SyncError::Protocol("a verdict names a replica outside the table"))?;
    let Some(mut local) = tx.load(verdict.id)? else { return Ok(()) };
    applied.changed.push((local.record.kind.clone(), verdict.id));
    if verdict.judgement != Judgement::Unknown {
        tx.withdraw_offer(verdict.id)?;
    }
    match &verdict.judgement {
        Judgement::Taken => {
            local.taken(&context);
            applied.taken += 1;
            tx.put_unsent(&local)?;
        }
        Judgement::TakenEvict => {
            local.taken(&context);
            applied.taken += 1;
            evict::one(tx, state, &local, applied)?;
        }
        Judgement::Recovered => {
            local.recovered(&context);
            applied.recovered += 1;
            tx.put_unsent(&local)?;
        }
        Judgement::Refused { code, retriable, detail } => {
            applied.refused += 1;
            let why = Why { code, detail, retriable: *retriable, hold: None, at: town.at };
            put_back(tx, state, local, &context, why)?;
        }
        Judgement::Held { hold } => {
            applied.held += 1;
            // The town keeps it for a supervisor; this copy outlives a town that loses it, and holds the
            // saves made meanwhile that replaced its dots.
            let code = &ErrorCode::Held;
            let why = Why { code, detail: "", retriable: true, hold: Some(*hold), at: town.at };
            put_back(tx, state, local, &context, why)?;
        }
        Judgement::Unknown => {}
    }
    Ok(())
}

/// Why a save goes back.
struct Why<'a> {
    code: &'a ErrorCode,
    detail: &'a str,
    retriable: bool,
    hold: Option<yaoguan_wire::HoldId>,
    at: i64,
}

/// Sets the save apart with its reason; the record goes back to its base, or goes when it has none.
fn put_back<T: Tx>(
    tx: &mut T,
    state: &mut SyncState,
    local: Local,
    context: &VersionVector,
    why: Why<'_>,
) -> Result<(), T::Error> {
    let id = local.record.id;
    let (left, kept) = local.put_back(context, || state.next_dot());
    if let Some(kept) = kept {
        let Why { code, detail, retriable, hold, at } = why;
        // Saves made since that replaced its dots stay with it: the town's copy is not all there is.
        let hold = hold.filter(|_| !kept.beyond_sent);
        let (code, detail) = (code.clone(), detail.to_owned());
        tx.quarantine(&Quarantined { kept, code, detail, retriable, at, hold })?;
    }
    match left {
        Some(local) => tx.put(&local),
        None => tx.remove(id),
    }
}

fn apply_item<T: Tx>(
    tx: &mut T,
    state: &mut SyncState,
    response: &SyncResponse,
    item: &FeedItem,
    applied: &mut Applied,
) -> Result<(), SyncError<T::Error>> {
    if let Some(packed) = &item.record {
        let incoming = unpack(&response.replicas, packed.clone()).map_err(SyncError::Record)?;
        pull(tx, incoming, applied)?;
    } else if let Some(id) = item.left.or(item.purged) {
        match tx.load(id)? {
            Some(local) => {
                applied.changed.push((local.record.kind.clone(), id));
                evict::one(tx, state, &local, applied)?;
            }
            None => tx.drop_stub(id)?,
        }
    }
    Ok(())
}

/// A record arrives from the town.
pub(crate) fn pull<T: Tx>(
    tx: &mut T,
    incoming: Record,
    applied: &mut Applied,
) -> Result<(), SyncError<T::Error>> {
    let id = incoming.id;
    let found = tx.load(id)?;
    // What this phone gave up comes back when it has changed, not when a feed starts again.
    if found.is_none() && tx.stub(id)?.is_some_and(|stub| stub == hash_of(&incoming)) {
        return Ok(());
    }
    applied.changed.push((incoming.kind.clone(), id));
    let local = match found {
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
    Ok(())
}
