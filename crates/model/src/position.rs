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

/// A box in 1e-7 degrees that holds every position within a distance of its centre.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Around {
    pub lat_min: i64,
    pub lat_max: i64,
    pub lon_min: i64,
    pub lon_max: i64,
}

impl Position {
    /// The box around this position for `radius_m` metres; somewhat larger than needed, never smaller.
    pub fn around(self, radius_m: f64) -> Around {
        // A degree of latitude is nowhere shorter than 110.5 km on WGS-84.
        let lat = radius_m / 110_500.0 * PER_DEGREE;
        let lon = lat / self.lat().to_radians().cos().max(0.01);
        let (lat, lon) = (lat.ceil() as i64, lon.ceil() as i64);
        Around {
            lat_min: self.lat_e7 - lat,
            lat_max: self.lat_e7 + lat,
            lon_min: self.lon_e7 - lon,
            lon_max: self.lon_e7 + lon,
        }
    }
}
