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
    #[error("your role does not make records of the kind `{0}`")]
    KindNotAllowed(Kind),
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

/// What the judgement depends on beside the record.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'a> {
    /// All grids of the town.
    pub town_grids: &'a BTreeSet<GridCode>,
    /// Around the receiver's state; empty for a new record.
    pub before: &'a Around,
    /// Around what the merge would be.
    pub after: &'a Around,
}

/// Judges a difference.
pub fn authorise(
    difference: Difference<'_>,
    actor: &Actor,
    ground: Ground<'_>,
) -> Result<(), Refusal> {
    let Difference { before, incoming, after } = difference;
    let around = if before.is_some() { ground.before } else { ground.after };
    let Some(spec) = incoming.kind.spec() else {
        return Err(Refusal::UnknownKind(incoming.kind.to_string()));
    };
    check_identity(before, incoming, actor)?;
    schema::validate(incoming)?;
    schema::validate(after)?;
    if before.is_none() {
        check_kind(incoming, actor)?;
    }
    check_scope(before, incoming, actor, around)?;
    let changes = Changes::between(before, after);
    check_known_grids(&changes, ground.town_grids)?;
    check_gained_grids(before, after, actor, ground)?;
    let relations = relations(before.unwrap_or(incoming), actor, around);
    for (path, change) in &changes.paths {
        let at = |problem| Invalid { path: path.clone(), problem };
        let line = spec.find(path.as_str()).ok_or_else(|| at(Problem::UnknownField))?;
        let had = before.is_some_and(|b| !b.siblings(path.as_str()).is_empty());
        // The same value written again (a phone that took a new replica id) changes nothing.
        let same = before.is_some_and(|b| b.shows_the_same(after, path.as_str()));
        if line.immutable && had && !same {
            return Err(at(Problem::Immutable).into());
        }
        if line.required && change.added.is_empty() && after.siblings(path.as_str()).is_empty() {
            return Err(at(Problem::Missing).into());
        }
        let signed = path.head() != "timeline" || is_signed(change, actor, &relations);
        let may = |who: &[Writer]| who.iter().any(|writer| relations.contains(writer));
        let takes_away = !change.removed.is_empty();
        if !signed || !may(line.writers) || (takes_away && !may(line.removers)) {
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

/// Who makes records of a kind at all.
fn check_kind(incoming: &Record, actor: &Actor) -> Result<(), Refusal> {
    let roles: &[Role] = match &incoming.kind {
        // A task sends somebody somewhere, a notice is the town's word.
        Kind::Household | Kind::HouseholdCheck | Kind::Task => &[Role::Chief, Role::Supervisor],
        Kind::Notice => &[Role::Supervisor, Role::Admin],
        Kind::Patrol | Kind::Hazard | Kind::Grid | Kind::Template | Kind::Unknown(_) => {
            return Ok(());
        }
    };
    if roles.contains(&actor.role) {
        return Ok(());
    }
    Err(Refusal::KindNotAllowed(incoming.kind.clone()))
}

/// The record before must be one that the actor reads: knowing an id gives nothing.
fn check_scope(
    before: Option<&Record>,
    incoming: &Record,
    actor: &Actor,
    around: &Around,
) -> Result<(), Refusal> {
    let own = cells::of_reader(actor.account, actor.role, &actor.grids);
    let reads = |record: &Record| !cells::of_record(record, around).is_disjoint(&own);
    let unread = match before {
        Some(before) => !reads(before),
        // A check hangs on a household of one's own.
        None => {
            incoming.kind == Kind::HouseholdCheck
                && around.household_grids.is_disjoint(&actor.grids)
        }
    };
    // Households belong to chiefs and supervisors, also where somebody once wrote one as such.
    let household = matches!(incoming.kind, Kind::Household | Kind::HouseholdCheck);
    let barred = household && !matches!(actor.role, Role::Chief | Role::Supervisor);
    if unread || barred { Err(Refusal::OutOfScope) } else { Ok(()) }
}

fn check_known_grids(changes: &Changes, town_grids: &BTreeSet<GridCode>) -> Result<(), Refusal> {
    let added = changes.paths.get("grid").into_iter().flat_map(|c| &c.added);
    let mut grids = added.filter_map(|s| s.value.as_text()?.parse::<GridCode>().ok());
    grids.find(|grid| !town_grids.contains(grid)).map_or(Ok(()), |g| Err(Refusal::UnknownGrid(g)))
}

/// A hazard or patrol may be reported anywhere in the town (GPS errs at borders); a household, its checks
/// and a task only come into one's own grids, and a notice only to those who live in them.
fn check_gained_grids(
    before: Option<&Record>,
    after: &Record,
    actor: &Actor,
    ground: Ground<'_>,
) -> Result<(), Refusal> {
    let grids = |record: &Record, around: &Around| match record.kind {
        Kind::Household | Kind::Task => cells::grids_of(record),
        Kind::HouseholdCheck => around.household_grids.clone(),
        Kind::Notice => cells::audience_grids(record, ground.town_grids),
        Kind::Patrol | Kind::Hazard | Kind::Grid | Kind::Template | Kind::Unknown(_) => {
            BTreeSet::new()
        }
    };
    if after.kind == Kind::Notice && actor.role == Role::Admin {
        return Ok(());
    }
    let had = before.map(|before| grids(before, ground.before)).unwrap_or_default();
    let mut gained = grids(after, ground.after).into_iter();
    let foreign = gained.find(|grid| !had.contains(grid) && !actor.grids.contains(grid));
    foreign.map_or(Ok(()), |grid| Err(Refusal::ForeignGrid(grid)))
}
