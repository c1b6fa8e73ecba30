//! The town's grids: from a GeoJSON file, as records that every phone pulls. A grid that a file lacks stays as
//! it is: records refer to it.

use std::collections::{BTreeMap, BTreeSet};

use yaoguan_model::geodesy::boundary::{self, Area};
use yaoguan_model::{AccountId, Change, Env, FieldPath, GridCode, Kind, Record, RecordId, Value};

use crate::audit::Attribution;
use crate::error::TownError;
use crate::storage::{OwnWrite, Storage};

mod read;

pub use read::{FRAME, MAX_CORNERS, MAX_FILE_BYTES, MAX_GRIDS, Mapping, Read, Trouble, read};

/// A grid to be written.
#[derive(Debug, Clone)]
pub struct NewGrid {
    pub code: GridCode,
    pub name: String,
    pub village: String,
    pub village_name: String,
    pub areas: Vec<Area>,
    /// The boundary is made up for a demonstration.
    pub invented: bool,
}

/// What an import does, or would do.
#[derive(Debug, Default)]
pub struct Plan {
    pub added: Vec<NewGrid>,
    /// With the registers that become others.
    pub changed: Vec<(NewGrid, Vec<String>)>,
    pub unchanged: u64,
    /// Grids of the town that the file lacks.
    pub missing: Vec<GridCode>,
    writes: Vec<OwnWrite>,
}

fn input(text: impl Into<String>) -> TownError {
    TownError::Input(text.into())
}

/// Compares grids with those of the town. New ones are written by `author`.
pub async fn plan(
    storage: &dyn Storage,
    grids: Vec<NewGrid>,
    author: AccountId,
    env: &dyn Env,
) -> Result<Plan, TownError> {
    let present = storage.records(Kind::Grid).await?;
    let by_code: BTreeMap<&str, &Record> =
        present.iter().filter_map(|r| Some((r.shown_text("code")?, r))).collect();
    let named: BTreeSet<GridCode> = grids.iter().map(|grid| grid.code.clone()).collect();
    let mut plan = Plan {
        missing: storage.grids().await?.difference(&named).cloned().collect(),
        ..Plan::default()
    };
    for grid in grids {
        let before = by_code.get(grid.code.as_str()).copied();
        let changes = changes(before, &grid)?;
        let what: Vec<String> = changes.keys().map(|path| path.as_str().to_owned()).collect();
        if what.is_empty() {
            plan.unchanged += 1;
            continue;
        }
        let id: RecordId = before.map_or_else(|| env.new_record_id(), |record| record.id);
        let author = before.map_or(author, |record| record.created_by);
        plan.writes.push(OwnWrite { id, kind: Kind::Grid, author, changes });
        match before {
            Some(_) => plan.changed.push((grid, what)),
            None => plan.added.push(grid),
        }
    }
    Ok(plan)
}

impl Plan {
    /// Writes as the town what the plan says; one without changes writes nothing.
    pub async fn write(
        &mut self,
        storage: &dyn Storage,
        done: Attribution,
    ) -> Result<(), TownError> {
        match std::mem::take(&mut self.writes) {
            writes if writes.is_empty() => Ok(()),
            writes => storage.write_own(writes, done).await,
        }
    }
}

fn changes(
    before: Option<&Record>,
    grid: &NewGrid,
) -> Result<BTreeMap<FieldPath, Change>, TownError> {
    let bad = |e: boundary::BadBoundary| input(format!("grid {}: {e}", grid.code));
    let registers = [
        ("code", Value::text(grid.code.as_str())),
        ("name", Value::text(grid.name.as_str())),
        ("village", Value::text(grid.village.as_str())),
        ("village_name", Value::text(grid.village_name.as_str())),
        ("boundary", boundary::to_value(&grid.areas).map_err(bad)?),
        ("invented", Value::Bool(grid.invented)),
    ];
    let mut changes = BTreeMap::new();
    for (path, value) in registers {
        let path: FieldPath = path.parse().map_err(|_| input("path"))?;
        if before.is_some_and(|b| b.distinct(path.as_str()) == [&value]) {
            continue;
        }
        let replaces = before.map(|b| b.dots(path.as_str())).unwrap_or_default();
        changes.insert(path, Change { replaces, value: Some(value) });
    }
    Ok(changes)
}

#[cfg(test)]
mod tests;
