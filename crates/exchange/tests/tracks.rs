//! GPX: five recorded files, one of waypoints alone, and files that are none.
// A test may stop at the first thing that is not as it should be.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::path::Path;

use yaoguan_exchange::gpx::{read, track_key, write_gpx};
use yaoguan_exchange::{GpxError, Track};
use yaoguan_model::geodesy::Fix;

/// Name, points, untimed, implausible times, segments, length in metres.
const FILES: [(&str, usize, usize, usize, usize, f64); 5] = [
    ("korita-zbevnica.gpx", 871, 358, 0, 4, 14_913.7),
    ("cerknicko-jezero.gpx", 296, 0, 0, 8, 4_580.1),
    ("around-visnjan-with-car.gpx", 104, 0, 0, 1, 2_736.3),
    ("Mojstrovka.gpx", 184, 0, 184, 1, 2_700.6),
    ("track-with-empty-segment.gpx", 9, 0, 0, 2, 85.9),
];

/// The bytes of a shared file; `None`, said aloud, where the folder may be absent.
fn shared(name: &str) -> Option<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/gpx").join(name);
    if path.exists() {
        return Some(std::fs::read(path).unwrap());
    }
    assert_eq!(
        std::env::var("SHARED_OPTIONAL").as_deref(),
        Ok("1"),
        "{} is absent",
        path.display()
    );
    println!("skipped 1 file: {} is absent", path.display());
    None
}

fn haversine_m(a: &Fix, b: &Fix) -> f64 {
    let (lat1, lat2) = (a.position.lat().to_radians(), b.position.lat().to_radians());
    let lon = (b.position.lon() - a.position.lon()).to_radians();
    let h =
        ((lat2 - lat1) / 2.0).sin().powi(2) + lat1.cos() * lat2.cos() * (lon / 2.0).sin().powi(2);
    2.0 * 6_371_008.8 * h.sqrt().asin()
}

fn length_m(track: &Track) -> f64 {
    track.segments.iter().flat_map(|s| s.windows(2)).map(|w| haversine_m(&w[0], &w[1])).sum()
}

#[test]
fn recorded_files_keep_every_fix() {
    for (name, points, untimed, implausible, segments, metres) in FILES {
        let Some(bytes) = shared(name) else { continue };
        let track = read(&bytes).unwrap();
        assert_eq!(
            (track.points, track.untimed, track.implausible_times, track.segments.len()),
            (points, untimed, implausible, segments),
            "{name}"
        );
        assert_eq!(track.segments.iter().map(Vec::len).sum::<usize>(), points);
        assert_eq!(track.missing_fixes, 0);
        let length = length_m(&track);
        assert!((length - metres).abs() < metres / 100.0, "{name}: {length} m");
    }
}

#[test]
fn a_time_of_1901_is_kept_as_it_is() {
    let Some(bytes) = shared("Mojstrovka.gpx") else { return };
    let first = read(&bytes).unwrap().segments[0][0];
    assert_eq!(first.at_ms, Some(-2_147_483_647_793));
    assert_eq!(first.ele_cm, Some(161_468));
    assert_eq!(first.position.lat_e7, 464_349_810);
}

#[test]
fn waypoints_alone_are_refused() {
    let Some(bytes) = shared("unicode.gpx") else { return };
    let error = read(&bytes).unwrap_err();
    assert!(matches!(error, GpxError::NoFixes { waypoints: 6 }), "{error}");
}

#[test]
fn a_written_track_reads_back_equal_and_has_the_same_key() {
    let mut keys = std::collections::BTreeSet::new();
    for (name, ..) in FILES {
        let Some(bytes) = shared(name) else { continue };
        let track = read(&bytes).unwrap();
        let mut out = Vec::new();
        write_gpx(&track, &mut out).unwrap();
        let again = read(&out).unwrap();
        assert_eq!(again, track, "{name}");
        assert_eq!(track_key(&again), track_key(&track));
        assert_eq!(track_key(&track).len(), 64);
        assert!(keys.insert(track_key(&track)), "two tracks share a key");
    }
}

fn gpx(inner: &str) -> Vec<u8> {
    let head = "<gpx version=\"1.1\" creator=\"t\" xmlns=\"http://www.topografix.com/GPX/1/1\">";
    format!("{head}{inner}</gpx>").into_bytes()
}

fn one_fix(lat: &str, lon: &str) -> Vec<u8> {
    gpx(&format!("<trk><trkseg><trkpt lat=\"{lat}\" lon=\"{lon}\"/></trkseg></trk>"))
}

