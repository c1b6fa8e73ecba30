//! What the console's map draws, as GeoJSON: `GET /console/v1/map/{grids,hazards,patrols}`. Each answer is of
//! the session's grids and bounded: by a box, by cells that hazards are gathered in, by coarser lines.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use serde::Deserialize;
use serde_json::json;
use yaoguan_model::geodesy::boundary::{self, Area};
use yaoguan_model::geodesy::line;
use yaoguan_model::{GridCode, Kind, Position, Record};
use yaoguan_wire::ErrorCode;

use super::super::App;
use super::super::error::ApiError;
use super::coverage::days_until;
use super::figures::Bad;
use super::inbox::cells_of;
use super::roster::MAX_GRIDS;
use super::session::Session;
use crate::storage::figures::{Extent, LinesAsk, Mark, MarksAsk, PatrolLine};

/// Corners of all grids of one answer together; boundaries are drawn more coarsely until they fit.
pub const MAX_CORNERS: usize = 50_000;
/// Cells across the longer side of a box, about: a mark has the room of a mark.
const CELLS_ACROSS: i64 = 24;
/// Points across the longer side of a box that lines are drawn with.
const POINTS_ACROSS: f64 = 1_000.0;
/// Days of patrols where nobody says.
const USUAL_DAYS: i64 = 7;

/// GeoJSON.
type Features = serde_json::Value;

/// A part of the map, and a day.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(default)]
pub struct Wanted {
    /// West, south, east, north in degrees.
    bbox: String,
    /// `YYYY-MM-DD`; without it today.
    on: String,
    /// Of patrols: how many days until then.
    days: i64,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { bbox: String::new(), on: String::new(), days: USUAL_DAYS }
    }
}

/// Reads a box.
pub(super) fn extent_of(text: &str) -> Result<Extent, Bad> {
    let numbers: Result<Vec<f64>, _> = text.split(',').map(str::parse).collect();
    let corners = match numbers.as_deref() {
        Ok([west, south, east, north]) => {
            Position::from_degrees(*south, *west).zip(Position::from_degrees(*north, *east))
        }
        _ => None,
    };
    let fits = corners.filter(|(a, b)| a.lat_e7 < b.lat_e7 && a.lon_e7 < b.lon_e7);
    let (low, high) = fits.ok_or(Bad("bbox"))?;
    Ok(Extent { south: low.lat_e7, west: low.lon_e7, north: high.lat_e7, east: high.lon_e7 })
}

impl Extent {
    fn longer_side(self) -> i64 {
        (self.north - self.south).max(self.east - self.west)
    }

    /// A power of two, so that marks stay where they are while the map is moved.
    fn cell(self) -> i64 {
        let side = u64::try_from(self.longer_side() / CELLS_ACROSS).unwrap_or_default();
        i64::try_from(side.next_power_of_two()).unwrap_or(i64::MAX)
    }

    fn tolerance_m(self) -> f64 {
        const METRES_PER_E7: f64 = 0.011_1;
        self.longer_side() as f64 * METRES_PER_E7 / POINTS_ACROSS
    }
}

fn degrees(at: &Position) -> Features {
    json!([at.lon(), at.lat()])
}

fn collection(features: impl IntoIterator<Item = Features>) -> Features {
    let features: Vec<Features> = features.into_iter().collect();
    json!({ "type": "FeatureCollection", "features": features })
}

/// Boundaries with no more than `max` corners; a ring keeps what makes it one.
fn thinned(mut grids: Vec<(Record, Vec<Area>)>, max: usize) -> Vec<(Record, Vec<Area>)> {
    let mut tolerance_m = 1.0;
    loop {
        let rings = || grids.iter().flat_map(|(_, areas)| areas);
        let corners: usize =
            rings().map(|a| a.outer.len() + a.holes.iter().map(Vec::len).sum::<usize>()).sum();
        if corners <= max || tolerance_m > 1e4 {
            return grids;
        }
        let areas = grids.iter_mut().flat_map(|(_, areas)| areas);
        for ring in areas.flat_map(|area| std::iter::once(&mut area.outer).chain(&mut area.holes)) {
            let fewer = line::simplify(ring, tolerance_m);
            if fewer.len() > 3 {
                *ring = fewer;
            }
        }
        tolerance_m *= 2.0;
    }
}

fn grid_feature(record: &Record, areas: &[Area]) -> Features {
    let text = |path: &str| record.shown_text(path).unwrap_or_default();
    let ring = |points: &Vec<Position>| {
        let closing = points.first().filter(|first| points.last() != Some(first));
        points.iter().chain(closing).map(degrees).collect::<Vec<_>>()
    };
    let polygon =
        |area: &Area| std::iter::once(&area.outer).chain(&area.holes).map(ring).collect::<Vec<_>>();
    let coordinates: Vec<_> = areas.iter().map(polygon).collect();
    json!({
        "type": "Feature",
        "properties": {
            "code": text("code"), "name": text("name"), "village": text("village_name"),
            // What draws grids tells own ones from others; here all of them are.
            "mine": true,
            "invented": record.shown("invented").and_then(|value| value.as_bool()) == Some(true),
        },
        "geometry": { "type": "MultiPolygon", "coordinates": coordinates },
    })
}

