//! Judges one pushed record: what would its merge change, and may this person change it? Pure.

use std::collections::{BTreeSet, HashMap};

use yaoguan_model::authorise::{Actor, Difference, Refusal, authorise};
use yaoguan_model::cells::{self, Around};
use yaoguan_model::schema::Problem;
use yaoguan_model::{AccountId, Alarm, Dot, GridCode, Record, ReplicaId, merge};
use yaoguan_wire::{ErrorCode, Judgement};

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
    pub replica: ReplicaId,
    /// The replica's commit counter, as pushed.
    pub counter: u64,
}

/// The town as far as a judgement needs it.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    pub grids: &'a BTreeSet<GridCode>,
    pub around: &'a Around,
    pub replicas: &'a Replicas,
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
    pub alarm: Option<Alarm>,
}

impl Decision {
    fn refused(code: ErrorCode, retriable: bool, detail: String) -> Self {
        let judgement = Judgement::Refused { code, retriable, detail };
        Self { judgement, write: None, as_pushed: false, registers: Vec::new(), alarm: None }
    }
}

/// Judges `incoming` against the town's state of that record.
pub fn decide(
    before: Option<&Record>,
    incoming: &Record,
    pusher: &Pusher,
    town: Surroundings<'_>,
) -> Decision {
    let registers = match own_dots(before, incoming, pusher, town.replicas) {
        Ok(registers) => registers,
        Err(dot) => {
            let detail = format!("{}:{} is not a dot of this phone", dot.replica, dot.counter);
            return Decision::refused(ErrorCode::ForeignDot, false, detail);
        }
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
        if let Err(refusal) = authorise(difference, &pusher.actor, town.grids, town.around) {
            let (code, retriable) = code_of(&refusal);
            return Decision::refused(code, retriable, refusal.to_string());
        }
    }
    let own = cells::of_reader(pusher.actor.account, pusher.actor.role, &pusher.actor.grids);
    let reads = !cells::of_record(&after, town.around).is_disjoint(&own);
    Decision {
        judgement: if reads { Judgement::Taken } else { Judgement::TakenEvict },
        as_pushed: after == *incoming,
        write: changes.then_some(after),
        registers,
        alarm: None,
    }
}

/// Context entries beyond what the town knows must be this phone's own, within the pushed counter.
/// Returns those of replica ids that are not registered yet.
fn own_dots(
    before: Option<&Record>,
    incoming: &Record,
    pusher: &Pusher,
    replicas: &Replicas,
) -> Result<Vec<Dot>, Dot> {
    let mut registers = Vec::new();
    for dot in incoming.context.iter() {
        if before.is_some_and(|before| before.context.covers_dot(dot)) {
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
            None if dot.counter <= pusher.counter => registers.push(dot),
            None => return Err(dot),
        }
    }
    Ok(registers)
}

/// The code that travels, and whether the same save may be taken after an upgrade of the town.
fn code_of(refusal: &Refusal) -> (ErrorCode, bool) {
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
        Refusal::Step(_) => (ErrorCode::StepNotAllowed, false),
    }
}
