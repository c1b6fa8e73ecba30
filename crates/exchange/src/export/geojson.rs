//! GeoJSON (RFC 7946): one FeatureCollection, one Feature a record.
//!
//! Deterministic byte for byte, so that two phones with equal records write equal files: sorted by id,
//! keys sorted, every number exact in its own fixed format. Words stay words of the schema, since a
//! map reads them, not a person. Empty cells have no property.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::io::Write;

use yaoguan_model::geodesy::Fix;
use yaoguan_model::{Kind, Position, Record, Value};

use super::{Cell, Column, columns, exported, fixed};
use crate::error::ExportError;

/// Writes records of one kind, one Feature each.
pub fn write_geojson<R: Borrow<Record>>(
    kind: &Kind,
    records: impl Iterator<Item = R>,
    out: &mut impl Write,
) -> Result<(), ExportError> {
    let features = Features::of(kind)?;
    let feature = |record: R| Ok((record.borrow().id, features.feature(record.borrow(), "")?));
    let sorted: BTreeMap<_, _> =
        exported(records).map(feature).collect::<Result<_, ExportError>>()?;
    out.write_all(b"{\"type\":\"FeatureCollection\",\"features\":[")?;
    for (n, feature) in sorted.values().enumerate() {
        out.write_all(if n == 0 { b"\n" } else { b",\n" })?;
        out.write_all(feature.as_bytes())?;
    }
    out.write_all(b"\n]}\n")?;
    Ok(())
}

/// Records of one kind as Features. A patrol is a MultiLineString of its line, everything else the Point of
/// its position; without either the geometry is null.
#[derive(Debug)]
pub struct Features(Vec<Column>);

impl Features {
    /// Refused for a kind that this program does not know.
    pub fn of(kind: &Kind) -> Result<Self, ExportError> {
        if kind.spec().is_none() {
            return Err(ExportError::UnknownKind(kind.to_string()));
        }
        let is_geometry = |key: &str| matches!(key, "id" | "position.lat" | "position.lon");
        Ok(Self(columns(kind).into_iter().filter(|column| !is_geometry(&column.key)).collect()))
    }

    /// One Feature; `more` are further members of it, each with a comma before.
    pub fn feature(&self, record: &Record, more: &str) -> Result<String, ExportError> {
        let (id, geometry) = (record.id, geometry(record));
        let mut text = format!("{{\"type\":\"Feature\",\"id\":\"{id}\",\"geometry\":{geometry}");
        text.push_str(",\"properties\":{");
        let cells = self.0.iter().map(|column| (column.key.as_str(), column.cell(record)));
        let cells: BTreeMap<&str, Cell> = cells.collect();
        let mut comma = "";
        for (key, cell) in cells {
            let Some(json) = json(&cell)? else { continue };
            text.push_str(&format!("{comma}{}:{json}", serde_json::to_string(key)?));
            comma = ",";
        }
        text.push('}');
        text.push_str(more);
        text.push('}');
        Ok(text)
    }
}

/// Writes the track of a patrol with every fix: a Feature for each segment, a LineString (a Point where it
/// has one fix). `coordTimes` has the times (null where a fix has none), `accuracies` metres; a
/// fix with an elevation has it as its third coordinate.
pub fn write_track_geojson(segments: &[Vec<Fix>], out: &mut impl Write) -> Result<(), ExportError> {
    out.write_all(b"{\"type\":\"FeatureCollection\",\"features\":[")?;
    for (n, segment) in segments.iter().filter(|segment| !segment.is_empty()).enumerate() {
        out.write_all(if n == 0 { b"\n" } else { b",\n" })?;
        let points: Vec<String> =
            segment.iter().map(|fix| coordinates(&fix.position, fix.ele_cm)).collect();
        let geometry = match points.as_slice() {
            [point] => format!("{{\"type\":\"Point\",\"coordinates\":{point}}}"),
            line => format!("{{\"type\":\"LineString\",\"coordinates\":[{}]}}", line.join(",")),
        };
        let list = |of: &dyn Fn(&Fix) -> Option<String>| {
            let values = segment.iter().map(|fix| of(fix).unwrap_or_else(|| "null".to_owned()));
            values.collect::<Vec<_>>().join(",")
        };
        let times = list(&|fix| {
            let time = chrono::DateTime::from_timestamp_millis(fix.at_ms?)?;
            Some(time.format("\"%Y-%m-%dT%H:%M:%S%.3fZ\"").to_string())
        });
        let accuracies = list(&|fix| Some(fixed(fix.accuracy_cm?, 2)));
        write!(out, "{{\"type\":\"Feature\",\"geometry\":{geometry},\"properties\":{{")?;
        write!(out, "\"accuracies\":[{accuracies}],\"coordTimes\":[{times}]}}}}")?;
    }
    out.write_all(b"\n]}\n")?;
    Ok(())
}

