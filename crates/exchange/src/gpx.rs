//! Tracks in and out: GPX 1.0 and 1.1 (topografix.com/GPX/1/1).
//!
//! Every fix of a file is kept as what it is: without a time, or dated 1901, it still is a place that
//! was passed. Only 0,0 is left out, since it is the mark of a missing fix. Waypoints and routes are not
//! tracks. Lengths and gaps are reckoned elsewhere.

use std::io::{self, Write};

use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use yaoguan_model::Position;
use yaoguan_model::geodesy::Fix;

use crate::error::GpxError;
use crate::limits::{MAX_FILE_BYTES, MAX_XML_DEPTH};

/// 1980-01-06, the first day of GPS time (IS-GPS-200): no receiver took a fix before it.
const FIRST_PLAUSIBLE_MS: i64 = 315_964_800_000;
/// 2100-01-01.
const LAST_PLAUSIBLE_MS: i64 = 4_102_444_800_000;
/// Metres in an elevation beyond which it is no elevation.
const MAX_ELEVATION_M: f64 = 100_000.0;

/// The tracks of one file as one track; a segment is a stretch without interruption.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Track {
    /// The name of the first track that has one.
    pub name: Option<String>,
    /// As in the file, empty ones too.
    pub segments: Vec<Vec<Fix>>,
    /// Fixes without a time.
    pub untimed: usize,
    /// Fixes dated before 1980-01-06 or after 2099.
    pub implausible_times: usize,
    /// Fixes in all.
    pub points: usize,
    /// Points at 0,0, which were left out.
    pub missing_fixes: usize,
}

impl Track {
    /// The track of a patrol, so that [`write_gpx`] can write it.
    pub fn of_fixes(name: Option<String>, segments: Vec<Vec<Fix>>) -> Self {
        let points = segments.iter().map(Vec::len).sum();
        Self { name, segments, points, ..Self::default() }
    }
}

/// Reads a track.
pub fn read(bytes: &[u8]) -> Result<Track, GpxError> {
    if bytes.is_empty() {
        return Err(GpxError::Empty);
    }
    if bytes.len() > MAX_FILE_BYTES {
        return Err(GpxError::TooLarge { max: MAX_FILE_BYTES });
    }
    if depth(bytes) > MAX_XML_DEPTH {
        return Err(GpxError::TooDeep { max: MAX_XML_DEPTH });
    }
    let file = gpx::read(bytes)?;
    let mut track = Track::default();
    for part in &file.tracks {
        if track.name.is_none() {
            track.name.clone_from(&part.name);
        }
        for segment in &part.segments {
            let points = segment.points.len();
            let fixes: Vec<Fix> = segment.points.iter().filter_map(fix).collect();
            track.missing_fixes += points - fixes.len();
            track.segments.push(fixes);
        }
    }
    for fix in track.segments.iter().flatten() {
        track.points += 1;
        match fix.at_ms {
            None => track.untimed += 1,
            Some(FIRST_PLAUSIBLE_MS..LAST_PLAUSIBLE_MS) => {}
            Some(_) => track.implausible_times += 1,
        }
    }
    if track.points == 0 {
        return Err(GpxError::NoFixes { waypoints: file.waypoints.len() });
    }
    Ok(track)
}

/// How deep tags are nested, by their signs alone: `<a` opens, `</a` and `/>` close.
fn depth(xml: &[u8]) -> usize {
    let (mut depth, mut deepest, mut before) = (0_usize, 0, b' ');
    for byte in xml {
        match (before, byte) {
            (b'<', b'/') | (b'/', b'>') => depth = depth.saturating_sub(1),
            (b'<', b'!' | b'?') => {}
            (b'<', _) => depth += 1,
            _ => {}
        }
        deepest = deepest.max(depth);
        before = *byte;
    }
    deepest
}

fn fix(point: &gpx::Waypoint) -> Option<Fix> {
    let (lon, lat) = point.point().x_y();
    let position = Position::from_degrees(lat, lon)?;
    if position == (Position { lat_e7: 0, lon_e7: 0 }) {
        return None;
    }
    let millis = |time: gpx::Time| {
        i64::try_from(OffsetDateTime::from(time).unix_timestamp_nanos().div_euclid(1_000_000)).ok()
    };
    let elevation = point.elevation.filter(|metres| metres.abs() <= MAX_ELEVATION_M);
    Some(Fix {
        position,
        at_ms: point.time.and_then(millis),
        accuracy_cm: None,
        ele_cm: elevation.map(|metres| (metres * 100.0).round() as i64),
    })
}

/// SHA-256 in hexadecimal over segments and fixes: equal for a second import of the same track,
/// whatever its file is called or says beside the fixes.
pub fn track_key(track: &Track) -> String {
    let mut hash = Sha256::new();
    let number = |n: Option<i64>| n.map_or_else(|| "-".to_owned(), |n| n.to_string());
    for segment in track.segments.iter().filter(|segment| !segment.is_empty()) {
        hash.update(b"segment\n");
        for Fix { position, at_ms, ele_cm, .. } in segment {
            let (lat, lon) = (position.lat_e7, position.lon_e7);
            hash.update(format!("{lat},{lon},{},{}\n", number(*at_ms), number(*ele_cm)));
        }
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes GPX 1.1, which has no accuracy in metres. The bytes depend on the track alone. Reading them back gives
/// the same fixes.
pub fn write_gpx(track: &Track, out: &mut impl Write) -> io::Result<()> {
    out.write_all(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")?;
    out.write_all(b"<gpx version=\"1.1\" creator=\"Smart Yaoguan\" ")?;
    out.write_all(b"xmlns=\"http://www.topografix.com/GPX/1/1\">\n<trk>\n")?;
    if let Some(name) = &track.name {
        writeln!(out, "<name>{}</name>", escaped(name))?;
    }
    for segment in &track.segments {
        out.write_all(b"<trkseg>\n")?;
        for fix in segment {
            let (lat, lon) = (fix.position.lat_e7, fix.position.lon_e7);
            let (lat, lon) = (crate::export::fixed(lat, 7), crate::export::fixed(lon, 7));
            write!(out, "<trkpt lat=\"{lat}\" lon=\"{lon}\">")?;
            if let Some(ele_cm) = fix.ele_cm {
                write!(out, "<ele>{}</ele>", crate::export::fixed(ele_cm, 2))?;
            }
            if let Some(time) = fix.at_ms.and_then(chrono::DateTime::from_timestamp_millis) {
                write!(out, "<time>{}</time>", time.format("%Y-%m-%dT%H:%M:%S%.3fZ"))?;
            }
            out.write_all(b"</trkpt>\n")?;
        }
        out.write_all(b"</trkseg>\n")?;
    }
    out.write_all(b"</trk>\n</gpx>\n")
}

/// XML text; characters that XML 1.0 §2.2 does not have are left out.
fn escaped(text: &str) -> String {
    let mut xml = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '\t' | '\n' | '\r' => xml.push(' '),
            '\u{FFFE}' | '\u{FFFF}' => {}
            c if c.is_control() => {}
            c => xml.push(c),
        }
    }
    xml
}
