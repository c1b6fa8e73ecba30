//! Map files for tests, by a writer that shares nothing with the reader.

fn varint(mut value: u64, into: &mut Vec<u8>) {
    while value >= 0x80 {
        into.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    into.push(value as u8);
}

/// A PMTiles file with one PNG tile 0/0/0 of these bytes; `west` of the bounds in degrees, 0.2 wide.
pub fn pmtiles(tile: &[u8], west: f64) -> Vec<u8> {
    let mut root = Vec::new();
    for value in [1, 0, 1, tile.len() as u64, 1] {
        varint(value, &mut root);
    }
    let metadata = br#"{"attribution":"of the test"}"#.to_vec();
    let mut bytes = Vec::from(*b"PMTiles\x03");
    let mut at = 127_u64;
    for length in [root.len(), metadata.len(), 0, tile.len()] {
        bytes.extend(at.to_le_bytes());
        bytes.extend((length as u64).to_le_bytes());
        at += length as u64;
    }
    bytes.extend([0; 24]);
    // Clustered, directories and tiles plain, PNG, level 0.
    bytes.extend([1, 1, 1, 2, 0, 0]);
    for degrees in [west, 24.5, west + 0.2, 24.7] {
        bytes.extend(((degrees * 1e7) as i32).to_le_bytes());
    }
    bytes.resize(127, 0);
    [bytes, root, metadata, tile.to_vec()].concat()
}