fn json(cell: &Cell) -> Result<Option<String>, ExportError> {
    Ok(match cell {
        Cell::Empty => None,
        Cell::Text(text) | Cell::Word(text) => Some(serde_json::to_string(text)?),
        Cell::Int(n) => Some(n.to_string()),
        Cell::Fixed { value, decimals } => Some(fixed(*value, *decimals)),
        Cell::Bool(b) => Some(b.to_string()),
    })
}

fn geometry(record: &Record) -> String {
    let lines: Vec<String> = record
        .shown("line")
        .and_then(Value::as_list)
        .unwrap_or_default()
        .iter()
        .filter_map(|part| decoded(part.as_text()?))
        .filter(|points| points.len() > 1)
        .map(|points| {
            format!(
                "[{}]",
                points.iter().map(|at| coordinates(at, None)).collect::<Vec<_>>().join(",")
            )
        })
        .collect();
    if !lines.is_empty() {
        return format!("{{\"type\":\"MultiLineString\",\"coordinates\":[{}]}}", lines.join(","));
    }
    match record.shown("position").and_then(Position::of) {
        Some(at) => format!("{{\"type\":\"Point\",\"coordinates\":{}}}", coordinates(&at, None)),
        None => "null".to_owned(),
    }
}

/// Longitude first, an elevation last (RFC 7946 §3.1.1).
fn coordinates(at: &Position, ele_cm: Option<i64>) -> String {
    let (lon, lat) = (fixed(at.lon_e7, 7), fixed(at.lat_e7, 7));
    match ele_cm {
        Some(ele_cm) => format!("[{lon},{lat},{}]", fixed(ele_cm, 2)),
        None => format!("[{lon},{lat}]"),
    }
}

/// Decodes a polyline of precision 1e-5 in whole numbers (Google, *Encoded Polyline Algorithm
/// Format*); `None` when it is not one.
fn decoded(text: &str) -> Option<Vec<Position>> {
    let mut numbers = Vec::new();
    let (mut bits, mut shift) = (0_i64, 0_u32);
    for byte in text.bytes() {
        let chunk = i64::from(byte.checked_sub(63).filter(|chunk| *chunk < 64)?);
        bits |= (chunk & 0x1F).checked_shl(shift).filter(|_| shift < 40)?;
        shift += 5;
        if chunk & 0x20 == 0 {
            numbers.push(if bits & 1 == 1 { !(bits >> 1) } else { bits >> 1 });
            (bits, shift) = (0, 0);
        }
    }
    if shift != 0 || numbers.len() % 2 != 0 {
        return None;
    }
    let mut at = Position { lat_e7: 0, lon_e7: 0 };
    let mut points = Vec::new();
    for pair in numbers.chunks_exact(2) {
        let &[lat, lon] = pair else { return None };
        at.lat_e7 = at.lat_e7.checked_add(lat.checked_mul(100)?)?;
        at.lon_e7 = at.lon_e7.checked_add(lon.checked_mul(100)?)?;
        points.push(at);
    }
    let in_range =
        |at: &Position| at.lat_e7.abs() <= 900_000_000 && at.lon_e7.abs() <= 1_800_000_000;
    points.iter().all(in_range).then_some(points)
}
