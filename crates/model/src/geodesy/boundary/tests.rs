//! Rings as a register, and the grid of a position against a naive test.

use proptest::prelude::*;

use super::*;
use crate::ids::{AccountId, RecordId, ReplicaId};
use crate::kind::Kind;
use crate::record::Change;
use crate::{Dot, FieldPath};

fn square(lat_e7: i64, lon_e7: i64, side: i64) -> Vec<Position> {
    let corner = |north, east| Position { lat_e7: lat_e7 + north, lon_e7: lon_e7 + east };
    vec![corner(0, 0), corner(0, side), corner(side, side), corner(side, 0)]
}

fn code(n: usize) -> GridCode {
    format!("530521103200{n:03}").parse().unwrap()
}

fn area(outer: Vec<Position>) -> Area {
    Area { outer, holes: Vec::new() }
}

#[test]
fn areas_with_holes_survive_the_register() {
    let areas = vec![
        Area {
            outer: square(246_000_000, 992_000_000, 1000),
            holes: vec![square(246_000_100, 992_000_100, 50), square(246_000_300, 992_000_300, 50)],
        },
        area(square(247_000_000, 992_000_000, 1000)),
    ];
    let value = to_value(&areas).unwrap();
    assert_eq!(of_value(&value).unwrap(), areas);
    let shape = Kind::Grid.spec().unwrap().find("boundary").unwrap().shape;
    assert_eq!(crate::schema::check(shape, &value), Ok(()));
}

#[test]
fn a_ring_longer_than_a_text_is_continued() {
    let circle = |radius: f64, n: i64| {
        let turn = n as f64 / 2000.0 * std::f64::consts::TAU;
        Position {
            lat_e7: 246_000_000 + (turn.sin() * radius) as i64,
            lon_e7: 992_000_000 + (turn.cos() * radius) as i64,
        }
    };
    let ring = |radius| (0..2000).map(|n| circle(radius, n)).collect::<Vec<_>>();
    let areas = vec![Area { outer: ring(9e5), holes: vec![ring(4e5)] }];
    let value = to_value(&areas).unwrap();
    assert!(value.as_list().unwrap().len() > 4);
    assert_eq!(of_value(&value).unwrap(), areas);
    let shape = Kind::Grid.spec().unwrap().find("boundary").unwrap().shape;
    assert_eq!(crate::schema::check(shape, &value), Ok(()));
}

#[test]
fn what_is_no_boundary_is_refused() {
    let list = |texts: &[&str]| Value::List(texts.iter().map(|t| Value::from(*t)).collect());
    assert!(matches!(of_value(&list(&["-_p~iF~ps|U"])), Err(BadBoundary::NothingBefore)));
    assert!(matches!(of_value(&list(&["+_p~iF~ps|U"])), Err(BadBoundary::NothingBefore)));
    assert!(matches!(of_value(&list(&["_p~iF~ps|U"])), Err(BadBoundary::TooFewCorners(1))));
    assert!(matches!(of_value(&list(&["x y"])), Err(BadBoundary::Line { ring: 1, .. })));
    assert!(matches!(of_value(&list(&[])), Err(BadBoundary::NotRings)));
    assert!(matches!(of_value(&Value::Int(1)), Err(BadBoundary::NotRings)));
    let [a, b, ..] = square(246_000_000, 992_000_000, 9)[..] else { panic!() };
    assert!(matches!(to_value(&[area(vec![a, b, a])]), Err(BadBoundary::TooFewCorners(1))));
    assert!(matches!(to_value(&[]), Err(BadBoundary::NotRings)));
}

#[test]
fn a_position_in_a_hole_is_in_no_grid() {
    let mut boundaries = Boundaries::new();
    let holes = vec![square(246_000_400, 992_000_400, 200)];
    boundaries.insert(code(1), &[Area { outer: square(246_000_000, 992_000_000, 1000), holes }]);
    let at = |lat_e7, lon_e7| Position { lat_e7, lon_e7 };
    assert_eq!(boundaries.find(at(246_000_100, 992_000_100)), Some(&code(1)));
    assert_eq!(boundaries.find(at(246_000_500, 992_000_500)), None);
    assert_eq!(boundaries.find(at(246_002_000, 992_000_500)), None);
}