/// The session's grids; those without a boundary are left out.
#[utoipa::path(get, path = "/console/v1/map/grids", responses((status = 200, body = Object)))]
pub async fn grids(
    State(app): State<App>,
    session: Session,
    headers: HeaderMap,
) -> Result<Json<Features>, ApiError> {
    let own = &session.account.grids;
    let found = app.storage.readable(cells_of(&session.account), Kind::Grid, None, MAX_GRIDS).await;
    let found = found.map_err(|error| ApiError::internal(&headers, &error))?;
    let is_own = |record: &Record| {
        let code = record.shown_text("code").and_then(|code| code.parse::<GridCode>().ok());
        code.is_some_and(|code| own.contains(&code))
    };
    let bounded = found.into_iter().filter(is_own).filter_map(|record| {
        let areas = boundary::of_value(record.shown("boundary")?).ok()?;
        Some((record, areas))
    });
    let grids = thinned(bounded.collect(), MAX_CORNERS);
    Ok(Json(collection(grids.iter().map(|(record, areas)| grid_feature(record, areas)))))
}

fn mark_feature(mark: &Mark) -> Features {
    let (id, category) = match &mark.one {
        Some((id, category)) => (id.to_string(), category.clone()),
        None => Default::default(),
    };
    json!({
        "type": "Feature",
        "properties": {
            "count": mark.count, "severity": mark.severity, "id": id, "category": category,
        },
        "geometry": { "type": "Point", "coordinates": degrees(&mark.position) },
    })
}

/// Hazards that were open at the end of the day, gathered where they are dense.
#[utoipa::path(
    get,
    path = "/console/v1/map/hazards",
    params(Wanted),
    responses((status = 200, body = Object))
)]
pub async fn hazards(
    State(app): State<App>,
    session: Session,
    query: Result<Query<Wanted>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Json<Features>, ApiError> {
    let bad = |detail: String| ApiError::new(&headers, ErrorCode::BadRequest, detail);
    let Query(wanted) = query.map_err(|error| bad(error.body_text()))?;
    let bad = |Bad(what)| bad(what.to_owned());
    let within = extent_of(&wanted.bbox).map_err(bad)?;
    let at = days_until(&wanted.on, USUAL_DAYS, app.env.now_s()).map_err(bad)?.until;
    let grids = session.account.grids.iter().cloned().collect();
    let ask = MarksAsk { grids, within, at, cell: within.cell() };
    let marks = app.storage.marks(ask).await;
    let marks = marks.map_err(|error| ApiError::internal(&headers, &error))?;
    Ok(Json(collection(marks.iter().map(mark_feature))))
}

fn line_feature(patrol: &PatrolLine) -> Features {
    let drawn = patrol.parts.iter().filter(|part| part.len() > 1);
    let parts: Vec<Vec<_>> = drawn.map(|part| part.iter().map(degrees).collect()).collect();
    json!({
        "type": "Feature",
        "properties": { "id": patrol.id.to_string(), "grid": patrol.grid, "at": patrol.at },
        "geometry": { "type": "MultiLineString", "coordinates": parts },
    })
}

/// The lines of the patrols of these days, the newest where there are too many.
#[utoipa::path(
    get,
    path = "/console/v1/map/patrols",
    params(Wanted),
    responses((status = 200, body = Object))
)]
pub async fn patrols(
    State(app): State<App>,
    session: Session,
    query: Result<Query<Wanted>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Json<Features>, ApiError> {
    let bad = |detail: String| ApiError::new(&headers, ErrorCode::BadRequest, detail);
    let Query(wanted) = query.map_err(|error| bad(error.body_text()))?;
    let bad = |Bad(what)| bad(what.to_owned());
    let within = extent_of(&wanted.bbox).map_err(bad)?;
    let period = days_until(&wanted.on, wanted.days, app.env.now_s()).map_err(bad)?;
    let grids = session.account.grids.iter().cloned().collect();
    let ask = LinesAsk { grids, within, period, tolerance_m: within.tolerance_m() };
    let lines = app.storage.patrol_lines(ask).await;
    let lines = lines.map_err(|error| ApiError::internal(&headers, &error))?;
    let mut found = collection(lines.lines.iter().map(line_feature));
    if let Some(object) = found.as_object_mut() {
        object.insert("more".to_owned(), lines.more.into());
    }
    Ok(Json(found))
}
