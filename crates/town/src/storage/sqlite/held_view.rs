//! Held saves as the console shows them: which a reader hears of, and what a release would change.

use std::collections::BTreeSet;

use yaoguan_model::cells::{self, Cell};
use yaoguan_model::{Dot, Kind, Record, ReplicaId};
use yaoguan_wire::HoldId;

use super::super::held::{Held, HeldRow, HeldView, Reader};
use super::push::{around, load, purged_context};
use super::{audit, held};
use crate::audit::{Act, Attribution, Subject};
use crate::error::TownError;
use crate::storage::sql::{Connection, OptionalExtension, Transaction};

pub(super) fn rows(connection: &Connection, reader: &Reader) -> Result<Vec<HeldRow>, TownError> {
    let views = held::list(connection)?.into_iter().map(|held| looked_at(connection, held, reader));
    let views: Vec<Option<HeldView>> = views.collect::<Result<_, TownError>>()?;
    Ok(views.into_iter().flatten().map(|view| view.row).collect())
}

pub(super) fn view(
    tx: &Transaction<'_>,
    id: HoldId,
    reader: &Reader,
    seen: &Attribution,
) -> Result<Option<HeldView>, TownError> {
    let Some(held) = held::list(tx)?.into_iter().find(|held| held.id == id) else {
        return Ok(None);
    };
    let Some(view) = looked_at(tx, held, reader)?.filter(|view| view.row.readable) else {
        return Ok(None);
    };
    if matches!(view.after.kind, Kind::Household | Kind::HouseholdCheck) {
        let subject = Subject::Record(view.row.held.about.id);
        audit::write(tx, &seen.entry(Act::HouseholdRead, subject))?;
    }
    Ok(Some(view))
}

/// A held save as this reader may see it; none when they hear nothing of it.
fn looked_at(
    connection: &Connection,
    held: Held,
    reader: &Reader,
) -> Result<Option<HeldView>, TownError> {
    let before = load(connection, held.about.id)?;
    let purged = before.is_none() && purged_context(connection, held.about.id)?.is_some();
    let mut after = before.clone().unwrap_or_else(|| held.about.clone());
    let mut saves = 0;
    held.changes.put_on(&mut after, || {
        saves += 1;
        Dot::new(ReplicaId([0; 16]), saves)
    });
    let readable = match reader {
        Reader::Administrator => !may_be_of_a_household(before.as_ref(), &after, purged),
        Reader::Cells(own) => {
            let record = before.as_ref().unwrap_or(&after);
            let of: BTreeSet<Cell> = cells::of_record(record, &around(connection, record)?);
            if !own.iter().any(|cell| of.contains(cell)) {
                return Ok(None);
            }
            true
        }
    };
    let name = |sql: &str, id: &[u8; 16]| -> Result<String, TownError> {
        let mut statement = connection.prepare_cached(sql)?;
        let name = statement.query_row([id], |row| row.get::<_, String>("name")).optional()?;
        Ok(name.unwrap_or_default())
    };
    let account_name = name("SELECT name FROM account WHERE id = ?1", held.account.as_bytes())?;
    let device_name = name("SELECT name FROM device WHERE id = ?1", held.device.as_bytes())?;
    let row = HeldRow { held, account_name, device_name, readable };
    Ok(Some(HeldView { row, before, after, purged }))
}

/// Of what is purged nobody knows any more what it hung on; a task names a record, which may be one.
fn may_be_of_a_household(before: Option<&Record>, after: &Record, purged: bool) -> bool {
    let linked = |record: &Record| !record.siblings("household").is_empty();
    match &after.kind {
        Kind::Household | Kind::HouseholdCheck | Kind::Task | Kind::Unknown(_) => true,
        Kind::Hazard => purged || linked(after) || before.is_some_and(linked),
        Kind::Patrol | Kind::Notice | Kind::Template | Kind::Grid => false,
    }
}
