//! Judges one pushed record: what would its merge change, and may this person change it? Pure.

use std::collections::{BTreeSet, HashMap};

use yaoguan_model::authorise::{Actor, Difference, Ground, Refusal, authorise};
use yaoguan_model::cells::{self, Around};
use yaoguan_model::faults::{Fault, is_broken};
use yaoguan_model::schema::Problem;
use yaoguan_model::{
    AccountId, Alarm, Changes, Dot, GridCode, Record, ReplicaId, VersionVector, merge,
};
use yaoguan_wire::{ErrorCode, HoldId, Judgement};

/// What the town knows of the replica ids in a push.
#[derive(Debug, Clone, Default)]
pub struct Replicas {
    /// Owner and highest counter pushed, for those registered.
    pub known: HashMap<ReplicaId, (AccountId, u64)>,
}

/// Who pushes.
#[derive(Debug, Clone)]
pub struct Pusher {
    pub actor: Actor,
    /// The scope last delivered to this phone, where it is not the present one: what its person was
    /// entitled to while offline is held, not refused.
    pub delivered: Option<Actor>,
    /// The device was revoked or the account closed: nothing is taken any more, but held. The code says
    /// which.
    pub barred: Option<ErrorCode>,
    pub replica: ReplicaId,
    /// The replica's commit counter, as pushed.
    pub counter: u64,
    /// Ids that this phone wrote under before.
    pub former: BTreeSet<ReplicaId>,
}

impl Pusher {
    /// Someone within the present scope, on a phone that never wrote under another id.
    pub fn new(actor: Actor, replica: ReplicaId, counter: u64) -> Self {
        let former = BTreeSet::new();
        Self { actor, delivered: None, barred: None, replica, counter, former }
    }
}

/// The town as far as a judgement needs it.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    pub grids: &'a BTreeSet<GridCode>,
    /// Around the town's state of the record.
    pub before: &'a Around,
    /// Around what comes in and the town's state together.
    pub after: &'a Around,
    pub replicas: &'a Replicas,
    /// The record was purged at this context.
    pub purged: Option<&'a VersionVector>,
    /// This is not the town's first line of history: phones may hold what it has lost.
    pub restored: bool,
    /// A check whose household is not here and was not purged either.
    pub lacks_household: bool,
}

/// What becomes of a pushed record.
#[derive(Debug, Clone)]
pub struct Decision {
    pub judgement: Judgement,
    /// The merged state, when it differs from the town's.
    pub write: Option<Record>,
    /// The merge is exactly what was pushed: it need not go back to the pusher.
    pub as_pushed: bool,
    /// Replica ids of this phone that are registered with this push.
    pub registers: Vec<Dot>,
    /// With [`Judgement::Held`]: what is kept for a supervisor, and why.
    pub hold: Option<Hold>,
    pub alarm: Option<Alarm>,
}

/// The changes of a held save: never a whole record, never merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    pub changes: Changes,
    pub code: ErrorCode,
    pub detail: String,
}

impl Decision {
    fn just(judgement: Judgement) -> Self {
        let (write, hold, alarm) = (None, None, None);
        Self { judgement, write, as_pushed: false, registers: Vec::new(), hold, alarm }
    }

    fn refused(code: ErrorCode, retriable: bool, detail: String) -> Self {
        Self::just(Judgement::Refused { code, retriable, detail })
    }

    fn refused_by(refusal: &Refusal) -> Self {
        let (code, retriable) = code_of(refusal);
        Self::refused(code, retriable, refusal.to_string())
    }

    fn held(incoming: &Record, changes: Changes, code: ErrorCode, detail: String) -> Self {
        let hold = HoldId::of(incoming.id, &changes);
        let kept = Some(Hold { changes, code, detail });
        Self { hold: kept, ..Self::just(Judgement::Held { hold }) }
    }
}

/// Judges `incoming` against the town's state of that record.
pub fn decide(
    before: Option<&Record>,
    incoming: &Record,
    pusher: &Pusher,
    town: Surroundings<'_>,
) -> Decision {
    if let (None, Some(purged)) = (before, town.purged) {
        return after_purge(purged, incoming, pusher, town);
    }
    let seen = before.map(|before| &before.context);
    let registers = match own_dots(seen, incoming, pusher, town.replicas) {
        Ok(registers) => registers,
        // Another's dots that this line of history has lost come back through an administrator.
        Err(_) if town.restored => return Decision::just(Judgement::Recovered),
        Err(dot) => return foreign(dot),
    };
    let (after, alarm) = match before {
        None => (incoming.clone(), None),
        Some(before) => match merge(before, incoming) {
            Ok(merged) => (merged.record, merged.alarm),
            Err(error) => {
                return Decision::refused(ErrorCode::IdentityChanged, false, error.to_string());
            }
        },
    };
    if let Some(alarm) = alarm {
        let detail = "a dot stands for two values".to_owned();
        let refused = Decision::refused(ErrorCode::Invalid, false, detail);
        return Decision { alarm: Some(alarm), ..refused };
    }
    let changes = before != Some(&after);
    if changes {
        let difference = Difference { before, incoming, after: &after };
        if let Some(decision) = not_taken(difference, pusher, town) {
            // Nobody can say whose grid the lost household stood in: it comes back through an administrator,
            // and its checks with it. The phone that has the check need not read that grid any more.
            let refused = matches!(decision.judgement, Judgement::Refused { .. });
            let lost = town.restored && town.lacks_household && refused;
            return if lost { Decision::just(Judgement::Recovered) } else { decision };
        }
    }
    let own = cells::of_reader(pusher.actor.account, pusher.actor.role, &pusher.actor.grids);
    let reads = !cells::of_record(&after, town.after).is_disjoint(&own);
    let judgement = if reads { Judgement::Taken } else { Judgement::TakenEvict };
    let as_pushed = after == *incoming;
    let write = changes.then_some(after);
    Decision { as_pushed, write, registers, ..Decision::just(judgement) }
}