#[test]
fn a_position_on_a_border_belongs_to_the_lower_code() {
    let mut boundaries = Boundaries::new();
    boundaries.insert(code(2), &[area(square(246_000_000, 992_000_000, 1000))]);
    boundaries.insert(code(1), &[area(square(246_000_000, 992_001_000, 1000))]);
    let border = Position { lat_e7: 246_000_500, lon_e7: 992_001_000 };
    assert_eq!(boundaries.find(border), Some(&code(1)));
}

#[test]
fn boundaries_come_from_records_and_bad_ones_are_told() {
    let record = |n: u8, boundary: Value| {
        let author = AccountId::from_bytes([9; 16]);
        let mut record = Record::new(RecordId::from_bytes([n; 16]), Kind::Grid, author);
        let fields = [("code", Value::text(code(n.into()).as_str())), ("boundary", boundary)];
        let change = |value| Change { replaces: vec![], value: Some(value) };
        let path = |text: &str| text.parse::<FieldPath>().unwrap();
        let changes = fields.map(|(p, value)| (path(p), change(value))).into();
        record.put(&changes, Dot::new(ReplicaId([n; 16]), 1));
        record
    };
    let good = record(1, to_value(&[area(square(246_000_000, 992_000_000, 1000))]).unwrap());
    let broken = record(2, Value::List(vec![Value::from("no ring")]));
    let mut gone = record(3, to_value(&[area(square(246_100_000, 992_000_000, 1000))]).unwrap());
    let (path, change) = deletion::delete(&gone);
    gone.put(&[(path, change)].into(), Dot::new(ReplicaId([3; 16]), 2));
    let (boundaries, bad) = Boundaries::of_records([&good, &broken, &gone]);
    assert_eq!(boundaries.len(), 1);
    assert_eq!(bad.iter().map(|(code, _)| code.clone()).collect::<Vec<_>>(), [code(2)]);
}

/// Crossings of a ray to the east, in integers; `None` on the border. Shares nothing with `find`.
fn naive(ring: &[Position], p: Position) -> Option<bool> {
    let mut inside = false;
    for (i, a) in ring.iter().enumerate() {
        let b = ring[(i + 1) % ring.len()];
        let (ax, ay) = (i128::from(a.lon_e7 - p.lon_e7), i128::from(a.lat_e7 - p.lat_e7));
        let (bx, by) = (i128::from(b.lon_e7 - p.lon_e7), i128::from(b.lat_e7 - p.lat_e7));
        let cross = ax * by - ay * bx;
        if cross == 0 && ax * bx + ay * by <= 0 {
            return None;
        }
        if (ay > 0) != (by > 0) {
            inside ^= (cross > 0) == (by > ay);
        }
    }
    Some(inside)
}

/// Star-shaped rings: a radius for each of n directions.
fn star() -> impl Strategy<Value = Vec<Position>> {
    let radii = prop::collection::vec(20_000_i64..400_000, 3..20);
    (245_500_000_i64..246_500_000, 991_500_000_i64..992_500_000, radii).prop_map(|(lat, lon, r)| {
        let corner = |(i, radius): (usize, &i64)| {
            let turn = i as f64 / r.len() as f64 * std::f64::consts::TAU;
            Position {
                lat_e7: lat + (turn.sin() * *radius as f64) as i64,
                lon_e7: lon + (turn.cos() * *radius as f64) as i64,
            }
        };
        r.iter().enumerate().map(corner).collect()
    })
}

proptest! {
    #[test]
    fn point_in_grid_agrees_with_a_naive_test(
        rings in prop::collection::vec(star(), 1..12),
        points in prop::collection::vec((245_500_000_i64..246_500_000, 991_500_000_i64..992_500_000), 60),
    ) {
        let mut boundaries = Boundaries::new();
        for (n, ring) in rings.iter().enumerate() {
            boundaries.insert(code(n), &[area(ring.clone())]);
        }
        for (lat_e7, lon_e7) in points {
            let p = Position { lat_e7, lon_e7 };
            let expected = rings.iter().position(|ring| naive(ring, p) != Some(false));
            prop_assert_eq!(boundaries.find(p).cloned(), expected.map(code));
        }
    }
}
