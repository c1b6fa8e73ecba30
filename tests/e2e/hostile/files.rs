//! Files that no phone would send, to a town as a process: each is refused with a code in the asker's
//! language, nothing of it is left, and memory stays bounded.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as B64;
use yaoguan_media::{Settings, prepare};
use yaoguan_model::BlobHash;

use super::*;

const ROUNDS: usize = 2;

/// A photo as phones make it, of nearly the most pixels that are kept.
fn photo() -> Vec<u8> {
    let picture = image::RgbImage::from_fn(1_600, 1_600, |x, y| {
        image::Rgb([x as u8, y as u8, (x.wrapping_mul(7919) ^ y) as u8])
    });
    let mut png = Vec::new();
    let source = image::DynamicImage::ImageRgb8(picture);
    source.write_to(&mut Cursor::new(&mut png), image::ImageFormat::Png).unwrap();
    prepare(&png, &Settings::default()).unwrap().full.jpeg
}

/// The header of a PNG of 60,000×60,000 pixels, and a chunk of zeros squeezed a thousandfold.
fn huge_png() -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    png.extend(60_000_u32.to_be_bytes().repeat(2));
    png.extend([8, 2, 0, 0, 0, 0, 0, 0, 0]);
    png.extend(vec![0; 4 << 20]);
    png
}

/// As many fixes as a track may have, each with everything; the last is off the earth.
fn longest_track() -> Vec<u8> {
    use yaoguan_model::{Position, geodesy::Fix};
    let last = yaoguan_media::limits::MAX_FIXES as i64 - 1;
    let fix = |n: i64| Fix {
        position: Position {
            lat_e7: 246_000_000 + n * n % 977 + n / last * 1_000_000_000,
            lon_e7: n,
        },
        at_ms: Some(1_795_492_800_000 + n * 1_000),
        accuracy_cm: Some(400 + n % 100),
        ele_cm: Some(168_000 + n % 300),
    };
    yaoguan_media::track::encode(&[(0..=last).map(fix).collect()]).unwrap()
}

fn hostile_files() -> Vec<(&'static str, Vec<u8>)> {
    let good = photo();
    let frame = good.windows(2).position(|w| w == [0xFF, 0xC0]).unwrap();
    let sized = |side: u16| {
        let mut jpeg = good.clone();
        jpeg[frame + 5..frame + 7].copy_from_slice(&side.to_be_bytes());
        jpeg[frame + 7..frame + 9].copy_from_slice(&side.to_be_bytes());
        jpeg
    };
    let mut polyglot = good.clone();
    polyglot.extend(b"PK\x03\x04");
    polyglot.extend(vec![7; 2 << 20]);
    let mut exif = good.clone();
    exif.splice(2..2, *b"\xFF\xE1\x00\x08Exif\0\0");
    // A track of zeros: 16 MiB of nothing in a few bytes, and a thousand times as much.
    let track = |bytes: usize| {
        let frame = zstd::bulk::compress(&vec![0; bytes], 3).unwrap();
        [b"YGT\x01".to_vec(), frame].concat()
    };
    vec![
        ("60,000×60,000 PNG", huge_png()),
        ("60,000×60,000 JPEG", sized(60_000)),
        ("polyglot", polyglot),
        ("truncated JPEG", good[..good.len() / 2].to_vec()),
        ("EXIF", exif),
        ("a track bomb", track(512 << 20)),
        ("the longest track, off the earth at its end", longest_track()),
        ("HTML", b"<script>alert(1)</script>".to_vec()),
        ("zeros", vec![0; 16 << 20]),
    ]
}

impl Attacker {
    /// Status, body and `Location` of a tus request.
    async fn tus(
        &self,
        method: &str,
        path: &str,
        lang: &str,
        headers: &[(&str, String)],
        body: Vec<u8>,
    ) -> (u16, Value, String) {
        let url = format!("{}{path}", self.url);
        let claims = Claims {
            htm: method.to_owned(),
            htu: url.clone(),
            iat: System.now_s(),
            bh: body_hash(&[]),
        };
        let proof = self.key.prove(self.device, &claims).unwrap();
        let mut request = self.http.request(method.parse().unwrap(), url).header("dpop", proof);
        request = request.header("tus-resumable", "1.0.0").header("accept-language", lang);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let response = request.body(body).send().await.unwrap();
        let location = response.headers().get("location").map(|at| at.to_str().unwrap().to_owned());
        let status = response.status().as_u16();
        let bytes = response.bytes().await.unwrap();
        let json = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        (status, json, location.unwrap_or_default())
    }

