//! Tracks: every fix comes back, in few bytes.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails where it stands"
)]

use proptest::prelude::*;
use yaoguan_media::limits::MAX_TRACK_BYTES;
use yaoguan_media::track::{self, TrackError};
use yaoguan_media::{MediaType, Unfit, check};
use yaoguan_model::Position;
use yaoguan_model::geodesy::{Fix, Times, length_cm, positions, summarise};

fn fix(lat_e7: i64, lon_e7: i64, at_ms: Option<i64>, accuracy_cm: Option<i64>) -> Fix {
    Fix { position: Position { lat_e7, lon_e7 }, at_ms, accuracy_cm, ele_cm: None }
}

/// A small generator of its own (xorshift64*), so that a seed gives the same walk for ever.
struct Random(u64);

impl Random {
    fn below(&mut self, n: i64) -> i64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let n = n.cast_unsigned();
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) % n).cast_signed()
    }
}

/// Eight hours on foot, a fix every five seconds: 1.3 m/s in a direction that turns slowly, and a metre of
/// noise that wanders.
fn eight_hours(seed: u64) -> Vec<Vec<Fix>> {
    let mut random = Random(seed);
    let (mut lat, mut lon, mut heading) = (246_000_000_f64, 992_000_000_f64, 0_f64);
    let mut accuracy = 400;
    let fixes = (0..5_760).map(|n| {
        heading += (random.below(201) - 100) as f64 / 400.0;
        // 6.5 m in 1e-7 degrees.
        lat += 585.0 * heading.cos() + (random.below(81) - 40) as f64;
        lon += 640.0 * heading.sin() + (random.below(81) - 40) as f64;
        accuracy = (accuracy + 50 * (random.below(5) - 2)).clamp(300, 2_000);
        let at = 1_795_492_800_000 + n * 5_000;
        fix(lat.round() as i64, lon.round() as i64, Some(at), Some(accuracy))
    });
    vec![fixes.collect()]
}

#[test]
fn eight_hours_take_about_four_bytes_a_fix() {
    let seed = 20_261_125;
    let segments = eight_hours(seed);
    let bytes = track::encode(&segments).unwrap();
    let per_fix = bytes.len() as f64 / 5_760.0;
    println!("8 h at a fix per 5 s (seed {seed}): {} bytes, {per_fix:.2} a fix", bytes.len());
    assert!(per_fix < 4.5, "{per_fix}");
    assert_eq!(track::decode(&bytes).unwrap(), segments);
    assert_eq!(track::encode(&segments).unwrap(), bytes);
    assert_eq!(check(&bytes), Ok(MediaType::Track));
}

#[test]
fn what_is_reckoned_from_the_file_is_what_was_reckoned_before() {
    let segments = eight_hours(7);
    let back = track::decode(&track::encode(&segments).unwrap()).unwrap();
    assert_eq!(length_cm(&positions(&back)), length_cm(&positions(&segments)));
    assert_eq!(summarise(&back).unwrap(), summarise(&segments).unwrap());
}

#[test]
fn segments_gaps_and_fixes_without_a_time_stay() {
    let segments = vec![
        vec![fix(1, 2, Some(1_000_001), None), fix(1, 3, None, Some(7))],
        vec![],
        vec![fix(-900_000_000, 1_800_000_000, Some(-2_177_452_800_000), Some(0))],
    ];
    let back = track::decode(&track::encode(&segments).unwrap()).unwrap();
    assert_eq!(back, segments);
    assert!(track::decode(&track::encode(&[]).unwrap()).unwrap().is_empty());
    let at = |s: i64| Some(1_795_492_800_000 + s * 1000);
    let gap = vec![vec![fix(1, 1, at(0), None), fix(1, 2, at(60), None), fix(1, 3, at(121), None)]];
    let back = track::decode(&track::encode(&gap).unwrap()).unwrap();
    assert_eq!(Times::of(&back).gap_s(), 61);
}

#[test]
fn elevations_come_back_and_a_track_without_them_is_written_as_before() {
    let plain = eight_hours(7);
    let mut high = plain.clone();
    for (n, fix) in (0..).zip(high[0].iter_mut()) {
        fix.ele_cm = (n % 10 > 0).then_some(168_000 + n * 3);
    }
    let (plain, bytes) = (track::encode(&plain).unwrap(), track::encode(&high).unwrap());
    assert_eq!((plain[3], bytes[3]), (1, 2));
    assert_eq!(track::decode(&bytes).unwrap(), high);
    assert_eq!(check(&bytes), Ok(MediaType::Track));
}

#[test]
fn what_is_cut_altered_or_of_a_later_version_is_refused() {
    let bytes = track::encode(&eight_hours(7)).unwrap();
    for end in [0, 3, 4, 5, 100, bytes.len() - 1] {
        assert!(track::decode(&bytes[..end]).is_err(), "{end}");
    }
    let mut longer = bytes.clone();
    longer.extend(b"<script>");
    assert!(track::decode(&longer).is_err());
    assert_eq!(check(&longer), Err(Unfit::Damaged));
    let mut later = bytes.clone();
    later[3] = 2;
    assert!(matches!(track::decode(&later), Err(TrackError::Damaged)), "no elevations in it");
    later[3] = 3;
    assert!(matches!(track::decode(&later), Err(TrackError::Version(3))));
}

#[test]
fn a_bomb_is_not_unpacked() {
    let zeros = vec![0; usize::try_from(MAX_TRACK_BYTES).unwrap() + 10];
    let mut bomb = b"YGT\x01".to_vec();
    bomb.extend(zstd::bulk::compress(&zeros, 3).unwrap());
    println!("{} bytes unpack to more than {MAX_TRACK_BYTES}", bomb.len());
    assert!(matches!(track::decode(&bomb), Err(TrackError::Damaged)));
}

fn any_fix() -> impl Strategy<Value = Fix> {
    let lat = -900_000_000_i64..=900_000_000;
    let lon = -1_800_000_000_i64..=1_800_000_000;
    let time = prop::option::of(prop_oneof![
        any::<i64>(),
        (1_700_000_000..1_800_000_000_i64).prop_map(|s| s * 1000),
    ]);
    let rest = (time, prop::option::of(any::<i64>()), prop::option::of(any::<i64>()));
    (lat, lon, rest).prop_map(|(lat_e7, lon_e7, (at_ms, accuracy_cm, ele_cm))| Fix {
        position: Position { lat_e7, lon_e7 },
        at_ms,
        accuracy_cm,
        ele_cm,
    })
}

proptest! {
    #[test]
    fn every_track_comes_back(
        segments in prop::collection::vec(prop::collection::vec(any_fix(), 0..20), 0..6)
    ) {
        let bytes = track::encode(&segments).unwrap();
        prop_assert_eq!(track::decode(&bytes).unwrap(), segments);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut track = b"YGT\x01".to_vec();
        track.extend(zstd::bulk::compress(&bytes, 1).unwrap());
        prop_assert_eq!(track::check(&track).is_ok(), track::decode(&track).is_ok());
        prop_assert_eq!(track::check(&bytes).is_ok(), track::decode(&bytes).is_ok());
    }
}
