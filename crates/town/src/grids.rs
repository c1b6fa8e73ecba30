//! The town's grids: from a GeoJSON file, as records that every phone pulls.

use std::collections::BTreeMap;

use geojson::{FeatureCollection, GeometryValue};
use yaoguan_model::geodesy::boundary::{self, Area};
use yaoguan_model::{
    AccountId, Change, Env, FieldPath, GridCode, Kind, Position, Record, RecordId, Value,
};

use crate::audit::{Attribution, By};
use crate::error::TownError;
use crate::storage::{OwnWrite, Storage};

/// A file of grids may be this large.
const MAX_FILE_BYTES: usize = 32 * 1024 * 1024;

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

/// What an import did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GridsWritten {
    pub added: u64,
    pub changed: u64,
    pub unchanged: u64,
}

fn input(text: impl Into<String>) -> TownError {
    TownError::Input(text.into())
}

/// Reads `FeatureCollection` of polygons with the properties `code`, `name`, `village`, `village_name`.
/// Every feature is checked; the message names the first that does not fit.
pub fn read(bytes: &[u8]) -> Result<Vec<NewGrid>, TownError> {
    if bytes.len() > MAX_FILE_BYTES {
        return Err(input(format!("the file is larger than {MAX_FILE_BYTES} bytes")));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| input("the file is not UTF-8"))?;
    let collection: FeatureCollection =
        text.parse().map_err(|e| input(format!("not a GeoJSON FeatureCollection: {e}")))?;
    let features = collection.features.into_iter().zip(1..);
    let grids = features.map(|(feature, number): (_, usize)| {
        let bad = |what: &str| input(format!("feature {number}: {what}"));
        let property = |name: &str| {
            let value = feature.property(name).and_then(|value| value.as_str());
            value.map(str::to_owned).ok_or_else(|| bad(&format!("property `{name}` is missing")))
        };
        let code: GridCode = property("code")?.parse().map_err(|e| bad(&format!("{e}")))?;
        let geometry = feature.geometry.as_ref().ok_or_else(|| bad("no geometry"))?;
        let areas = areas(&geometry.value).ok_or_else(|| bad("not a polygon in WGS-84 degrees"))?;
        let (name, village) = (property("name")?, property("village")?);
        let village_name = property("village_name")?;
        Ok(NewGrid { code, name, village, village_name, areas, invented: false })
    });
    grids.collect()
}

fn areas(value: &GeometryValue) -> Option<Vec<Area>> {
    let ring = |points: &Vec<geojson::Position>| -> Option<Vec<Position>> {
        points
            .iter()
            .map(|p| match p.as_slice() {
                [lon, lat, ..] => Position::from_degrees(*lat, *lon),
                _ => None,
            })
            .collect()
    };
    let polygon = |rings: &Vec<Vec<geojson::Position>>| -> Option<Area> {
        let mut rings = rings.iter().map(ring);
        let outer = rings.next()??;
        Some(Area { outer, holes: rings.collect::<Option<_>>()? })
    };
    match value {
        GeometryValue::Polygon { coordinates } => Some(vec![polygon(coordinates)?]),
        GeometryValue::MultiPolygon { coordinates } => coordinates.iter().map(polygon).collect(),
        GeometryValue::Point { .. }
        | GeometryValue::MultiPoint { .. }
        | GeometryValue::LineString { .. }
        | GeometryValue::MultiLineString { .. }
        | GeometryValue::GeometryCollection { .. } => None,
    }
}

/// Writes grids as the town: new ones are added, changed ones changed, others left alone.
pub async fn write(
    storage: &dyn Storage,
    grids: &[NewGrid],
    author: AccountId,
    by: By,
    env: &dyn Env,
) -> Result<GridsWritten, TownError> {
    let present = storage.records(Kind::Grid).await?;
    let by_code: BTreeMap<&str, &Record> =
        present.iter().filter_map(|r| Some((r.shown_text("code")?, r))).collect();
    let mut written = GridsWritten::default();
    let mut writes = Vec::new();
    for grid in grids {
        let before = by_code.get(grid.code.as_str()).copied();
        let changes = changes(before, grid)?;
        match (before, changes.is_empty()) {
            (Some(_), true) => {
                written.unchanged += 1;
                continue;
            }
            (Some(_), false) => written.changed += 1,
            (None, _) => written.added += 1,
        }
        let id: RecordId = before.map_or_else(|| env.new_record_id(), |record| record.id);
        let author = before.map_or(author, |record| record.created_by);
        writes.push(OwnWrite { id, kind: Kind::Grid, author, changes });
    }
    storage.write_own(writes, Attribution::new(by, env.now_s())).await?;
    Ok(written)
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
