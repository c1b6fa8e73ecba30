//! What the map shows: the grids as GeoJSON, the hazards of a box.

use serde::Deserialize;
use serde_json::{Value as Json, json};
use yaoguan_model::geodesy::boundary;
use yaoguan_model::position::{Around, PER_DEGREE};
use yaoguan_model::{Kind, Position, Record};

use crate::error::FieldError;
use crate::phone::Phone;
use crate::view::Row;

/// Hazards that one look at the map shows.
pub const MAX_ON_MAP: u32 = 500;

/// What the map has in view, in degrees.
#[derive(Debug, Clone, Copy, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, export_to = "field.ts"))]
pub struct MapBox {
    pub south: f64,
    pub west: f64,
    pub north: f64,
    pub east: f64,
}

impl Phone {
    /// The town's grids as a GeoJSON feature collection; own ones are marked.
    pub fn grid_features(&self) -> Result<Json, FieldError> {
        let own = self.identity()?.grids;
        let features: Vec<Json> = self
            .store
            .grids()?
            .iter()
            .filter_map(|record| {
                let code = record.shown_text("code")?;
                let mine = own.iter().any(|grid| grid.as_str() == code);
                feature(record, code, mine)
            })
            .collect();
        Ok(json!({ "type": "FeatureCollection", "features": features }))
    }

    /// Hazards in view, at most `MAX_ON_MAP`.
    pub fn hazards_in(&self, area: MapBox) -> Result<Vec<Row>, FieldError> {
        let e7 = |degrees: f64| (degrees.clamp(-180.0, 180.0) * PER_DEGREE).round() as i64;
        let area = Around {
            lat_min: e7(area.south),
            lat_max: e7(area.north),
            lon_min: e7(area.west),
            lon_max: e7(area.east),
        };
        self.rows(&self.store.within(&Kind::Hazard, area, MAX_ON_MAP)?)
    }
}

fn feature(record: &Record, code: &str, mine: bool) -> Option<Json> {
    let areas = boundary::of_value(record.shown("boundary")?).ok()?;
    let ring = |points: &Vec<Position>| -> Vec<[f64; 2]> {
        let mut ring: Vec<_> = points.iter().map(|at| [at.lon(), at.lat()]).collect();
        // GeoJSON closes its rings (RFC 7946 §3.1.6).
        if ring.first() != ring.last() {
            ring.extend(ring.first().copied());
        }
        ring
    };
    let polygons: Vec<Vec<Vec<[f64; 2]>>> = areas
        .iter()
        .map(|area| std::iter::once(&area.outer).chain(&area.holes).map(ring).collect())
        .collect();
    Some(json!({
        "type": "Feature",
        "properties": {
            "code": code,
            "name": record.shown_text("name").unwrap_or(code),
            "mine": mine,
        },
        "geometry": { "type": "MultiPolygon", "coordinates": polygons },
    }))
}