    /// Sends a file that says to be so long and to have this hash.
    async fn upload(&self, lang: &str, name: &str, size: usize, bytes: &[u8]) -> (u16, Value) {
        let metadata =
            format!("filename {},sha256 {}", B64.encode("../../etc/passwd"), B64.encode(name));
        let headers = [("upload-length", size.to_string()), ("upload-metadata", metadata)];
        let (status, body, at) = self.tus("POST", "/v1/blobs", lang, &headers, Vec::new()).await;
        if status != 201 {
            return (status, body);
        }
        let offset = [("upload-offset", "0".to_owned())];
        let (status, body, _) = self.tus("PATCH", &at, lang, &offset, bytes.to_vec()).await;
        (status, body)
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let below = |path: PathBuf| if path.is_dir() { files(&path) } else { vec![path] };
    entries.flat_map(|entry| below(entry.unwrap().path())).collect()
}

fn is_chinese(text: &str) -> bool {
    text.chars().any(|c| ('\u{4E00}'..='\u{9FFF}').contains(&c))
}

#[test]
fn hostile_files_are_refused_in_the_askers_language_leave_nothing_and_memory_stays_bounded() {
    let town = Town::serving();
    let phone = town.phone("a", "chief", GRID);
    let attacker = Attacker::of(&town, &phone);
    let before = memory_kib(town.server_id());
    let all = hostile_files();
    in_time(async {
        for lang in ["zh", "en"] {
            for (what, bytes) in &all {
                let name = BlobHash::of(bytes).to_string();
                let (status, body) = attacker.upload(lang, &name, bytes.len(), bytes).await;
                assert_eq!(
                    (status, &body["code"]),
                    (422, &json!("blob_refused")),
                    "{what}: {body}"
                );
                let words = body["message"].as_str().unwrap();
                assert_eq!(is_chinese(words), lang == "zh", "{what}: {words}");
            }
        }
        let good = photo();
        let hash = BlobHash::of(&good).to_string();
        let wrong = BlobHash([7; 32]).to_string();
        for (what, name, size, expected) in [
            ("another hash", wrong.as_str(), good.len(), (422, "blob_refused")),
            ("beyond its length", &hash, 1_000, (413, "too_large")),
            ("a path for a name", "../../../town.db", good.len(), (400, "bad_request")),
            ("17 MiB", &hash, 17 << 20, (413, "too_large")),
        ] {
            let (status, body) = attacker.upload("zh", name, size, &good).await;
            assert_eq!((status, body["code"].as_str().unwrap()), expected, "{what}");
        }
        // The largest of them, again and again and at the same time.
        for _ in 0..ROUNDS {
            let sends = all.iter().map(|(_, bytes)| async {
                let name = BlobHash::of(bytes).to_string();
                attacker.upload("zh", &name, bytes.len(), bytes).await.0
            });
            let answers = futures_util::future::join_all(sends).await;
            assert!(answers.iter().all(|status| *status == 422), "{answers:?}");
        }
    });
    let held = memory_kib(town.server_id());
    println!("files: {} sorts, VmHWM {before} KiB before, {held} KiB after", all.len());
    assert!(held < MEMORY_KIB, "{held} KiB");
    assert_eq!(files(&town.data().join("blobs")), Vec::<PathBuf>::new());
    let checked = town.ok(&["blobs", "check"]);
    assert_eq!((&checked["files"], &checked["unknown"]), (&json!(0), &json!([])));
    phone.add("hazard", &["category=fire", "severity=general", &format!("grid={GRID}")]);
    assert_eq!(phone.sync()["sent"], 1);
}
