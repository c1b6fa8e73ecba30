//! Puts a held save on the record as it is now. Pure.
//!
//! Releasing is a fresh write of the kept changes, never a merge: what was written meanwhile stays, and
//! what the save had not seen it does not remove.

use std::collections::BTreeSet;

use yaoguan_model::authorise::{Actor, Difference, Ground, Refusal, authorise};
use yaoguan_model::cells::Around;
use yaoguan_model::{Changes, Dot, GridCode, Record, RecordId, canonical, schema};

/// What a release starts from.
#[derive(Debug, Clone, Copy)]
pub struct Start<'a> {
    /// The record as the town has it; none where it is gone or never was.
    pub before: Option<&'a Record>,
    /// Id, kind and author of the held save.
    pub about: &'a Record,
    /// The record was purged: what is released becomes a new one under this id.
    pub anew: Option<RecordId>,
    pub grids: &'a BTreeSet<GridCode>,
    pub around_before: &'a Around,
    pub around_after: &'a Around,
}

/// The record after the release, or the rule that forbids it.
pub fn put(
    start: Start<'_>,
    changes: &Changes,
    by: &Actor,
    next_dot: impl FnMut() -> Dot,
) -> Result<Record, Refusal> {
    let about = start.about;
    let blank =
        || Record::new(start.anew.unwrap_or(about.id), about.kind.clone(), about.created_by);
    let mut record = start.before.cloned().unwrap_or_else(blank);
    changes.put_on(&mut record, next_dot);
    // A record that the town has not is written in its author's name.
    let author = Actor { account: about.created_by, ..by.clone() };
    let actor = if start.before.is_some() { by } else { &author };
    let difference = Difference { before: start.before, incoming: &record, after: &record };
    let ground =
        Ground { town_grids: start.grids, before: start.around_before, after: start.around_after };
    authorise(difference, actor, ground)?;
    schema::check_limits(&record, canonical::encode(&record).len())?;
    Ok(record)
}