/// A difference that is not to be taken: refused, or held where its person was entitled to it under the
/// scope that the phone knew.
fn not_taken(
    difference: Difference<'_>,
    pusher: &Pusher,
    town: Surroundings<'_>,
) -> Option<Decision> {
    let ground = Ground { town_grids: town.grids, before: town.before, after: town.after };
    let held = |code, detail| {
        let changes = Changes::between(difference.before, difference.after);
        Some(Decision::held(difference.incoming, changes, code, detail))
    };
    let knew = pusher.delivered.as_ref();
    if let Some(code) = &pusher.barred {
        return match authorise(difference, knew.unwrap_or(&pusher.actor), ground) {
            Ok(()) => held(code.clone(), String::new()),
            Err(refusal) => Some(Decision::refused_by(&refusal)),
        };
    }
    let refusal = authorise(difference, &pusher.actor, ground).err()?;
    if knew.is_some_and(|knew| authorise(difference, knew, ground).is_ok()) {
        return held(code_of(&refusal).0, refusal.to_string());
    }
    Some(Decision::refused_by(&refusal))
}

/// The record was purged: what its purge had seen is gone for good; what was written unseen is held, and
/// can become a record of its own.
fn after_purge(
    purged: &VersionVector,
    incoming: &Record,
    pusher: &Pusher,
    town: Surroundings<'_>,
) -> Decision {
    if purged.covers(&incoming.context) {
        return Decision::just(Judgement::TakenEvict);
    }
    let registers = match own_dots(Some(purged), incoming, pusher, town.replicas) {
        Ok(registers) => registers,
        Err(_) if town.restored => return Decision::just(Judgement::Recovered),
        Err(dot) => return foreign(dot),
    };
    let knew = pusher.delivered.as_ref().unwrap_or(&pusher.actor);
    let own = cells::of_reader(knew.account, knew.role, &knew.grids);
    if cells::of_record(incoming, town.after).is_disjoint(&own) {
        return Decision::refused_by(&Refusal::OutOfScope);
    }
    // Only what the purge had not seen: erased content does not come back by way of a hold.
    let mut changes = Changes::between(None, incoming);
    changes.paths.retain(|_, change| {
        change.added.retain(|sibling| !purged.covers_dot(sibling.dot));
        !change.added.is_empty()
    });
    let held = Decision::held(incoming, changes, ErrorCode::Purged, String::new());
    Decision { registers, ..held }
}

fn foreign(dot: Dot) -> Decision {
    let detail = format!("{}:{} is not a dot of this phone", dot.replica, dot.counter);
    Decision::refused(ErrorCode::ForeignDot, false, detail)
}

/// Context entries beyond what the town knows must be this phone's own, within the pushed counter.
/// Returns those of replica ids that are not registered yet.
fn own_dots(
    seen: Option<&VersionVector>,
    incoming: &Record,
    pusher: &Pusher,
    replicas: &Replicas,
) -> Result<Vec<Dot>, Dot> {
    let mut registers = Vec::new();
    for dot in incoming.context.iter() {
        if seen.is_some_and(|seen| seen.covers_dot(dot)) || is_broken(Fault::ForeignContext) {
            continue;
        }
        match replicas.known.get(&dot.replica) {
            Some((owner, pushed)) => {
                let own = *owner == pusher.actor.account;
                // Another phone of the same person may have pushed more than this one.
                let bound = if dot.replica == pusher.replica { 0 } else { *pushed };
                if !own || dot.counter > bound.max(pusher.counter) {
                    return Err(dot);
                }
            }
            None => {
                let own = dot.replica == pusher.replica || pusher.former.contains(&dot.replica);
                if !own || dot.counter > pusher.counter {
                    return Err(dot);
                }
                registers.push(dot);
            }
        }
    }
    Ok(registers)
}

/// The code that travels, and whether the same save may be taken after an upgrade of the town.
pub(crate) fn code_of(refusal: &Refusal) -> (ErrorCode, bool) {
    match refusal {
        Refusal::UnknownKind(_) => (ErrorCode::UnknownKind, true),
        Refusal::Invalid(invalid) if invalid.problem == Problem::UnknownField => {
            (ErrorCode::UnknownField, true)
        }
        Refusal::Invalid(_) => (ErrorCode::Invalid, false),
        Refusal::IdentityChanged => (ErrorCode::IdentityChanged, false),
        Refusal::OutOfScope => (ErrorCode::OutOfScope, false),
        Refusal::UnknownGrid(_) => (ErrorCode::UnknownGrid, false),
        Refusal::ForeignGrid(_) | Refusal::NotAllowed(_) => (ErrorCode::NotAllowed, false),
        Refusal::KindNotAllowed(_) => (ErrorCode::KindNotAllowed, false),
        Refusal::Step(_) => (ErrorCode::StepNotAllowed, false),
    }
}
