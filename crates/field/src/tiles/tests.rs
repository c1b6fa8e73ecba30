//! A file made here, by a writer that shares nothing with the reader.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use yaoguan_media::pmtiles::tile_id;

use super::*;

fn varint(mut value: u64, into: &mut Vec<u8>) {
    while value >= 0x80 {
        into.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    into.push(value as u8);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// `(tile, run, length, offset)`.
fn directory(entries: &[(u64, u64, u64, u64)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    varint(entries.len() as u64, &mut bytes);
    let mut last = 0;
    for entry in entries {
        varint(entry.0 - last, &mut bytes);
        last = entry.0;
    }
    entries.iter().for_each(|entry| varint(entry.1, &mut bytes));
    entries.iter().for_each(|entry| varint(entry.2, &mut bytes));
    entries.iter().for_each(|entry| varint(entry.3 + 1, &mut bytes));
    gzip(&bytes)
}

/// Level 0 is "whole"; level 1 is one run of "quarter"; tile 2/3/3 stands behind a leaf directory.
fn archive(tile_packing: u8) -> Vec<u8> {
    let pack = |bytes: &[u8]| if tile_packing == 2 { gzip(bytes) } else { bytes.to_vec() };
    let (whole, quarter, deep) = (pack(b"whole"), pack(b"quarter"), pack(b"deep"));
    let (w, q, d) = (whole.len() as u64, quarter.len() as u64, deep.len() as u64);
    let leaf = directory(&[(tile_id(2, 3, 3).unwrap(), 1, d, w + q)]);
    let root = directory(&[(0, 1, w, 0), (1, 4, q, w), (5, 0, leaf.len() as u64, 0)]);
    let metadata = gzip(br#"{"attribution":"of the test","vector_layers":[{"id":"roads"}]}"#);
    let data: Vec<u8> = [whole, quarter, deep].concat();
    let mut head = Vec::from(*b"PMTiles\x03");
    let mut at = 127;
    for part in [&root, &metadata, &leaf, &data] {
        head.extend(u64::to_le_bytes(at));
        head.extend(u64::to_le_bytes(part.len() as u64));
        at += part.len() as u64;
    }
    head.extend([0; 24]);
    head.extend([1, 2, tile_packing, 2, 0, 2]);
    for degrees in [99.1, 24.5, 99.3, 24.7] {
        head.extend(((degrees * 1e7) as i32).to_le_bytes());
    }
    head.resize(127, 0);
    [head, root, metadata, leaf, data].concat()
}

fn installed(bytes: &[u8]) -> (tempfile::TempDir, Result<TilesShown, FieldError>) {
    let dir = tempfile::tempdir().unwrap();
    let shown = install(dir.path(), &mut &*bytes);
    (dir, shown)
}

#[test]
fn tiles_are_numbered_as_the_specification_says() {
    let known = [
        ((0, 0, 0), 0),
        ((1, 0, 0), 1),
        ((1, 0, 1), 2),
        ((1, 1, 1), 3),
        ((1, 1, 0), 4),
        ((2, 0, 0), 5),
        ((12, 3423, 1763), 19_078_479),
    ];
    for ((zoom, x, y), id) in known {
        assert_eq!(tile_id(zoom, x, y), Some(id), "{zoom}/{x}/{y}");
    }
    assert_eq!(tile_id(1, 2, 0), None);
    assert_eq!(tile_id(40, 0, 0), None);
    let level: std::collections::BTreeSet<u64> =
        (0..64).map(|n| tile_id(3, n % 8, n / 8).unwrap()).collect();
    assert_eq!((level.len(), level.first(), level.last()), (64, Some(&21), Some(&84)));
}

#[test]
fn tiles_are_found_in_root_and_leaf_and_are_unpacked() {
    for packing in [1, 2] {
        let (dir, shown) = installed(&archive(packing));
        let shown = shown.unwrap();
        assert_eq!((shown.kind, shown.min_zoom, shown.max_zoom), (TileKind::Png, 0, 2));
        assert_eq!(
            (shown.layers, shown.attribution.as_str()),
            (vec!["roads".to_owned()], "of the test")
        );
        assert!((shown.bounds[0] - 99.1).abs() < 1e-6 && (shown.bounds[3] - 24.7).abs() < 1e-6);
        let tiles = open(dir.path()).unwrap();
        let of = |zoom, x, y| tiles.tile(zoom, x, y).unwrap().map(|tile| tile.bytes);
        assert_eq!(of(0, 0, 0).as_deref(), Some(&b"whole"[..]));
        for (x, y) in [(0, 0), (0, 1), (1, 1), (1, 0)] {
            assert_eq!(of(1, x, y).as_deref(), Some(&b"quarter"[..]));
        }
        assert_eq!(of(2, 3, 3).as_deref(), Some(&b"deep"[..]));
        assert_eq!(of(2, 0, 0), None);
        assert_eq!(of(9, 0, 0), None);
    }
}

#[test]
fn a_file_that_is_no_map_is_refused_and_the_one_before_stays() {
    let (dir, shown) = installed(&archive(2));
    shown.unwrap();
    for bytes in [&b"PMTiles\x02"[..], b"", &archive(3), &archive(2)[..200]] {
        let refused = install(dir.path(), &mut &*bytes);
        assert!(matches!(refused, Err(FieldError::BadMap(_))), "{refused:?}");
    }
    assert_eq!(open(dir.path()).unwrap().tile(0, 0, 0).unwrap().unwrap().bytes, b"whole");
    remove(dir.path()).unwrap();
    assert!(open(dir.path()).is_none());
}

#[test]
fn a_file_with_any_byte_altered_never_does_worse_than_an_error() {
    let whole = archive(1);
    let dir = tempfile::tempdir().unwrap();
    for at in 0..whole.len() {
        let mut altered = whole.clone();
        altered[at] ^= 0xff;
        std::fs::write(dir.path().join("map.pmtiles"), &altered).unwrap();
        let Some(tiles) = open(dir.path()) else { continue };
        _ = tiles.about();
        for id in [(0, 0, 0), (1, 1, 0), (2, 3, 3)] {
            _ = tiles.tile(id.0, id.1, id.2);
        }
    }
}
