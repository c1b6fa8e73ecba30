//! Laws of lengths, lines and grids, and figures of an independent implementation.

use proptest::prelude::*;

use super::line::{self, Chord, LINE_PRECISION, RING_PRECISION};
use super::times::PLAUSIBLE_MS;
use super::*;
use crate::limits::MAX_TEXT_CHARS;

fn at(lat: f64, lon: f64) -> Position {
    Position::from_degrees(lat, lon).unwrap()
}

fn fix(lat_e7: i64, seconds: Option<i64>) -> Fix {
    let position = Position { lat_e7: 246_000_000 + lat_e7, lon_e7: 992_000_000 };
    Fix {
        position,
        at_ms: seconds.map(|s| 1_700_000_000_000 + s * 1000),
        accuracy_cm: None,
        ele_cm: None,
    }
}

fn walk() -> [Position; 5] {
    [
        at(24.6, 99.2),
        at(24.601, 99.2),
        at(24.601, 99.201),
        at(24.6123456, 99.2234567),
        at(24.5987654, 99.1765432),
    ]
}

#[test]
fn distances_agree_with_geographiclib() {
    // geographiclib 2 for Python, Geodesic.WGS84.Inverse(…)["s12"].
    let expected = [110.76697293405881, 101.27365550958274, 2598.305082021288, 4983.378958064235];
    let walk = walk();
    for (pair, metres) in walk.windows(2).zip(expected) {
        assert!((distance_m(pair[0], pair[1]) - metres).abs() < 1e-6, "{metres}");
    }
    assert_eq!(length_cm(&[walk.to_vec()]), 779_372);
}

#[test]
fn nothing_is_counted_between_segments() {
    let [a, b, c, d, _] = walk();
    let whole = length_cm(&[vec![a, b], vec![], vec![c, d]]);
    assert_eq!(whole, ((distance_m(a, b) + distance_m(c, d)) * 100.0).round() as i64);
    assert_eq!(length_cm(&[]), 0);
    assert_eq!(length_cm(&[vec![a]]), 0);
}

#[test]
fn within_includes_its_limit() {
    let (a, b) = (at(24.6, 99.2), at(24.601, 99.2));
    let metres = distance_m(a, b);
    assert!(within_m(a, b, metres));
    assert!(!within_m(a, b, metres - 0.001));
}

#[test]
fn a_gap_is_more_than_sixty_seconds_and_counts_whole_also_between_segments() {
    let segments =
        [vec![fix(0, Some(0)), fix(1, Some(60))], vec![fix(2, Some(121)), fix(3, Some(130))]];
    let times = Times::of(&segments);
    assert_eq!(times.duration_s(), Some(130));
    assert_eq!(times.gap_s(), 61);
    assert_eq!(times.gaps.len(), 1);
    assert_eq!(times.gaps[0].to_ms - times.gaps[0].from_ms, 61_000);
}

#[test]
fn nonsense_dates_are_counted_and_leave_the_duration_alone() {
    let mut old = fix(5, None);
    old.at_ms = Some(-2_147_483_648_000);
    let mut far = fix(6, None);
    far.at_ms = Some(i64::MAX);
    let segments = [vec![old, fix(0, Some(0)), fix(1, None), far, fix(2, Some(30))]];
    let times = Times::of(&segments);
    assert_eq!(times.duration_s(), Some(30));
    assert_eq!(times.gap_s(), 0);
    assert_eq!((times.untimed, times.implausible), (1, 2));
    assert_eq!(summarise(&segments).unwrap().fixes, 5);
}

#[test]
fn a_track_without_times_has_no_duration() {
    let times = Times::of(&[vec![fix(0, None), fix(1, None)]]);
    assert_eq!((times.duration_s(), times.gap_s()), (None, 0));
    assert_eq!(Times::of(&[vec![fix(0, Some(7))]]).duration_s(), Some(0));
}

#[test]
fn times_that_jump_back_are_taken_in_order() {
    let times = Times::of(&[vec![fix(0, Some(100)), fix(1, Some(0)), fix(2, Some(50))]]);
    assert_eq!((times.duration_s(), times.gap_s()), (Some(100), 0));
}

#[test]
fn plausible_times_begin_with_2000() {
    let mut edge = fix(0, None);
    edge.at_ms = Some(PLAUSIBLE_MS.start);
    assert_eq!(Times::of(&[vec![edge]]).implausible, 0);
    edge.at_ms = Some(PLAUSIBLE_MS.start - 1);
    assert_eq!(Times::of(&[vec![edge]]).implausible, 1);
}

