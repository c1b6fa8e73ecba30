//! Files at rest: what was sealed comes back, and nothing else does.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails where it stands"
)]

use std::io::Cursor;

use proptest::prelude::*;
use yaoguan_media::seal::{CHUNK_BYTES, seal};
use yaoguan_media::{Purpose, SealError, SealKey, Sealed};
use yaoguan_model::env::System;

const HEADER_BYTES: usize = 23;
const SEALED_CHUNK: usize = CHUNK_BYTES + 16;

fn key(n: u8) -> SealKey {
    SealKey::derive(&[n; 32], Purpose::Blobs)
}

fn plain(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n * 31 % 251) as u8).collect()
}

fn open(sealed: &[u8], key: &SealKey) -> Result<Vec<u8>, SealError> {
    Sealed::open(key, Cursor::new(sealed))?.read_all()
}

#[test]
fn every_length_around_a_chunk_comes_back() {
    for length in [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES + 7] {
        let sealed = seal(&key(1), &plain(length), &System);
        let mut open = Sealed::open(&key(1), Cursor::new(&sealed)).unwrap();
        assert_eq!(open.len(), length as u64);
        assert_eq!(open.read_all().unwrap(), plain(length));
        assert_eq!(sealed.len(), HEADER_BYTES + length + 16 * length.div_ceil(CHUNK_BYTES).max(1));
    }
}

#[test]
fn another_key_opens_nothing() {
    let sealed = seal(&key(1), &plain(100), &System);
    assert!(matches!(open(&sealed, &key(2)), Err(SealError::Broken(0))));
}

#[test]
fn what_is_sealed_twice_never_looks_the_same_and_shows_nothing() {
    let canary = b"canary-of-a-household".repeat(10);
    let (a, b) = (seal(&key(1), &canary, &System), seal(&key(1), &canary, &System));
    assert_ne!(a, b);
    assert!(!a.windows(6).any(|w| w == b"canary"));
}

#[test]
fn a_cut_anywhere_is_found_when_the_file_is_opened() {
    let sealed = seal(&key(1), &plain(2 * CHUNK_BYTES + 5), &System);
    let borders = [0, 1, HEADER_BYTES - 1, HEADER_BYTES, HEADER_BYTES + 15];
    let chunks = [1, 2].map(|n| HEADER_BYTES + n * SEALED_CHUNK);
    let near = chunks.into_iter().flat_map(|at| at - 1..=at + 17);
    for end in borders.into_iter().chain(near).chain([sealed.len() - 1]) {
        if end < sealed.len() {
            let cut = Sealed::open(&key(1), Cursor::new(&sealed[..end]));
            assert!(cut.is_err(), "cut at {end}");
        }
    }
}

#[test]
fn chunks_in_another_order_twice_or_of_another_file_are_found() {
    let sealed = seal(&key(1), &plain(3 * CHUNK_BYTES), &System);
    let chunk = |n: usize| HEADER_BYTES + n * SEALED_CHUNK..HEADER_BYTES + (n + 1) * SEALED_CHUNK;
    let mut swapped = sealed.clone();
    swapped[chunk(0)].copy_from_slice(&sealed[chunk(1)]);
    swapped[chunk(1)].copy_from_slice(&sealed[chunk(0)]);
    assert!(matches!(open(&swapped, &key(1)), Err(SealError::Broken(0))));
    let mut twice = sealed.clone();
    twice[chunk(1)].copy_from_slice(&sealed[chunk(0)]);
    assert!(matches!(open(&twice, &key(1)), Err(SealError::Broken(1))));
    let other = seal(&key(1), &plain(3 * CHUNK_BYTES), &System);
    let mut mixed = sealed.clone();
    mixed[chunk(1)].copy_from_slice(&other[chunk(1)]);
    assert!(matches!(open(&mixed, &key(1)), Err(SealError::Broken(1))));
    // The chunks around it are still there for whoever mends it.
    let mut file = Sealed::open(&key(1), Cursor::new(&mixed)).unwrap();
    assert_eq!(file.read(0..CHUNK_BYTES as u64).unwrap(), plain(CHUNK_BYTES));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_range_is_what_stands_there(from in 0_u64..200_000, length in 0_u64..150_000) {
        let whole = plain(170_000);
        let sealed = seal(&key(1), &whole, &System);
        let mut file = Sealed::open(&key(1), Cursor::new(&sealed)).unwrap();
        let clip = |at: u64| usize::try_from(at).unwrap().min(whole.len());
        let expected = &whole[clip(from)..clip(from + length)];
        prop_assert_eq!(file.read(from..from + length).unwrap(), expected);
    }

    #[test]
    fn a_flipped_bit_is_found(at in 0_usize..140_000, bit in 0_u8..8) {
        let mut sealed = seal(&key(1), &plain(140_000), &System);
        sealed[at] ^= 1 << bit;
        prop_assert!(open(&sealed, &key(1)).is_err());
    }
}
