//! What a supervisor writes at the console, as SQL: one save with one dot of the town, judged by the rules
//! that a phone's saves are judged by.

use yaoguan_model::authorise::{Difference, Ground, authorise};
use yaoguan_model::cells::{self, Around};
use yaoguan_model::{Dot, Record};

use super::super::desk::{Decided, Decision, NewRecord};
use super::desk::read;
use super::feed::{Placements, names_of};
use super::push::{around, around_both, load, write};
use super::{own, people};
use crate::error::TownError;
use crate::storage::sql::Transaction;

/// Writes a decision, or says why not.
pub(super) fn decide(tx: &Transaction<'_>, decision: &Decision) -> Result<Decided, TownError> {
    let Decision { id, actor, changes, now } = decision;
    let own =
        cells::of_reader(actor.account, actor.role, &actor.grids).into_iter().collect::<Vec<_>>();
    let Some((before, _, _)) = read(tx, &names_of(&own), *id)? else {
        return Ok(Decided::NotFound);
    };
    let dot = dot(tx)?;
    let mut after = before.clone();
    after.put(changes, dot);
    let around_before = around(tx, &before)?;
    let around_after = around_both(tx, Some(&before), &after)?;
    let town_grids = people::grids(tx)?;
    let ground = Ground { town_grids: &town_grids, before: &around_before, after: &around_after };
    let difference = Difference { before: Some(&before), incoming: &after, after: &after };
    // The dot drawn is lost with a refusal: dots need not be without gaps.
    if let Err(refusal) = authorise(difference, actor, ground) {
        return Ok(Decided::Refused(refusal));
    }
    keep(tx, &after, *now)?;
    Ok(Decided::Done)
}

/// Writes a new record, or says why not.
pub(super) fn create(tx: &Transaction<'_>, new: &NewRecord) -> Result<Decided, TownError> {
    let NewRecord { id, kind, actor, changes, now } = new;
    if load(tx, *id)?.is_some() {
        return Ok(Decided::NotFound);
    }
    let mut after = Record::new(*id, kind.clone(), actor.account);
    after.put(changes, dot(tx)?);
    let around_after = around_both(tx, None, &after)?;
    let town_grids = people::grids(tx)?;
    let none = Around::default();
    let ground = Ground { town_grids: &town_grids, before: &none, after: &around_after };
    let difference = Difference { before: None, incoming: &after, after: &after };
    if let Err(refusal) = authorise(difference, actor, ground) {
        return Ok(Decided::Refused(refusal));
    }
    keep(tx, &after, *now)?;
    Ok(Decided::Done)
}

fn dot(tx: &Transaction<'_>) -> Result<Dot, TownError> {
    own::dots(tx, 1)?.into_iter().next().ok_or(TownError::Corrupt("town".to_owned()))
}

fn keep(tx: &Transaction<'_>, after: &Record, now: i64) -> Result<(), TownError> {
    write(tx, after, now)?;
    own::project(tx, after)?;
    let mut placements = Placements::default();
    placements.add(tx, after, None)?;
    placements.write(tx)
}