#[test]
fn the_key_follows_the_fixes_and_nothing_else() {
    let key = |bytes: &[u8]| track_key(&read(bytes).unwrap());
    let named = gpx("<trk><name>a</name><trkseg><trkpt lat=\"1\" lon=\"2\"/></trkseg></trk>");
    assert_eq!(key(&one_fix("1", "2")), key(&named));
    assert_eq!(key(&one_fix("1", "2")), key(&one_fix("1.00000001", "2")));
    assert_ne!(key(&one_fix("1", "2")), key(&one_fix("1.0000001", "2")));
    let split = |inner: &str| {
        gpx(&format!(
            "<trk><trkseg><trkpt lat=\"1\" lon=\"2\"/>{inner}<trkpt lat=\"1\" lon=\"3\"/></trkseg></trk>"
        ))
    };
    assert_ne!(key(&split("")), key(&split("</trkseg><trkseg>")));
}

#[test]
fn a_fix_at_zero_is_no_fix() {
    let bytes =
        gpx("<trk><trkseg><trkpt lat=\"0\" lon=\"0\"/><trkpt lat=\"1\" lon=\"2\"/></trkseg></trk>");
    let track = read(&bytes).unwrap();
    assert_eq!((track.points, track.missing_fixes), (1, 1));
    assert!(matches!(read(&one_fix("0", "0")), Err(GpxError::NoFixes { waypoints: 0 })));
}

#[test]
fn what_is_not_gpx_is_refused_with_words() {
    let deep = format!("{}{}", "<a>".repeat(200_000), "</a>".repeat(200_000));
    let deep = gpx(&format!("<extensions>{deep}</extensions>"));
    let entities = b"<?xml version=\"1.0\"?><!DOCTYPE g [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \
        \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\"><!ENTITY d \
        \"&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;\"><!ENTITY e \"&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;\"><!ENTITY f \
        \"&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;\"><!ENTITY g \"&f;&f;&f;&f;&f;&f;&f;&f;&f;&f;\">]>\
        <gpx version=\"1.1\" creator=\"t\"><metadata><name>&g;&g;&g;</name></metadata></gpx>";
    let cases: Vec<Vec<u8>> = vec![
        b"not xml".to_vec(),
        b"<gpx version=\"1.1\"><trk><trkseg>".to_vec(),
        b"<html></html>".to_vec(),
        vec![0xFF, 0xFE, 0x00, 0x01],
        vec![0; 1024],
        b"PK\x03\x04".to_vec(),
        one_fix("91", "2"),
        one_fix("NaN", "2"),
        one_fix("x", "2"),
        gpx(
            "<trk><trkseg><trkpt lat=\"1\" lon=\"2\"><time>yesterday</time></trkpt></trkseg></trk>",
        ),
        entities.to_vec(),
        deep,
    ];
    for bytes in cases {
        let start = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned();
        let Err(error) = read(&bytes) else { panic!("read: {start}") };
        assert!(error.to_string().len() > 20, "{error}");
    }
    assert!(matches!(read(b""), Err(GpxError::Empty)));
    let huge = vec![b' '; yaoguan_exchange::limits::MAX_FILE_BYTES + 1];
    assert!(matches!(read(&huge), Err(GpxError::TooLarge { .. })));
}

#[test]
fn the_track_of_a_patrol_goes_out_as_gpx_and_geojson_with_every_fix() {
    use yaoguan_model::Position;
    let fix = |n: i64, at_ms| {
        let position = Position { lat_e7: 246_000_000 + n, lon_e7: 992_000_000 };
        Fix { position, at_ms, accuracy_cm: Some(512), ele_cm: at_ms.map(|_| 168_123) }
    };
    let at = 1_795_492_800_000;
    let segments = [vec![fix(0, Some(at)), fix(1, None)], vec![], vec![fix(2, Some(at + 1))]];
    let mut out = Vec::new();
    let track = Track::of_fixes(Some("patrol".to_owned()), segments.to_vec());
    write_gpx(&track, &mut out).unwrap();
    let back = read(&out).unwrap();
    let bare = |fix: &Fix| Fix { accuracy_cm: None, ..*fix };
    let bare: Vec<Vec<Fix>> = track.segments.iter().map(|s| s.iter().map(bare).collect()).collect();
    assert_eq!((back.segments.clone(), back.points), (bare, 3));
    let mut out = Vec::new();
    yaoguan_exchange::export::write_track_geojson(&segments, &mut out).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert!(String::from_utf8(out).unwrap().parse::<geojson::GeoJson>().is_ok());
    let first = &json["features"][0];
    assert_eq!(first["geometry"]["type"], "LineString");
    assert_eq!(first["properties"]["coordTimes"][0], "2026-11-24T04:00:00.000Z");
    assert!(first["properties"]["coordTimes"][1].is_null());
    assert_eq!(first["properties"]["accuracies"][0], 5.12);
    let of_first = &first["geometry"]["coordinates"];
    assert_eq!(
        (of_first[0][2].as_f64(), of_first[1].as_array().unwrap().len()),
        (Some(1681.23), 2)
    );
    assert_eq!(json["features"][1]["geometry"]["type"], "Point");
    assert!(json["features"].get(2).is_none());
}
