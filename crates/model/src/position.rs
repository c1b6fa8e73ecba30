//! A position on the earth: one register, WGS-84, integers.

use crate::value::Value;

/// Where a fix came from.
pub const SOURCES: &[&str] = &["gps", "map", "manual", "import"];
/// 1e-7 degrees in one degree (about 1.1 cm on the ground).
pub const PER_DEGREE: f64 = 1e7;

/// WGS-84 in 1e-7 degrees. No fix is absent, never 0,0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    pub lat_e7: i64,
    pub lon_e7: i64,
}

impl Position {
    /// From degrees; `None` when out of range, not a number, or exactly 0,0 (the mark of a missing fix).
    pub fn from_degrees(lat: f64, lon: f64) -> Option<Self> {
        let fits = (-90.0..=90.0).contains(&lat) && (-180.0..=180.0).contains(&lon);
        if !fits || (lat == 0.0 && lon == 0.0) {
            return None;
        }
        let e7 = |degrees: f64| (degrees * PER_DEGREE).round() as i64;
        Some(Self { lat_e7: e7(lat), lon_e7: e7(lon) })
    }

    /// Latitude in degrees.
    pub fn lat(self) -> f64 {
        self.lat_e7 as f64 / PER_DEGREE
    }
    /// Longitude in degrees.
    pub fn lon(self) -> f64 {
        self.lon_e7 as f64 / PER_DEGREE
    }

    /// Reads the register `position`.
    pub fn of(value: &Value) -> Option<Self> {
        Some(Self { lat_e7: value.get("lat")?.as_int()?, lon_e7: value.get("lon")?.as_int()? })
    }

    /// The register `position`; `source` is one of [`SOURCES`].
    pub fn to_value(self, source: &str) -> Value {
        Value::map([
            ("lat", Value::Int(self.lat_e7)),
            ("lon", Value::Int(self.lon_e7)),
            ("source", Value::text(source)),
        ])
    }
}
