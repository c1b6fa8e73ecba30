//! Everything that reads bytes of strangers, as one function of bytes for each. The suite `replay` runs them over
//! `tests/corpus/<name>/`, as it is and altered; the functions are such as libFuzzer calls.
//!
//! A target panics where a rule is broken: what is read and written again is the same, and nothing else happens to
//! anybody's bytes than that they are read or refused.

#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a target fails where it stands"
)]

use yaoguan_exchange::{Mapping, gpx, table};
use yaoguan_media::track;
use yaoguan_model::{Record, canonical, merge, schema};
use yaoguan_wire::{
    EnrolRequest, ErrorBody, Invite, MissingRequest, ReconcileRequest, ReconcileResponse,
    SyncRequest, SyncResponse, body, packing, proof,
};

/// Name, and what it does with bytes.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: &[Target] = &[
    ("wire", wire),
    ("record", record),
    ("track", of_track),
    ("photo", photo),
    ("gpx", of_gpx),
    ("table", of_table),
    ("mapping", mapping),
    ("qr", qr),
    ("proof", of_proof),
];

/// A body of a request or an answer; the first byte says whether it is compressed.
pub fn wire(bytes: &[u8]) {
    let Some((first, bytes)) = bytes.split_first() else { return };
    let zstd = first & 1 == 1;
    if let Ok(request) = body::decode::<SyncRequest>(bytes, zstd) {
        again(&request);
        for packed in request.records {
            packing::unpack(&request.replicas, packed).iter().for_each(is_sound);
        }
    }
    if let Ok(answer) = body::decode::<SyncResponse>(bytes, zstd) {
        again(&answer);
    }
    body::decode::<ReconcileRequest>(bytes, zstd).iter().for_each(again);
    body::decode::<ReconcileResponse>(bytes, zstd).iter().for_each(again);
    body::decode::<MissingRequest>(bytes, zstd).iter().for_each(again);
    body::decode::<EnrolRequest>(bytes, zstd).iter().for_each(again);
    body::decode::<ErrorBody>(bytes, zstd).iter().for_each(again);
}

fn again<T>(message: &T)
where
    T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let encoded = body::encode(message).unwrap();
    assert_eq!(&body::decode::<T>(&encoded.bytes, encoded.zstd).unwrap(), message);
}

/// A record in its canonical form.
pub fn record(bytes: &[u8]) {
    canonical::decode(bytes).iter().for_each(is_sound);
}

/// It is written as one text and no other, is read back from it, and merges with itself to itself.
fn is_sound(record: &Record) {
    let text = canonical::encode(record);
    let back = canonical::decode(&text).unwrap();
    assert_eq!(&back, record);
    assert_eq!(canonical::encode(&back), text);
    _ = schema::validate(record);
    _ = schema::check_limits(record, text.len());
    if let Ok(merged) = merge(record, record) {
        assert_eq!(&merged.record, record);
    }
}

/// A track as a file.
pub fn of_track(bytes: &[u8]) {
    assert_eq!(track::check(bytes).is_ok(), track::decode(bytes).is_ok());
    if let Ok(segments) = track::decode(bytes) {
        let written = track::encode(&segments).unwrap();
        assert_eq!(track::decode(&written).unwrap(), segments);
        _ = yaoguan_model::geodesy::summarise(&yaoguan_model::geodesy::believed(&segments));
    }
    // The same without the frame around it, where most of the format is.
    let mut framed = b"YGT\x02".to_vec();
    framed.extend(zstd::bulk::compress(bytes, 1).unwrap());
    if let Ok(segments) = track::decode(&framed) {
        let written = track::encode(&segments).unwrap();
        assert_eq!(track::decode(&written).unwrap(), segments);
    }
}

/// A picture as a town and as a phone get it.
pub fn photo(bytes: &[u8]) {
    _ = yaoguan_media::check(bytes);
    if let Ok(photo) = yaoguan_media::prepare(bytes, &yaoguan_media::Settings::default()) {
        assert_eq!(yaoguan_media::check(&photo.full.jpeg), Ok(yaoguan_media::MediaType::Jpeg));
    }
}

/// A track as somebody's GPX.
pub fn of_gpx(bytes: &[u8]) {
    let Ok(track) = gpx::read(bytes) else { return };
    let mut out = Vec::new();
    gpx::write_gpx(&track, &mut out).unwrap();
    let back = gpx::read(&out).unwrap();
    assert_eq!(back.segments, track.segments);
    assert_eq!(gpx::track_key(&back), gpx::track_key(&track));
}

const LANDSLIDES: &str = include_str!("../../crates/exchange/mappings/nasa-landslides.toml");

/// A table as somebody's CSV or XLSX, by a mapping that is there.
pub fn of_table(bytes: &[u8]) {
    let mapping: Mapping = LANDSLIDES.parse().unwrap();
    _ = table::plain(bytes);
    if let Ok(table) = table::read(bytes, &mapping) {
        let kept = table.rows.iter().filter_map(|row| row.outcome.as_ref().ok());
        kept.for_each(|row| assert!(!row.source_key.is_empty()));
    }
}

/// A mapping.
pub fn mapping(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(mapping) = text.parse::<Mapping>() {
        _ = table::read(b"event_id,latitude\n1,24.6\n", &mapping);
    }
}

/// What stands in a code on a sheet.
pub fn qr(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(invite) = text.parse::<Invite>() {
        assert_eq!(invite.to_string().parse::<Invite>().unwrap(), invite);
    }
}

/// The proof of a device, and its key.
pub fn of_proof(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    _ = proof::Proof::parse(text).map(|proof| _ = proof.verify(text));
    _ = proof::check_public_key(text);
}
