//! The corpora go through the functions that read bytes of strangers, as they are and a little altered.
//!
//! `SEED` chooses how it is altered.

#![allow(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::path::Path;

use yaoguan_tests::targets::TARGETS;

/// Altered forms of each file.
const ALTERED: u64 = 20;
/// Larger files go as they are: altering them costs more than it finds.
const ALTERED_BYTES: usize = 64 * 1024;

/// xorshift64*, so that a failure can be repeated.
struct Dice(u64);
impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % n.max(1)
    }
}

/// One of the usual accidents: a byte altered, a piece gone, a piece twice, an end cut off.
fn altered(bytes: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let (from, to) = (dice.below(bytes.len()), dice.below(bytes.len()));
    let piece = from.min(to)..from.max(to);
    match dice.below(5) {
        0 => bytes.truncate(from),
        1 => _ = bytes.drain(piece),
        2 => {
            let twice = bytes.get(piece).unwrap_or_default().to_vec();
            bytes.splice(from..from, twice);
        }
        _ => {
            for _ in 0..=dice.below(4) {
                let at = dice.below(bytes.len());
                let byte = dice.below(256) as u8;
                bytes.get_mut(at).into_iter().for_each(|found| *found = byte);
            }
        }
    }
    bytes
}

#[test]
fn what_strangers_send_is_read_or_refused_and_breaks_no_rule() {
    let seed = std::env::var("SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(20_261_125);
    println!("SEED={seed}");
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for (name, run) in TARGETS {
        let mut files: Vec<_> =
            std::fs::read_dir(corpus.join(name)).unwrap().map(|e| e.unwrap().path()).collect();
        files.sort();
        let mut dice = Dice(seed);
        for path in &files {
            // Said before it runs: what a panic leaves on the screen.
            println!("{}", path.display());
            let bytes = std::fs::read(path).unwrap();
            run(&bytes);
            let many = if bytes.len() <= ALTERED_BYTES { ALTERED } else { 0 };
            (0..many).for_each(|_| run(&altered(&bytes, &mut dice)));
        }
        println!("{name}: {} files", files.len());
        assert!(!files.is_empty(), "{name} has a corpus");
    }
}
