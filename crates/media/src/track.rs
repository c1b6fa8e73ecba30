//! A track as one immutable file: every fix of a patrol, some four bytes each.
//!
//! `YGT` and a version byte, then one zstd frame: how many fixes each segment has, then the columns:
//! latitudes, longitudes, times, accuracies, and in version 2 elevations. A column is differences in as few bytes
//! as they need; times are differences of differences, since receivers keep their beat. Nothing is rounded and
//! nothing is left out: what is read is what was written. A track without elevations is of version 1.

use std::io::Read as _;

use yaoguan_model::Position;
use yaoguan_model::geodesy::Fix;

use crate::limits::{MAX_FIXES, MAX_TRACK_BYTES};
use crate::varint;

/// First bytes of a track.
pub const MAGIC: &[u8; 3] = b"YGT";
/// Without elevations, and with them.
const PLAIN: u8 = 1;
const WITH_ELEVATIONS: u8 = 2;
const ZSTD_LEVEL: i32 = 19;

/// How a column that may lack values stands.
const NONE: u8 = 0;
const ALL: u8 = 1;
const SOME: u8 = 2;

/// Why bytes are not a track, or fixes not one that can be written.
#[derive(Debug, thiserror::Error)]
pub enum TrackError {
    #[error("not a track")]
    Foreign,
    #[error("a track of version {0}: a later program wrote it")]
    Version(u8),
    #[error("the track is damaged")]
    Damaged,
    #[error("more than {MAX_FIXES} fixes")]
    TooManyFixes,
    #[error(transparent)]
    Zstd(#[from] std::io::Error),
}

/// Writes a track. The bytes depend on the fixes alone.
pub fn encode(segments: &[Vec<Fix>]) -> Result<Vec<u8>, TrackError> {
    let fixes: Vec<&Fix> = segments.iter().flatten().collect();
    if fixes.len() > MAX_FIXES || segments.len() > MAX_FIXES {
        return Err(TrackError::TooManyFixes);
    }
    let mut body = Vec::new();
    varint::put(&mut body, segments.len() as u64);
    segments.iter().for_each(|segment| varint::put(&mut body, segment.len() as u64));
    put_column(&mut body, fixes.iter().map(|fix| fix.position.lat_e7), 1);
    put_column(&mut body, fixes.iter().map(|fix| fix.position.lon_e7), 1);
    let times: Vec<Option<i64>> = fixes.iter().map(|fix| fix.at_ms).collect();
    let whole = times.iter().flatten().all(|ms| ms % 1000 == 0);
    let unit = if whole { 1000 } else { 1 };
    let times: Vec<Option<i64>> = times.iter().map(|ms| ms.map(|ms| ms / unit)).collect();
    body.push(u8::from(whole));
    put_gappy(&mut body, &times, 2);
    let accuracies: Vec<Option<i64>> = fixes.iter().map(|fix| fix.accuracy_cm).collect();
    put_gappy(&mut body, &accuracies, 1);
    let elevations: Vec<Option<i64>> = fixes.iter().map(|fix| fix.ele_cm).collect();
    let is_plain = elevations.iter().all(Option::is_none);
    if !is_plain {
        put_gappy(&mut body, &elevations, 1);
    }
    let mut bytes = MAGIC.to_vec();
    bytes.push(if is_plain { PLAIN } else { WITH_ELEVATIONS });
    bytes.extend(zstd::bulk::compress(&body, ZSTD_LEVEL)?);
    Ok(bytes)
}

/// Reads a track.
pub fn decode(bytes: &[u8]) -> Result<Vec<Vec<Fix>>, TrackError> {
    let (body, version) = unpack(bytes)?;
    let (lengths, mut fixes) = read_body(&body, version).ok_or(TrackError::Damaged)?;
    let segments = lengths.into_iter().map(|n| fixes.by_ref().take(n).collect());
    segments.collect::<Option<_>>().ok_or(TrackError::Damaged)
}

/// Whether [`decode`] would read it; the fixes are looked at where they lie, and never held all together.
pub fn check(bytes: &[u8]) -> Result<(), TrackError> {
    let (body, version) = unpack(bytes)?;
    let (_, mut fixes) = read_body(&body, version).ok_or(TrackError::Damaged)?;
    if fixes.all(|fix| fix.is_some()) { Ok(()) } else { Err(TrackError::Damaged) }
}

fn unpack(bytes: &[u8]) -> Result<(Vec<u8>, u8), TrackError> {
    let (version, frame) = match bytes.split_at_checked(MAGIC.len() + 1) {
        Some(([m @ .., version], frame)) if m == MAGIC => match *version {
            PLAIN | WITH_ELEVATIONS => (*version, frame),
            later => return Err(TrackError::Version(later)),
        },
        Some(_) | None => return Err(TrackError::Foreign),
    };
    let mut body = Vec::new();
    let reader = zstd::stream::read::Decoder::with_buffer(frame)?.single_frame();
    let mut limited = reader.take(MAX_TRACK_BYTES + 1);
    limited.read_to_end(&mut body)?;
    let left = limited.into_inner().finish();
    if body.len() as u64 > MAX_TRACK_BYTES || !left.is_empty() {
        return Err(TrackError::Damaged);
    }
    Ok((body, version))
}

/// The lengths of the segments, and their fixes one after the other; a fix that none can be is `None`.
fn read_body(
    mut body: &[u8],
    version: u8,
) -> Option<(Vec<usize>, impl Iterator<Item = Option<Fix>>)> {
    let bytes = &mut body;
    let segments = count(bytes)?;
    let lengths: Vec<usize> = (0..segments).map(|_| count(bytes)).collect::<Option<_>>()?;
    let fixes = lengths.iter().try_fold(0_usize, |sum, n| sum.checked_add(*n))?;
    if fixes > MAX_FIXES {
        return None;
    }
    let mut lats = Column::take(bytes, fixes, 1)?;
    let mut lons = Column::take(bytes, fixes, 1)?;
    let unit = if take_byte(bytes)? == 1 { 1000 } else { 1 };
    let mut times = Gappy::take(bytes, fixes, 2)?;
    let mut accuracies = Gappy::take(bytes, fixes, 1)?;
    let mut elevations = match version {
        WITH_ELEVATIONS => Some(Gappy::take(bytes, fixes, 1)?),
        _ => None,
    };
    if !bytes.is_empty() {
        return None;
    }
    let fixes = (0..fixes).map(move |_| {
        let position = Position { lat_e7: lats.next()?, lon_e7: lons.next()? };
        let at_ms = match times.next()? {
            Some(time) => Some(time.checked_mul(unit)?),
            None => None,
        };
        let accuracy_cm = accuracies.next()?;
        let ele_cm = match &mut elevations {
            Some(column) => column.next()?,
            None => None,
        };
        let on_earth = position.lat_e7.unsigned_abs() <= 900_000_000
            && position.lon_e7.unsigned_abs() <= 1_800_000_000;
        on_earth.then_some(Fix { position, at_ms, accuracy_cm, ele_cm })
    });
    Some((lengths, fixes))
}

/// A number of things that follow: never more than there are bytes for.
fn count(bytes: &mut &[u8]) -> Option<usize> {
    let n = usize::try_from(varint::take(bytes)?).ok()?;
    (n <= MAX_FIXES).then_some(n)
}

fn take_byte(bytes: &mut &[u8]) -> Option<u8> {
    let (byte, rest) = bytes.split_first()?;
    *bytes = rest;
    Some(*byte)
}

/// Differences, `order` times. They wrap around: every number comes back exactly.
fn put_column(out: &mut Vec<u8>, values: impl Iterator<Item = i64>, order: u8) {
    let (mut before, mut step) = (0_i64, 0_i64);
    for value in values {
        let difference = value.wrapping_sub(before);
        varint::put_signed(out, difference.wrapping_sub(step));
        before = value;
        step = if order == 2 { difference } else { 0 };
    }
}

/// A column, read where it lies.
struct Column<'a> {
    bytes: &'a [u8],
    order: u8,
    before: i64,
    step: i64,
}