#[test]
fn gaps_and_segments_split_the_line() {
    let segments = [
        vec![fix(0, Some(0)), fix(1000, Some(10)), fix(2000, None), fix(3000, Some(71))],
        vec![],
        vec![fix(4000, Some(72))],
    ];
    let parts = line::split_at_gaps(&segments);
    assert_eq!(parts.iter().map(Vec::len).collect::<Vec<_>>(), [3, 1, 1]);
    let encoded = line::encode_parts(&segments, 5.0).unwrap();
    assert_eq!(encoded.len(), 3);
    assert_eq!(line::decode(&encoded[0], LINE_PRECISION).unwrap().len(), 2);
}

#[test]
fn the_published_polyline_example_is_met() {
    let points = [at(38.5, -120.2), at(40.7, -120.95), at(43.252, -126.453)];
    let text = line::encode(&points, LINE_PRECISION).unwrap();
    assert_eq!(text, "_p~iF~ps|U_ulLnnqC_mqNvxq`@");
    assert_eq!(line::decode(&text, LINE_PRECISION).unwrap(), points);
}

#[test]
fn texts_that_are_no_polyline_are_refused() {
    for text in
        ["_p~iF~ps|", "~~~~~~~~~~~~~~?", "~~~~~~~~~~~~}?~~~~~~~~~~~~}?", "巡逻", "   ", "_p~iF"]
    {
        assert!(line::decode(text, LINE_PRECISION).is_err(), "{text}");
    }
    assert!(line::encode(&[Position { lat_e7: 900_000_001, lon_e7: 0 }], 5).is_err());
}

#[test]
fn a_long_part_goes_on_in_the_next_element() {
    let zigzag: Vec<Fix> = (0..3000)
        .map(|n| {
            let lon_e7 = 992_000_000 + (n % 2) * 30_000;
            let position = Position { lat_e7: 246_000_000 + n * 9_000, lon_e7 };
            Fix { position, at_ms: None, accuracy_cm: None, ele_cm: None }
        })
        .collect();
    let parts = line::encode_parts(&[zigzag], 5.0).unwrap();
    assert!(parts.len() > 1);
    assert!(parts.iter().all(|part| part.len() <= MAX_TEXT_CHARS));
    let decoded: Vec<_> =
        parts.iter().map(|part| line::decode(part, LINE_PRECISION).unwrap()).collect();
    for pair in decoded.windows(2) {
        assert_eq!(pair[0].last(), pair[1].first());
    }
    assert_eq!(decoded.iter().map(|part| part.len() - 1).sum::<usize>() + 1, 3000);
}

#[test]
fn a_chord_measures_metres() {
    let chord = Chord::new(at(24.6, 99.2), at(24.6, 99.21));
    let beside = at(24.601, 99.205);
    let expected = distance_m(at(24.6, 99.205), beside);
    assert!((chord.distance_m(beside) - expected).abs() < 0.05);
    let beyond = at(24.6, 99.22);
    assert!((chord.distance_m(beyond) - distance_m(at(24.6, 99.21), beyond)).abs() < 0.05);
}

fn position() -> impl Strategy<Value = Position> {
    // Yaoguan and some tens of kilometres around it.
    (244_000_000_i64..248_000_000, 990_000_000_i64..994_000_000)
        .prop_map(|(lat_e7, lon_e7)| Position { lat_e7, lon_e7 })
}

/// A walk in steps of up to about thirty metres.
fn track() -> impl Strategy<Value = Vec<Position>> {
    let step = (-3000_i64..3000, -3000_i64..3000);
    (position(), prop::collection::vec(step, 0..120)).prop_map(|(start, steps)| {
        let mut points = vec![start];
        for (north, east) in steps {
            let Position { lat_e7, lon_e7 } = points[points.len() - 1];
            points.push(Position { lat_e7: lat_e7 + north, lon_e7: lon_e7 + east });
        }
        points
    })
}

