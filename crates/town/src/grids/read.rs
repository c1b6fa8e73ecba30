//! Grids of a GeoJSON `FeatureCollection` (RFC 7946): each feature is a grid, or says everything that is wrong
//! with it, by its number and line. Pure.

use std::collections::{BTreeMap, BTreeSet};

use geojson::{Feature, GeometryValue, JsonObject};
use serde::Deserialize;
use serde_json::Value as Json;
use serde_json::value::RawValue;
use yaoguan_model::geodesy::boundary::{self, Area};
use yaoguan_model::limits::MAX_NAME_CHARS;
use yaoguan_model::{GridCode, Position};

use super::NewGrid;
use crate::villages;

/// A file of grids may be this large: a surveyed town has about 1 MiB.
pub const MAX_FILE_BYTES: usize = 8 * 1024 * 1024;
/// Grids of one file; the town has 91.
pub const MAX_GRIDS: usize = 1_000;
/// Corners of one grid: more do not fit into a record.
pub const MAX_CORNERS: usize = 5_000;
/// Where a grid of the town can lie: west, south, east, north, in degrees. Shidian county with a margin.
pub const FRAME: [f64; 4] = [98.8, 24.2, 99.6, 25.1];

/// Which property of a feature is which register.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Mapping {
    pub code: String,
    pub name: String,
    /// A feature without it is of the village that its code begins with.
    pub village: String,
    /// A feature without it has the village's official name.
    pub village_name: String,
}

impl Default for Mapping {
    fn default() -> Self {
        let [code, name, village, village_name] =
            ["code", "name", "village", "village_name"].map(str::to_owned);
        Self { code, name, village, village_name }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Trouble {
    /// From 1; 0: of the file as a whole.
    pub feature: usize,
    /// Where the feature begins, from 1.
    pub line: usize,
    /// `too_large`, `not_geojson`, `too_many`, `none`, `feature`, `missing`, `code`, `code_twice`, `village`,
    /// `too_long`, `not_polygon`, `degrees`, `open_ring`, `corners`, `too_many_corners`, `crossing`, `outside`.
    pub code: &'static str,
    pub value: String,
}

/// What a file holds.
#[derive(Debug, Default)]
pub struct Read {
    pub grids: Vec<NewGrid>,
    pub troubles: Vec<Trouble>,
    /// Names of the features' properties, for whoever maps them.
    pub properties: BTreeSet<String>,
}

impl Read {
    fn trouble(code: &'static str, value: impl Into<String>) -> Self {
        let trouble = Trouble { feature: 0, line: 1, code, value: value.into() };
        Self { troubles: vec![trouble], ..Self::default() }
    }
}

/// Features as they stand in the text: each is read by itself, and is known by its line.
#[derive(Deserialize)]
struct Collection<'a> {
    r#type: String,
    #[serde(borrow)]
    features: Vec<&'a RawValue>,
}

/// Reads a file. There are grids to write only where there are no troubles.
pub fn read(text: &str, mapping: &Mapping) -> Read {
    if text.len() > MAX_FILE_BYTES {
        return Read::trouble("too_large", MAX_FILE_BYTES.to_string());
    }
    let text = text.trim_start_matches('\u{feff}');
    let collection: Collection<'_> = match serde_json::from_str(text) {
        Ok(collection) => collection,
        Err(error) => return Read::trouble("not_geojson", error.to_string()),
    };
    match collection.features.len() {
        _ if collection.r#type != "FeatureCollection" => {
            return Read::trouble("not_geojson", collection.r#type);
        }
        0 => return Read::trouble("none", ""),
        n if n > MAX_GRIDS => return Read::trouble("too_many", MAX_GRIDS.to_string()),
        _ => {}
    }
    let mut found = Read::default();
    let mut first_with: BTreeMap<GridCode, usize> = BTreeMap::new();
    let (mut line, mut counted) = (1, 0);
    for (number, feature) in (1..).zip(collection.features) {
        let start = feature.get().as_ptr().addr() - text.as_ptr().addr();
        line += text.get(counted..start).unwrap_or_default().matches('\n').count();
        counted = start;
        let mut say = |code, value: String| {
            found.troubles.push(Trouble { feature: number, line, code, value });
        };
        let feature = match feature.get().parse::<Feature>() {
            Ok(feature) => feature,
            Err(error) => {
                say("feature", error.to_string());
                continue;
            }
        };
        let properties = feature.properties.unwrap_or_default();
        found.properties.extend(properties.keys().cloned());
        let grid = grid(&properties, feature.geometry.map(|g| g.value), mapping, &mut say);
        let Some(grid) = grid else { continue };
        match first_with.get(&grid.code) {
            Some(first) => say("code_twice", format!("{} ({first})", grid.code)),
            None => {
                first_with.insert(grid.code.clone(), number);
                found.grids.push(grid);
            }
        }
    }
    found
}