impl<'a> Column<'a> {
    /// Takes `n` values off the front; none when there are fewer.
    fn take(bytes: &mut &'a [u8], n: usize, order: u8) -> Option<Self> {
        let all = *bytes;
        for _ in 0..n {
            varint::take(bytes)?;
        }
        let of_column = all.len() - bytes.len();
        Some(Self { bytes: all.get(..of_column)?, order, before: 0, step: 0 })
    }
}

impl Iterator for Column<'_> {
    type Item = i64;

    fn next(&mut self) -> Option<i64> {
        let difference = varint::take_signed(&mut self.bytes)?.wrapping_add(self.step);
        self.before = self.before.wrapping_add(difference);
        self.step = if self.order == 2 { difference } else { 0 };
        Some(self.before)
    }
}

fn put_gappy(out: &mut Vec<u8>, values: &[Option<i64>], order: u8) {
    let there = values.iter().flatten().count();
    let state = match there {
        0 => NONE,
        n if n == values.len() => ALL,
        _ => SOME,
    };
    out.push(state);
    if state == SOME {
        out.extend(values.iter().map(|value| u8::from(value.is_some())));
    }
    put_column(out, values.iter().flatten().copied(), order);
}

/// A column that may lack values, read where it lies.
struct Gappy<'a> {
    /// One byte a fix where some have a value and some have none.
    there: Option<&'a [u8]>,
    none: bool,
    values: Column<'a>,
}

impl<'a> Gappy<'a> {
    fn take(bytes: &mut &'a [u8], n: usize, order: u8) -> Option<Self> {
        let (there, count) = match take_byte(bytes)? {
            NONE => (None, 0),
            ALL => (None, n),
            SOME => {
                let (there, rest) = bytes.split_at_checked(n)?;
                *bytes = rest;
                (Some(there), there.iter().filter(|byte| **byte == 1).count())
            }
            _ => return None,
        };
        let values = Column::take(bytes, count, order)?;
        Some(Self { there, none: there.is_none() && count == 0, values })
    }
}

impl Iterator for Gappy<'_> {
    type Item = Option<i64>;

    fn next(&mut self) -> Option<Option<i64>> {
        let is_there = match &mut self.there {
            Some(there) => *there.split_off_first()? == 1,
            None => !self.none,
        };
        Some(if is_there { Some(self.values.next()?) } else { None })
    }
}
