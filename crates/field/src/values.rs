//! Values as a person types them, or as a JSON file gives them, read by the shape of their path.
//!
//! Typed: `position=24.61,99.20` in degrees, times as ISO 8601 or seconds, lists with commas. In JSON a
//! position may be in degrees (`{"lat": 24.61, "lon": 99.2}`) or as stored (integers of 1e-7 degrees).

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime};
use yaoguan_model::schema::{Invalid, Problem, Shape};
use yaoguan_model::{FieldPath, Kind, Position, Value};

use crate::dates::SHANGHAI_S;
use crate::edit::Edit;

fn path_of(text: &str) -> Result<FieldPath, Invalid> {
    let unknown = |path| Invalid { path, problem: Problem::UnknownField };
    text.parse().map_err(|_| unknown(yaoguan_model::path::deleted()))
}

fn shape_of(kind: &Kind, path: &FieldPath) -> Result<Shape, Invalid> {
    let spec = kind.spec().and_then(|spec| spec.find(path.as_str()));
    match spec {
        Some(line) => Ok(line.shape),
        // A note becomes a timeline entry, see edit::add_step.
        None if path.as_str() == "note" => Ok(Shape::Text),
        None => Err(Invalid { path: path.clone(), problem: Problem::UnknownField }),
    }
}

/// `field=value` as typed; an empty value removes the field.
pub fn typed(kind: &Kind, field: &str, text: &str) -> Result<(FieldPath, Option<Value>), Invalid> {
    let path = path_of(field)?;
    let shape = shape_of(kind, &path)?;
    if text.is_empty() {
        return Ok((path, None));
    }
    match read(shape, text) {
        Ok(value) => Ok((path, Some(value))),
        Err(problem) => Err(Invalid { path, problem }),
    }
}

/// The fields of a JSON object; `null` removes a field.
pub fn from_json(kind: &Kind, json: &serde_json::Value) -> Result<Edit, Invalid> {
    let not_object = || Invalid {
        path: yaoguan_model::path::deleted(),
        problem: Problem::WrongType("an object of fields"),
    };
    let mut edit = Edit::new();
    for (field, json) in json.as_object().ok_or_else(not_object)? {
        let path = path_of(field)?;
        let shape = shape_of(kind, &path)?;
        let value = if json.is_null() { None } else { Some(convert(shape, json)) };
        match value.transpose() {
            Ok(value) => _ = edit.insert(path, value),
            Err(problem) => return Err(Invalid { path, problem }),
        }
    }
    Ok(edit)
}

fn convert(shape: Shape, json: &serde_json::Value) -> Result<Value, Problem> {
    match (shape, json) {
        (Shape::Position, serde_json::Value::Object(map)) => position_of(map),
        (Shape::Position | Shape::Time, serde_json::Value::String(text)) => read(shape, text),
        _ => serde_json::from_value(json.clone()).map_err(|_| Problem::WrongType("a whole number")),
    }
}

fn position_of(map: &serde_json::Map<String, serde_json::Value>) -> Result<Value, Problem> {
    let number = |key: &str| map.get(key).and_then(serde_json::Value::as_f64);
    let whole = |key: &str| {
        map.get(key).is_some_and(|n| n.is_i64() && n.as_i64().is_some_and(|n| n.abs() > 180))
    };
    let bad = Problem::WrongType("a position {lat, lon}");
    let mut value = if whole("lat") || whole("lon") {
        serde_json::from_value(serde_json::Value::Object(map.clone())).map_err(|_| bad)?
    } else {
        let (Some(lat), Some(lon)) = (number("lat"), number("lon")) else { return Err(bad) };
        let position = Position::from_degrees(lat, lon);
        let mut value = position
            .ok_or(Problem::WrongType("a position on the earth, not 0,0"))?
            .to_value("manual");
        if let Value::Map(out) = &mut value {
            for (key, json) in map.iter().filter(|(key, _)| !matches!(key.as_str(), "lat" | "lon"))
            {
                let entry = serde_json::from_value(json.clone())
                    .map_err(|_| Problem::WrongType("whole numbers"))?;
                out.insert(key.clone(), entry);
            }
        }
        value
    };
    if let Value::Map(out) = &mut value {
        out.entry("source".to_owned()).or_insert_with(|| Value::text("manual"));
    }
    Ok(value)
}

fn read(shape: Shape, text: &str) -> Result<Value, Problem> {
    match shape {
        Shape::Word(_) | Shape::Text | Shape::Line | Shape::Name | Shape::Date => {
            Ok(Value::text(text))
        }
        Shape::Grid | Shape::Record | Shape::Account | Shape::Hash => Ok(Value::text(text.trim())),
        Shape::Int { .. } => {
            text.trim().parse().map(Value::Int).map_err(|_| Problem::WrongType("a whole number"))
        }
        Shape::Bool => match text.trim() {
            "true" | "yes" | "1" | "是" => Ok(Value::Bool(true)),
            "false" | "no" | "0" | "否" => Ok(Value::Bool(false)),
            _ => Err(Problem::WrongType("true or false")),
        },
        Shape::Time => time(text.trim())
            .map(Value::Int)
            .ok_or(Problem::WrongType("a time in seconds, or like 2026-11-24T08:30")),
        Shape::Position => position(text)
            .ok_or(Problem::WrongType("a position like 24.61,99.20 (latitude, longitude)")),
        Shape::List(of) => {
            if let Ok(value) = serde_json::from_str::<Value>(text)
                && value.as_list().is_some()
            {
                return Ok(value);
            }
            text.split(',')
                .map(|part| read(*of, part.trim()))
                .collect::<Result<_, _>>()
                .map(Value::List)
        }
        Shape::Object(_) | Shape::Context => {
            serde_json::from_str(text).map_err(|_| Problem::WrongType("JSON"))
        }
    }
}

fn position(text: &str) -> Option<Value> {
    let (lat, lon) = text.split_once([',', ' '])?;
    let position = Position::from_degrees(lat.trim().parse().ok()?, lon.trim().parse().ok()?)?;
    Some(position.to_value("manual"))
}

/// Seconds since 1970; a time without a zone is the town's.
fn time(text: &str) -> Option<i64> {
    if let Ok(seconds) = text.parse::<i64>() {
        return Some(seconds);
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.timestamp());
    }
    let zone = FixedOffset::east_opt(SHANGHAI_S)?;
    let formats = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"];
    let local = formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    let local =
        local.or_else(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0))?;
    Some(local.and_local_timezone(zone).single()?.timestamp())
}

#[cfg(test)]
mod tests;
