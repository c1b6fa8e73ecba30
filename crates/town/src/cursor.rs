//! Feed cursors: opaque to phones, authenticated by a MAC that only this town can make.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Bytes of the MAC that travel: 96 bits are beyond guessing against a server that slows wrong tries.
const MAC_BYTES: usize = 12;

/// Where a phone's feed goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The scope that `position` was reached under.
    pub scope_version: u64,
    pub position: u64,
    /// Cells that this scope added are still being read up to `position`.
    pub backfill: Option<Backfill>,
}

/// How far added cells have been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backfill {
    /// The scope version whose cells `position` of the cursor is complete for.
    pub from: u64,
    pub position: u64,
}

/// Writes a cursor for one account in one epoch.
pub fn seal(secret: &[u8], bound_to: &[&[u8]], cursor: Cursor) -> String {
    let mut bytes = varint(cursor.scope_version);
    bytes.extend(varint(cursor.position));
    if let Some(backfill) = cursor.backfill {
        bytes.extend(varint(backfill.from));
        bytes.extend(varint(backfill.position));
    }
    let tag = mac(secret, bound_to, &bytes);
    bytes.extend_from_slice(&tag);
    B64.encode(bytes)
}

/// Reads a cursor; `None` when it was not made here, for this account, in this epoch.
pub fn open(secret: &[u8], bound_to: &[&[u8]], text: &str) -> Option<Cursor> {
    let bytes = B64.decode(text).ok()?;
    let (payload, tag) = bytes.split_at_checked(bytes.len().checked_sub(MAC_BYTES)?)?;
    let expected = mac(secret, bound_to, payload);
    if !bool::from(subtle::ConstantTimeEq::ct_eq(expected.as_slice(), tag)) {
        return None;
    }
    let mut rest = payload;
    let (scope_version, position) = (read_varint(&mut rest)?, read_varint(&mut rest)?);
    let backfill = match rest.is_empty() {
        true => None,
        false => {
            Some(Backfill { from: read_varint(&mut rest)?, position: read_varint(&mut rest)? })
        }
    };
    rest.is_empty().then_some(Cursor { scope_version, position, backfill })
}

fn mac(secret: &[u8], bound_to: &[&[u8]], payload: &[u8]) -> Vec<u8> {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return Vec::new() };
    for part in bound_to.iter().chain([&payload]) {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().iter().take(MAC_BYTES).copied().collect()
}

/// LEB128.
fn varint(mut n: u64) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let low = (n & 0x7F) as u8;
        n >>= 7;
        if n == 0 {
            out.push(low);
            return out;
        }
        out.push(low | 0x80);
    }
}

fn read_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut n = 0_u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        n |= u64::from(first & 0x7F) << shift;
        if first & 0x80 == 0 {
            return Some(n);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const CURSOR: Cursor = Cursor { scope_version: 3, position: 1_234_567, backfill: None };

    #[test]
    fn a_cursor_comes_back_as_it_was() {
        let text = seal(b"secret", &[b"account", b"epoch"], CURSOR);
        assert_eq!(open(b"secret", &[b"account", b"epoch"], &text), Some(CURSOR));
        assert!(text.len() <= 30, "{text}");
        let backfill = Some(Backfill { from: 2, position: 1_000 });
        let cursor = Cursor { backfill, ..CURSOR };
        assert_eq!(open(b"secret", &[], &seal(b"secret", &[], cursor)), Some(cursor));
    }

    #[test]
    fn a_cursor_of_another_town_account_or_epoch_does_not_open() {
        let text = seal(b"secret", &[b"account", b"epoch"], CURSOR);
        assert_eq!(open(b"other", &[b"account", b"epoch"], &text), None);
        assert_eq!(open(b"secret", &[b"accoun", b"tepoch"], &text), None);
        assert_eq!(open(b"secret", &[b"account", b"later"], &text), None);
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let text = seal(b"secret", &[], CURSOR);
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            if changed != text {
                assert_eq!(open(b"secret", &[], &changed), None, "{at}");
            }
        }
    }
}