proptest! {
    #[test]
    fn length_is_additive(points in track(), cut in 0_usize..120) {
        let cut = cut.min(points.len() - 1);
        let (left, right) = (points[..=cut].to_vec(), points[cut..].to_vec());
        // Each length is rounded once.
        let parts = length_cm(std::slice::from_ref(&left)) + length_cm(std::slice::from_ref(&right));
        prop_assert!((parts - length_cm(std::slice::from_ref(&points))).abs() <= 1);
        prop_assert!((length_cm(&[left, right]) - length_cm(&[points])).abs() <= 1);
    }

    #[test]
    fn length_is_symmetric(points in track()) {
        let there = length_cm(std::slice::from_ref(&points));
        let back = length_cm(&[points.into_iter().rev().collect()]);
        prop_assert!((there - back).abs() <= 1);
    }

    #[test]
    fn distance_is_symmetric_and_within_agrees(a in position(), b in position(), m in 0.0..50_000.0) {
        prop_assert_eq!(distance_m(a, b), distance_m(b, a));
        prop_assert_eq!(within_m(a, b, m), distance_m(a, b) <= m);
    }

    #[test]
    fn simplification_keeps_end_points_and_stays_within_tolerance(points in track()) {
        let kept = line::simplify(&points, 5.0);
        prop_assert_eq!(kept.first(), points.first());
        prop_assert_eq!(kept.last(), points.last());
        let mut at = 0;
        for pair in kept.windows(2) {
            let chord = Chord::new(pair[0], pair[1]);
            // The original points from one kept point to the next stand for the same stretch.
            let end = at + 1 + points[at + 1..].iter().position(|p| *p == pair[1]).unwrap();
            for point in &points[at..=end] {
                prop_assert!(chord.distance_m(*point) <= 5.0 + 1e-6);
            }
            at = end;
        }
    }

    #[test]
    fn polyline_round_trip_is_within_its_precision(points in prop::collection::vec(position(), 0..60)) {
        let text = line::encode(&points, LINE_PRECISION).unwrap();
        let back = line::decode(&text, LINE_PRECISION).unwrap();
        prop_assert_eq!(back.len(), points.len());
        for (a, b) in points.iter().zip(&back) {
            prop_assert!((a.lat_e7 - b.lat_e7).abs() <= 50 && (a.lon_e7 - b.lon_e7).abs() <= 50);
        }
        let exact = line::encode(&points, RING_PRECISION).unwrap();
        prop_assert_eq!(line::decode(&exact, RING_PRECISION).unwrap(), points);
    }

    #[test]
    fn decoding_any_text_does_not_panic(text in "[ -~]{0,40}") {
        let _ = line::decode(&text, RING_PRECISION);
    }
}

fn seen(lat_e7: i64, seconds: Option<i64>, accuracy_cm: Option<i64>) -> Fix {
    Fix { accuracy_cm, ..fix(lat_e7, seconds) }
}

#[test]
fn doubts_are_computed_and_drop_nothing() {
    let segment = [
        seen(0, Some(0), Some(5_000)),
        seen(500, Some(5), Some(5_001)),
        seen(100_000, Some(10), None), // 1.1 km in 10 s
        seen(0, Some(10), None),       // the same second says nothing of speed
    ];
    let found = doubts(&segment);
    assert_eq!(found.iter().map(|d| d.inaccurate).collect::<Vec<_>>(), [false, true, false, false]);
    assert_eq!(found.iter().map(|d| d.too_fast).collect::<Vec<_>>(), [false, false, true, false]);
}

#[test]
fn a_wild_fix_costs_two_steps_and_a_wild_beginning_one() {
    let walk = |n: i64| fix(n * 1_000, Some(n * 5));
    let wild = |n: i64| fix(n * 1_000 + 1_000_000, Some(n * 5));
    let of = |wilds: &[i64]| -> Vec<Vec<Fix>> {
        let segment = (0..10).map(|n| if wilds.contains(&n) { wild(n) } else { walk(n) }).collect();
        believed(&[segment])
    };
    let walked = |range: std::ops::Range<i64>| range.map(walk).collect::<Vec<_>>();
    assert_eq!(of(&[]), [walked(0..10)]);
    assert_eq!(of(&[4]), [walked(0..4), walked(5..10)]);
    assert_eq!(of(&[0]), [walked(1..10)]);
    assert_eq!(of(&[9]), [walked(0..9)]);
    // Wrong for a while: what lies there stays, the jumps do not.
    assert_eq!(of(&[0, 1, 2]), [(0..3).map(wild).collect(), walked(3..10)]);
    assert_eq!(believed(&[vec![walk(1)]]), [vec![walk(1)]], "one fix is a place");
    assert_eq!(believed(&[vec![]]), Vec::<Vec<Fix>>::new());
}
