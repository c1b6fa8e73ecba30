//! Whole numbers in as few bytes as they need: LEB128, signed ones by zigzag (Protocol Buffers, *Encoding*).

/// Appends an unsigned number.
pub(crate) fn put(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push((n & 0x7F) as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

/// Appends a signed number.
pub(crate) fn put_signed(out: &mut Vec<u8>, n: i64) {
    put(out, (n.wrapping_shl(1) ^ (n >> 63)).cast_unsigned());
}

/// Takes an unsigned number off the front; none when it breaks off or is longer than 64 bits.
pub(crate) fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut n = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let low = u64::from(byte & 0x7F);
        if low.checked_shl(shift)? >> shift != low {
            return None;
        }
        n |= low << shift;
        if byte & 0x80 == 0 {
            return Some(n);
        }
    }
    None
}

/// Takes a signed number off the front.
pub(crate) fn take_signed(bytes: &mut &[u8]) -> Option<i64> {
    let n = take(bytes)?;
    Some((n >> 1).cast_signed() ^ -(n & 1).cast_signed())
}
