//! The town writes as a replica too: grids, templates, later a supervisor's decisions.

use yaoguan_model::deletion::{self, Deletion};
use yaoguan_model::{Dot, Kind, Record, ReplicaId};

use super::super::OwnWrite;
use super::push::{load, write as write_record};
use super::{audit, blobs, feed, id16};
use crate::audit::{Act, Attribution, Subject};
use crate::error::TownError;
use crate::storage::sql::Transaction;

/// Each write is one save with a dot of the town's replica.
pub(super) fn write(
    tx: &Transaction<'_>,
    writes: &[OwnWrite],
    done: &Attribution,
) -> Result<(), TownError> {
    let now = done.at;
    let mut placements = feed::Placements::default();
    let mut grids = 0_u64;
    for own in writes {
        let dot = dots(tx, 1)?.into_iter().next().ok_or(TownError::Corrupt("town".to_owned()))?;
        let blank = || Record::new(own.id, own.kind.clone(), own.author);
        let mut record = load(tx, own.id)?.unwrap_or_else(blank);
        record.put(&own.changes, dot);
        write_record(tx, &record, now)?;
        blobs::refer_as_author(tx, &record)?;
        placements.add(tx, &record, None)?;
        if record.kind == Kind::Grid {
            project_grid(tx, &record)?;
            grids += 1;
        }
    }
    for own in writes.iter().filter(|own| own.kind == Kind::Template) {
        audit::write(tx, &done.entry(Act::TemplatePublished, Subject::Record(own.id)))?;
    }
    if grids > 0 {
        // Whoever has the whole town has other grids now.
        tx.execute(
            "UPDATE account SET scope_version = scope_version + 1 WHERE whole_town = 1",
            [],
        )?;
        audit::write(tx, &done.entry(Act::GridsImported, Subject::Town).with("grids", grids))?;
    }
    placements.write(tx)
}

/// The next dots of the town's replica.
pub(super) fn dots(tx: &Transaction<'_>, count: usize) -> Result<Vec<Dot>, TownError> {
    let count = u64::try_from(count).unwrap_or(u64::MAX);
    let sql = "UPDATE town SET counter = counter + ?1 RETURNING replica, counter";
    let (replica, last): (ReplicaId, u64) = tx
        .prepare_cached(sql)?
        .query_row([count], |row| Ok((ReplicaId(id16(row, "replica")?), row.get("counter")?)))?;
    Ok((last.saturating_sub(count) + 1..=last).map(|n| Dot::new(replica, n)).collect())
}

/// What the town keeps beside a record of its own kinds.
pub(super) fn project(tx: &Transaction<'_>, record: &Record) -> Result<(), TownError> {
    match &record.kind {
        Kind::Grid => {
            project_grid(tx, record)?;
            // Whoever has the whole town has other grids now.
            let sql = "UPDATE account SET scope_version = scope_version + 1 WHERE whole_town = 1";
            tx.execute(sql, [])?;
            Ok(())
        }
        Kind::Patrol | Kind::Hazard | Kind::Household | Kind::HouseholdCheck | Kind::Task => Ok(()),
        Kind::Notice | Kind::Template | Kind::Unknown(_) => Ok(()),
    }
}

fn project_grid(tx: &Transaction<'_>, record: &Record) -> Result<(), TownError> {
    let Some(code) = record.shown_text("code") else { return Ok(()) };
    if deletion::state(record) == Deletion::Deleted {
        tx.prepare_cached("DELETE FROM grid WHERE code = ?1")?.execute([code])?;
    } else {
        let sql = "INSERT OR REPLACE INTO grid (code, record) VALUES (?1, ?2)";
        tx.prepare_cached(sql)?.execute((code, record.id.as_bytes()))?;
    }
    Ok(())
}
