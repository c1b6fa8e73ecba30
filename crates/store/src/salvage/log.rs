//! The write-ahead log of a program that was killed: was its end cut off, or was it damaged?
//!
//! SQLite believes a log up to the first frame whose checksum is wrong, and forgets the rest without a
//! word. After a power cut that is right: with `synchronous=FULL` only the last transaction can be torn.
//! Where more than one commit lies beyond the wrong frame, saves that were acknowledged would go. The
//! checksums are then made anew without that frame; that no page is believed which this store did not write
//! is for SQLCipher, which authenticates each with its number.
//!
//! The format: <https://www.sqlite.org/fileformat2.html#the_write_ahead_log>.

const HEADER_BYTES: usize = 32;
const FRAME_HEADER_BYTES: usize = 24;
const PAGE_BYTES: usize = 4_096;
const FRAME_BYTES: usize = FRAME_HEADER_BYTES + PAGE_BYTES;
/// Magic number (checksums over little-endian words), version, page size.
const MAGIC: [u8; 4] = [0x37, 0x7F, 0x06, 0x82];
const VERSION: u32 = 3_007_000;

type Sum = (u32, u32);

fn word(bytes: &[u8], at: usize) -> u32 {
    let four = bytes.get(at..at + 4).and_then(|four| four.try_into().ok());
    four.map_or(0, u32::from_be_bytes)
}

/// The checksum of `bytes` after `sum`.
fn checksum(mut sum: Sum, bytes: &[u8]) -> Sum {
    let little = |four: &[u8]| four.try_into().map_or(0, u32::from_le_bytes);
    for pair in bytes.chunks_exact(8) {
        let (first, second) = pair.split_at(4);
        sum.0 = sum.0.wrapping_add(little(first)).wrapping_add(sum.1);
        sum.1 = sum.1.wrapping_add(little(second)).wrapping_add(sum.0);
    }
    sum
}

/// One page that a transaction wrote.
struct Frame<'a>(&'a [u8]);

impl Frame<'_> {
    fn salts(&self) -> (u32, u32) {
        (word(self.0, 8), word(self.0, 12))
    }
    fn is_commit(&self) -> bool {
        word(self.0, 4) > 0
    }
    fn said(&self) -> Sum {
        (word(self.0, 16), word(self.0, 20))
    }
    fn sum(&self, before: Sum) -> Sum {
        let (head, page) = self.0.split_at(FRAME_HEADER_BYTES);
        checksum(checksum(before, head.get(..8).unwrap_or_default()), page)
    }
}

/// The log without its wrong frames, when saves that were acknowledged lie beyond the first of them; none
/// for a log that SQLite reads as it should.
pub fn repaired(log: &[u8]) -> Option<Vec<u8>> {
    let (header, body) = log.split_at_checked(HEADER_BYTES)?;
    let frames: Vec<Frame<'_>> = body.chunks_exact(FRAME_BYTES).map(Frame).collect();
    let mut sum = checksum((0, 0), header.get(..24)?);
    let known = header.get(..4)? == MAGIC && word(header, 4) == VERSION;
    let sound = known && sum == (word(header, 24), word(header, 28));
    let salts = if sound { (word(header, 16), word(header, 20)) } else { frames.first()?.salts() };
    let mut first = None;
    if !sound {
        first = Some(0);
    }
    let mut good = Vec::new();
    for (at, frame) in frames.iter().enumerate() {
        let own = frame.sum(sum);
        if frame.salts() == salts && own == frame.said() {
            sum = own;
            good.push(frame);
            continue;
        }
        if frames.iter().skip(at).all(|later| later.salts() != salts) {
            break;
        }
        // Of a log with a wrong header the first checksum cannot be known.
        let next = frames.get(at + 1);
        let only_its_sum = next.is_some_and(|next| next.sum(own) == next.said());
        if only_its_sum || (!sound && at == 0) {
            good.push(frame);
        }
        first.get_or_insert(at);
        sum = if only_its_sum { own } else { frame.said() };
    }
    let beyond = frames.iter().skip(first?).filter(|f| f.salts() == salts && f.is_commit()).count();
    let acknowledged = if sound { 2 } else { 1 };
    (beyond >= acknowledged).then(|| written(salts, word(header, 12), &good))
}

fn written(salts: (u32, u32), checkpoint: u32, frames: &[&Frame<'_>]) -> Vec<u8> {
    let mut log = MAGIC.to_vec();
    for number in [VERSION, PAGE_BYTES as u32, checkpoint, salts.0, salts.1] {
        log.extend(number.to_be_bytes());
    }
    let mut sum = checksum((0, 0), &log);
    let put = |log: &mut Vec<u8>, (a, b): (u32, u32)| {
        log.extend(a.to_be_bytes());
        log.extend(b.to_be_bytes());
    };
    put(&mut log, sum);
    for frame in frames {
        sum = frame.sum(sum);
        let (head, page) = frame.0.split_at(FRAME_HEADER_BYTES);
        log.extend(head.get(..8).unwrap_or_default());
        put(&mut log, salts);
        put(&mut log, sum);
        log.extend(page);
    }
    log
}
