//! placeholder until the real one lands
pub fn distance_m(a: crate::Position, b: crate::Position) -> f64 {
    let f = a.lat().to_radians().cos();
    (((a.lat() - b.lat()) * 111_000.0).powi(2) + ((a.lon() - b.lon()) * 111_000.0 * f).powi(2))
        .sqrt()
}