fn grid(
    properties: &JsonObject,
    geometry: Option<GeometryValue>,
    mapping: &Mapping,
    say: &mut impl FnMut(&'static str, String),
) -> Option<NewGrid> {
    // Codes are often numbers in what geographic programs write.
    let property = |name: &str| match properties.get(name)? {
        Json::String(text) => Some(text.trim().to_owned()),
        Json::Number(number) => Some(number.to_string()),
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
    };
    let mut needed = |name: &str| {
        let found = property(name).filter(|text| !text.is_empty());
        match &found {
            None => say("missing", name.to_owned()),
            Some(text) if text.chars().count() > MAX_NAME_CHARS => {
                say("too_long", name.to_owned());
                return None;
            }
            Some(_) => {}
        }
        found
    };
    let (code, name) = (needed(&mapping.code), needed(&mapping.name));
    let code = code.and_then(|text| {
        let code = text.parse::<GridCode>();
        code.map_err(|_| say("code", text)).ok()
    });
    let village = code.as_ref().and_then(|code| {
        let own = code.as_str().get(..villages::CODE_CHARS).unwrap_or_default();
        let said = property(&mapping.village).filter(|text| !text.is_empty());
        let said = said.unwrap_or_else(|| own.to_owned());
        let Some(official) = villages::name_of(&said).filter(|_| said == own) else {
            say("village", said);
            return None;
        };
        let name = property(&mapping.village_name).filter(|text| !text.is_empty());
        Some((said, name.unwrap_or_else(|| official.to_owned())))
    });
    if village.as_ref().is_some_and(|(_, name)| name.chars().count() > MAX_NAME_CHARS) {
        say("too_long", mapping.village_name.clone());
        return None;
    }
    let areas = geometry.as_ref().and_then(areas);
    if areas.is_none() {
        say("not_polygon", String::new());
    }
    let areas = checked(&areas?, say)?;
    let (village, village_name) = village?;
    Some(NewGrid { code: code?, name: name?, village, village_name, areas, invented: false })
}

/// Rings of polygons, as longitude and latitude.
type Rings<'a> = &'a Vec<Vec<geojson::Position>>;

fn areas(value: &GeometryValue) -> Option<Vec<Rings<'_>>> {
    match value {
        GeometryValue::Polygon { coordinates } => Some(vec![coordinates]),
        GeometryValue::MultiPolygon { coordinates } => Some(coordinates.iter().collect()),
        GeometryValue::Point { .. }
        | GeometryValue::MultiPoint { .. }
        | GeometryValue::LineString { .. }
        | GeometryValue::MultiLineString { .. }
        | GeometryValue::GeometryCollection { .. } => None,
    }
}

/// The areas of sound rings; of others it is said what is wrong.
fn checked(areas: &[Rings<'_>], say: &mut impl FnMut(&'static str, String)) -> Option<Vec<Area>> {
    let rings = areas.iter().copied().flatten();
    let corners: usize = rings.clone().map(Vec::len).sum();
    if corners > MAX_CORNERS {
        say("too_many_corners", MAX_CORNERS.to_string());
        return None;
    }
    for (number, ring) in (1..).zip(rings.clone()) {
        let [west, south, east, north] = FRAME;
        let far = ring.iter().map(geojson::Position::as_slice).find(|point| match point {
            [lon, lat, ..] => !(west..=east).contains(lon) || !(south..=north).contains(lat),
            _ => true,
        });
        if let Some(point) = far {
            let [lon, lat, ..] = point else {
                say("degrees", number.to_string());
                return None;
            };
            say("outside", format!("{lon}, {lat}"));
            return None;
        }
        if ring.len() < 4 {
            say("corners", number.to_string());
            return None;
        }
        if ring.first().map(geojson::Position::as_slice)
            != ring.last().map(geojson::Position::as_slice)
        {
            say("open_ring", number.to_string());
            return None;
        }
    }
    let sound: Option<Vec<Area>> = areas.iter().map(area).collect();
    match sound {
        Some(sound) if sound.is_empty() => say("not_polygon", String::new()),
        Some(sound) => match boundary::trouble(&sound) {
            None => return Some(sound),
            Some(words) => say("crossing", words),
        },
        None => say("degrees", String::new()),
    }
    None
}

fn area(rings: &Rings<'_>) -> Option<Area> {
    let ring = |points: &Vec<geojson::Position>| -> Option<Vec<Position>> {
        let position = |point: &geojson::Position| match point.as_slice() {
            [lon, lat, ..] => Position::from_degrees(*lat, *lon),
            _ => None,
        };
        points.iter().map(position).collect()
    };
    let mut rings = rings.iter().map(ring);
    let outer = rings.next()??;
    Some(Area { outer, holes: rings.collect::<Option<_>>()? })
}
