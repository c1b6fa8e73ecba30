//! May this person make this difference? One function, asked on the phone before a save and at the
//! town before a merge.
//!
//! Judged is what the merge would change, never what was sent: a covering context without some fields
//! is a removal of those fields, and must be allowed as one.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::cells::{self, Around};
use crate::changes::{Changes, PathChange};
use crate::ids::{AccountId, GridCode};
use crate::kind::Kind;
use crate::path::FieldPath;
use crate::record::{Record, Sibling};
use crate::role::Role;
use crate::schema::{self, Invalid, Problem, Writer};
use crate::status::{self, StepError};
use crate::value::Value;

/// A person with a role and grids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    pub account: AccountId,
    pub role: Role,
    /// Own grids; for a supervisor of the whole town all of them.
    pub grids: BTreeSet<GridCode>,
}

/// Why a difference is refused. Each has words on the screen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("this program does not know the kind `{0}`")]
    UnknownKind(String),
    #[error("{0}")]
    Invalid(#[from] Invalid),
    #[error("kind or author of a record never change")]
    IdentityChanged,
    #[error("the record is outside your grids")]
    OutOfScope,
    #[error("grid {0} is not one of this town's")]
    UnknownGrid(GridCode),
    #[error("grid {0} is not one of yours")]
    ForeignGrid(GridCode),
    #[error("{0} is not yours to change")]
    NotAllowed(FieldPath),
    #[error("{0}")]
    Step(#[from] StepError),
}

/// What is judged.
#[derive(Debug, Clone, Copy)]
pub struct Difference<'a> {
    /// The receiver's state; none for a new record.
    pub before: Option<&'a Record>,
    /// The writer's state.
    pub incoming: &'a Record,
    /// What the merge of both would be.
    pub after: &'a Record,
}

/// Judges a difference. `town_grids` are all grids of the town; `around` belongs to `before`, or to
/// `incoming` when the record is new.
pub fn authorise(
    difference: Difference<'_>,
    actor: &Actor,
    town_grids: &BTreeSet<GridCode>,
    around: &Around,
) -> Result<(), Refusal> {
    let Difference { before, incoming, after } = difference;
    let Some(spec) = incoming.kind.spec() else {
        return Err(Refusal::UnknownKind(incoming.kind.to_string()));
    };
    check_identity(before, incoming, actor)?;
    schema::validate(incoming)?;
    schema::validate(after)?;
    check_scope(before, incoming, actor, around)?;
    let changes = Changes::between(before, after);
    check_grids(&changes, &incoming.kind, actor, town_grids)?;
    let relations = relations(before.unwrap_or(incoming), actor, around);
    for (path, change) in &changes.paths {
        let at = |problem| Invalid { path: path.clone(), problem };
        let line = spec.find(path.as_str()).ok_or_else(|| at(Problem::UnknownField))?;
        let had = before.is_some_and(|b| !b.siblings(path.as_str()).is_empty());
        if line.immutable && had {
            return Err(at(Problem::Immutable).into());
        }
        if line.required && change.added.is_empty() && after.siblings(path.as_str()).is_empty() {
            return Err(at(Problem::Missing).into());
        }
        let signed = path.head() != "timeline" || is_signed(change, actor, &relations);
        if !signed || !line.writers.iter().any(|writer| relations.contains(writer)) {
            return Err(Refusal::NotAllowed(path.clone()));
        }
    }
    status::legal_steps(before, incoming, &relations)?;
    Ok(())
}

/// A timeline entry says who did it: the one who writes it. A supervisor may enter what another did.
fn is_signed(change: &PathChange, actor: &Actor, relations: &[Writer]) -> bool {
    let own = |s: &Sibling| {
        s.value.get("by").and_then(Value::as_text) == Some(&actor.account.to_string())
    };
    relations.contains(&Writer::Supervisor) || change.added.iter().all(own)
}

/// How the actor stands to a record.
pub fn relations(record: &Record, actor: &Actor, around: &Around) -> Vec<Writer> {
    let mut relations = vec![Writer::Reader];
    let mut grids = cells::grids_of(record);
    grids.extend(around.household_grids.iter().cloned());
    let own_grid = grids.iter().any(|grid| actor.grids.contains(grid));
    let is_assignee = cells::accounts(record, "assignee").any(|a| a == actor.account);
    let of_grid = record.kind == Kind::Task && own_grid && actor.role == Role::Chief;
    if record.created_by == actor.account {
        relations.push(Writer::Author);
    }
    if is_assignee || of_grid {
        relations.push(Writer::Assignee);
    }
    match actor.role {
        Role::Chief if own_grid => relations.push(Writer::Chief),
        Role::Supervisor if own_grid || grids.is_empty() => relations.push(Writer::Supervisor),
        Role::Admin => relations.push(Writer::Admin),
        Role::Volunteer | Role::Chief | Role::Supervisor => {}
    }
    relations
}

fn check_identity(
    before: Option<&Record>,
    incoming: &Record,
    actor: &Actor,
) -> Result<(), Refusal> {
    let same = match before {
        Some(before) => before.kind == incoming.kind && before.created_by == incoming.created_by,
        None => incoming.created_by == actor.account,
    };
    if same { Ok(()) } else { Err(Refusal::IdentityChanged) }
}

fn check_scope(
    before: Option<&Record>,
    incoming: &Record,
    actor: &Actor,
    around: &Around,
) -> Result<(), Refusal> {
    let own = cells::of_reader(actor.account, actor.role, &actor.grids);
    let reads = |record: &Record| !cells::of_record(record, around).is_disjoint(&own);
    // Households belong to chiefs and supervisors: a volunteer or an admin cannot even make one.
    let household = matches!(incoming.kind, Kind::Household | Kind::HouseholdCheck);
    if household && !matches!(actor.role, Role::Chief | Role::Supervisor) {
        return Err(Refusal::OutOfScope);
    }
    // A notice is the town's word: neither a volunteer nor a chief makes one.
    let speaks = matches!(actor.role, Role::Supervisor | Role::Admin);
    if incoming.kind == Kind::Notice && before.is_none() && !speaks {
        return Err(Refusal::OutOfScope);
    }
    match before {
        Some(before) if !reads(before) => Err(Refusal::OutOfScope),
        Some(_) => Ok(()),
        None if incoming.kind == Kind::HouseholdCheck
            && around.household_grids.is_disjoint(&actor.grids) =>
        {
            Err(Refusal::OutOfScope)
        }
        None => Ok(()),
    }
}

/// A hazard or patrol may be reported anywhere in the town (GPS errs at borders); a household only in
/// one's own grids.
fn check_grids(
    changes: &Changes,
    kind: &Kind,
    actor: &Actor,
    town_grids: &BTreeSet<GridCode>,
) -> Result<(), Refusal> {
    let added = changes.paths.get("grid").into_iter().flat_map(|c| &c.added);
    let grids = added.filter_map(|s| s.value.as_text()?.parse::<GridCode>().ok());
    for grid in grids {
        if !town_grids.contains(&grid) {
            return Err(Refusal::UnknownGrid(grid));
        }
        if *kind == Kind::Household && !actor.grids.contains(&grid) {
            return Err(Refusal::ForeignGrid(grid));
        }
    }
    Ok(())
}
