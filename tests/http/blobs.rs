//! Files: uploads by tus, what is refused, who may read, what is forgotten.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as B64;
use yaoguan_media::{Settings, prepare};
use yaoguan_model::{AccountId, BlobHash, Change, Dot, FieldPath, Kind, Record, RecordId, Value};
use yaoguan_model::{Env as _, ReplicaId, Role, env::System};
use yaoguan_testkit::town::{GRID, OTHER_GRID, TestTown};
use yaoguan_town::blobs::{MAX_UPLOADS, UNREFERENCED_HOLDS_S, UPLOAD_HOLDS_S};
use yaoguan_town::storage::Storage as _;

use crate::{Answer, Ask, Device, device, device_of, http};

/// A photo as phones send it; `n` makes it another.
pub(crate) fn photo(n: u8) -> Vec<u8> {
    let picture = image::RgbImage::from_fn(640, 480, |x, y| {
        let noise = (x.wrapping_mul(7919) ^ y.wrapping_mul(104_729)) as u8;
        image::Rgb([noise, noise.wrapping_mul(n), n])
    });
    let mut png = Vec::new();
    let source = image::DynamicImage::ImageRgb8(picture);
    source.write_to(&mut std::io::Cursor::new(&mut png), image::ImageFormat::Png).unwrap();
    prepare(&png, &Settings::default()).unwrap().full.jpeg
}

fn metadata(hash: &str) -> String {
    format!("filename {},sha256 {}", B64.encode("../../etc/passwd"), B64.encode(hash))
}

fn tus<'a>(town: &'a TestTown, method: &'a str, path: &'a str) -> Ask<'a> {
    Ask::new(town, method, path).header("tus-resumable", "1.0.0")
}

pub(crate) async fn create(town: &TestTown, by: &Device, hash: &str, size: usize) -> Answer {
    let ask = tus(town, "POST", "/v1/blobs").header("upload-length", &size.to_string());
    ask.header("upload-metadata", &metadata(hash)).proof(by, |_| {}).send().await
}

/// Begins an upload; where its bytes go.
pub(crate) async fn begin(town: &TestTown, by: &Device, hash: BlobHash, size: usize) -> String {
    let answer = create(town, by, &hash.to_string(), size).await;
    assert_eq!(answer.status, 201, "{}", answer.json);
    answer.headers["location"].to_str().unwrap().to_owned()
}

pub(crate) async fn patch(
    town: &TestTown,
    by: &Device,
    path: &str,
    offset: usize,
    bytes: &[u8],
) -> Answer {
    // The proof covers method and URL; the body vouches for itself.
    let ask = tus(town, "PATCH", path).proof(by, |_| {});
    let ask = ask.header("content-type", "application/offset+octet-stream");
    ask.header("upload-offset", &offset.to_string()).body(bytes).send().await
}

pub(crate) async fn upload(town: &TestTown, by: &Device, bytes: &[u8]) -> Answer {
    let path = begin(town, by, BlobHash::of(bytes), bytes.len()).await;
    patch(town, by, &path, 0, bytes).await
}

/// Status and bytes of a file.
async fn read(town: &TestTown, by: &Device, hash: BlobHash) -> (u16, Vec<u8>) {
    let path = format!("/v1/blobs/{hash}");
    let proof = Proof::of(town, by, "GET", &path);
    let answer = http(town).get(format!("{}{path}", town.url)).header("dpop", proof.0);
    let answer = answer.send().await.unwrap();
    (answer.status().as_u16(), answer.bytes().await.unwrap().to_vec())
}

struct Proof(String);

impl Proof {
    fn of(town: &TestTown, by: &Device, method: &str, path: &str) -> Self {
        let claims = yaoguan_wire::proof::Claims {
            htm: method.to_owned(),
            htu: format!("{}{path}", town.url),
            iat: town.town_time(),
            bh: yaoguan_wire::proof::body_hash(&[]),
        };
        Self(by.key.prove(by.id, &claims).unwrap())
    }
}

/// Files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries
        .flat_map(|entry| {
            let path = entry.unwrap().path();
            if path.is_dir() { files(&path) } else { vec![path] }
        })
        .collect()
}

fn rows(town: &TestTown, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    town.town.storage.with_raw(|c| c.query_row(&sql, [], |row| row.get(0)).unwrap())
}

/// A hazard of a grid that shows a photo, as its author pushes it.
pub(crate) async fn refer(town: &TestTown, by: AccountId, grid: &str, hash: BlobHash) -> RecordId {
    refer_as(town, by, &[grid], grid, hash).await
}

async fn refer_as(
    town: &TestTown,
    by: AccountId,
    grids: &[&str],
    grid: &str,
    hash: BlobHash,
) -> RecordId {
    let id = System.new_record_id();
    let mut record = Record::new(id, Kind::Hazard, by);
    let values = [
        ("category".to_owned(), Value::text("slope")),
        ("severity".to_owned(), Value::text("serious")),
        ("status".to_owned(), Value::text("reported")),
        ("grid".to_owned(), Value::text(grid)),
        ("seen_at".to_owned(), Value::Int(town.town_time())),
        (format!("photos.{hash}"), Value::map::<String>([])),
    ];
    let changes: BTreeMap<FieldPath, Change> = values
        .into_iter()
        .map(|(path, value)| {
            (path.parse().unwrap(), Change { replaces: Vec::new(), value: Some(value) })
        })
        .collect();
    let replica = ReplicaId(System.random_16());
    record.put(&changes, Dot { replica, counter: 1 });
    let grids = grids.iter().map(|grid| grid.parse().unwrap()).collect();
    let actor = yaoguan_model::authorise::Actor { account: by, role: Role::Chief, grids };
    let batch = yaoguan_town::storage::Batch {
        pusher: yaoguan_town::push::Pusher::new(actor, replica, 1),
        device: yaoguan_model::DeviceId(id.0),
        tokens: Vec::new(),
        next: None,
        records: vec![record],
        now: town.town_time(),
    };
    let pushed = town.town.storage.push(batch).await.unwrap();
    let yaoguan_town::storage::Pushed::Done(outcomes) = pushed else { panic!("forked") };
    assert_eq!(outcomes[0].judgement, yaoguan_wire::Judgement::Taken, "{outcomes:?}");
    id
}

#[tokio::test]
async fn a_file_arrives_in_pieces_and_is_read_whole_and_in_part() {
    let town = TestTown::start().await.unwrap();
    let own = device(&town).await;
    let bytes = photo(1);
    let hash = BlobHash::of(&bytes);
    let path = begin(&town, &own, hash, bytes.len()).await;
    let (first, rest) = bytes.split_at(bytes.len() / 3);
    assert_eq!(patch(&town, &own, &path, 0, first).await.status, 204);
    let head = tus(&town, "HEAD", &path).proof(&own, |_| {}).send().await;
    assert_eq!(head.headers["upload-offset"], first.len().to_string().as_str());
    assert_eq!(head.headers["cache-control"], "no-store");
    assert_eq!(read(&town, &own, hash).await.0, 404, "not before it is whole");
    let done = patch(&town, &own, &path, first.len(), rest).await;
    assert_eq!(done.headers["upload-offset"], bytes.len().to_string().as_str());
    assert_eq!(read(&town, &own, hash).await, (200, bytes.clone()));
    // Whoever missed the answer hears it again.
    let head = tus(&town, "HEAD", &path).proof(&own, |_| {}).send().await;
    assert_eq!(head.headers["upload-offset"], bytes.len().to_string().as_str());
    let url = format!("{}/v1/blobs/{hash}", town.url);
    let ask = |name: &'static str, value: String| {
        let proof = Proof::of(&town, &own, "GET", &format!("/v1/blobs/{hash}"));
        http(&town).get(&url).header("dpop", proof.0).header(name, value).send()
    };
    let part = ask("range", "bytes=10-19".to_owned()).await.unwrap();
    assert_eq!(part.status(), 206);
    let range = format!("bytes 10-19/{}", bytes.len());
    assert_eq!(part.headers()["content-range"], range.as_str());
    assert_eq!(part.headers()["x-content-type-options"], "nosniff");
    assert_eq!(part.headers()["content-type"], "image/jpeg");
    assert_eq!(part.bytes().await.unwrap(), bytes[10..20]);
    assert_eq!(ask("if-none-match", format!("\"{hash}\"")).await.unwrap().status(), 304);
    // On disk: two levels, encrypted.
    let on_disk = files(&town.data().join("blobs"));
    let text = hash.to_string();
    let (first, rest) = text.split_at(2);
    let place = Path::new(first).join(rest.split_at(2).0).join(&text);
    assert_eq!(on_disk, [town.data().join("blobs").join(place)]);
    let sealed = std::fs::read(&on_disk[0]).unwrap();
    assert!(!sealed.windows(4).any(|w| w == b"JFIF"), "not as it came");
    assert_eq!(rows(&town, "upload_part"), 0);
    // The same again is the same file.
    assert_eq!(upload(&town, &own, &bytes).await.status, 204);
    assert_eq!(files(&town.data().join("blobs")).len(), 1);
}

#[tokio::test]
async fn a_checksum_counts_for_all_or_none_and_a_file_survives_a_restart() {
    let mut town = TestTown::start().await.unwrap();
    let own = device(&town).await;
    let bytes = photo(2);
    let hash = BlobHash::of(&bytes);
    let path = begin(&town, &own, hash, bytes.len()).await;
    let sum = |of: &[u8]| format!("sha256 {}", B64.encode(BlobHash::of(of).0));
    let send = async |town: &TestTown, sum: String| {
        let ask = tus(town, "PATCH", &path).proof(&own, |_| {}).header("upload-offset", "0");
        ask.header("upload-checksum", &sum).body(&bytes[..1000]).send().await
    };
    assert_eq!(send(&town, sum(b"other")).await.code(), (460, "checksum_mismatch"));
    assert_eq!(rows(&town, "upload_part"), 0);
    assert_eq!(send(&town, sum(&bytes[..1000])).await.status, 204);
    town.restart().await.unwrap();
    assert_eq!(patch(&town, &own, &path, 1000, &bytes[1000..]).await.status, 204);
    town.restart().await.unwrap();
    assert_eq!(read(&town, &own, hash).await, (200, bytes));
}

#[tokio::test]
async fn hostile_files_are_refused_with_a_code_and_nothing_is_left_behind() {
    let town = TestTown::start().await.unwrap();
    let own = device(&town).await;
    let good = photo(3);
    let mut polyglot = good.clone();
    polyglot.extend(b"PK\x03\x04<script>");
    let mut huge_png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    huge_png.extend(60_000_u32.to_be_bytes().repeat(2));
    huge_png.extend([8, 2, 0, 0, 0, 0, 0, 0, 0]);
    let mut huge_jpeg = good.clone();
    let frame = huge_jpeg.windows(2).position(|w| w == [0xFF, 0xC0]).unwrap();
    huge_jpeg[frame + 5..frame + 9].copy_from_slice(&[0xEA, 0x60, 0xEA, 0x60]);
    let mut exif = good.clone();
    exif.splice(2..2, *b"\xFF\xE1\x00\x08Exif\0\0");
    let truncated = good[..good.len() - 10].to_vec();
    let html = b"<script>alert(1)</script>".to_vec();
    let hostile = [
        ("polyglot", polyglot),
        ("60,000×60,000 PNG", huge_png),
        ("60,000×60,000 JPEG", huge_jpeg),
        ("EXIF", exif),
        ("truncated", truncated),
        ("HTML", html),
    ];
    for (name, bytes) in &hostile {
        let answer = upload(&town, &own, bytes).await;
        assert_eq!(answer.code(), (422, "blob_refused"), "{name}");
        println!("{name}: {}", answer.json["message"]);
        assert_eq!(read(&town, &own, BlobHash::of(bytes)).await.0, 404, "{name}");
    }
    // Another file than was said.
    let path = begin(&town, &own, BlobHash([7; 32]), good.len()).await;
    assert_eq!(patch(&town, &own, &path, 0, &good).await.code(), (422, "blob_refused"));
    // Longer than was said.
    let path = begin(&town, &own, BlobHash::of(&good), 1000).await;
    assert_eq!(patch(&town, &own, &path, 0, &good).await.code(), (413, "too_large"));
    let head = tus(&town, "HEAD", &path).proof(&own, |_| {}).send().await;
    assert_eq!(head.status, 404);
    // Paths for names, and lengths that are none.
    for name in ["../../../../etc/passwd", "..%2f..%2ftown.db", "", &"AB".repeat(32)] {
        let path = format!("/v1/blobs/{name}");
        let answer = Ask::new(&town, "GET", &path).proof(&own, |_| {}).send().await;
        assert!(matches!(answer.status, 401 | 404 | 405), "{name}: {}", answer.status);
        assert_eq!(create(&town, &own, name, 10).await.code(), (400, "bad_request"), "{name}");
    }
    let hash = BlobHash::of(&good).to_string();
    assert_eq!(create(&town, &own, &hash, 17 << 20).await.code(), (413, "too_large"));
    assert_eq!(files(&town.data().join("blobs")), Vec::<PathBuf>::new());
    for table in ["upload", "upload_part", "blob", "blob_from"] {
        assert_eq!(rows(&town, table), 0, "{table}");
    }
}

#[tokio::test]
async fn a_file_is_read_with_the_records_that_refer_to_it_and_a_hash_gives_nothing() {
    let town = TestTown::start().await.unwrap();
    let author = device(&town).await;
    let colleague = device(&town).await;
    let elsewhere = town.account(Role::Chief, &[OTHER_GRID]).await.unwrap();
    let elsewhere = device_of(&town, elsewhere).await;
    let bytes = photo(4);
    let hash = BlobHash::of(&bytes);
    // The report comes first, its photo later.
    let report = refer(&town, author.account, GRID, hash).await;
    assert_eq!(read(&town, &colleague, hash).await.0, 404);
    assert_eq!(upload(&town, &author, &bytes).await.status, 204);
    assert_eq!(read(&town, &author, hash).await.0, 200);
    assert_eq!(read(&town, &colleague, hash).await, (200, bytes.clone()));
    assert_eq!(read(&town, &elsewhere, hash).await.0, 404);
    // Who knows the hash refers to it, and still reads nothing.
    refer(&town, elsewhere.account, OTHER_GRID, hash).await;
    assert_eq!(read(&town, &elsewhere, hash).await.0, 404);
    // A reader of the first report refers to it for others: they read it too.
    let further = town.account(Role::Chief, &[OTHER_GRID]).await.unwrap();
    let further = device_of(&town, further).await;
    town.rescope(colleague.account, Role::Chief, &[GRID, OTHER_GRID]);
    let account = colleague.account;
    let id = refer_between(&town, account, hash).await;
    assert_eq!(read(&town, &further, hash).await.0, 200);
    // When that report is gone, so is the way to the file.
    for record in [id, report] {
        town.town.storage.with_raw(|c| {
            c.execute("UPDATE feed SET state = 1 WHERE record = ?1", [record.as_bytes()]).unwrap();
        });
    }
    assert_eq!(read(&town, &further, hash).await.0, 404);
    assert_eq!(read(&town, &colleague, hash).await.0, 404);
    assert_eq!(read(&town, &author, hash).await.0, 200, "who brought it");
    // Somebody else's upload cannot be looked at, nor gone on with.
    let other = photo(5);
    let path = begin(&town, &author, BlobHash::of(&other), other.len()).await;
    assert_eq!(patch(&town, &colleague, &path, 0, &other).await.code(), (404, "not_found"));
}

/// A report in the other grid by somebody who reads both.
async fn refer_between(town: &TestTown, by: AccountId, hash: BlobHash) -> RecordId {
    // Its cells are those of the pusher's whole scope.
    let id = refer_as(town, by, &[GRID, OTHER_GRID], OTHER_GRID, hash).await;
    assert_eq!(
        town.town.storage.with_raw(|c| {
            let sql = "SELECT entitled FROM blob_ref WHERE record = ?1";
            c.query_row(sql, [id.as_bytes()], |row| row.get::<_, i64>(0)).unwrap()
        }),
        1
    );
    id
}

#[tokio::test]
async fn what_nothing_refers_to_and_what_is_not_finished_is_forgotten_in_time() {
    let town = TestTown::start().await.unwrap();
    let own = device(&town).await;
    let (kept, loose) = (photo(6), photo(7));
    for bytes in [&kept, &loose] {
        assert_eq!(upload(&town, &own, bytes).await.status, 204);
    }
    refer(&town, own.account, GRID, BlobHash::of(&kept)).await;
    let path = begin(&town, &own, BlobHash([1; 32]), 100).await;
    assert_eq!(patch(&town, &own, &path, 0, &[0; 10]).await.status, 204);
    let sweep = async || town.town.blobs.sweep(&town.town.storage, town.town_time()).await.unwrap();
    assert_eq!(sweep().await, 0);
    town.clock.shift(UPLOAD_HOLDS_S + 1);
    let head = tus(&town, "HEAD", &path).proof(&own, |_| {}).send().await;
    assert_eq!(head.status, 404);
    assert_eq!(sweep().await, 0);
    assert_eq!(rows(&town, "upload_part"), 0);
    town.clock.shift(UNREFERENCED_HOLDS_S - UPLOAD_HOLDS_S);
    assert_eq!(sweep().await, 1);
    assert_eq!(read(&town, &own, BlobHash::of(&loose)).await.0, 404);
    assert_eq!(read(&town, &own, BlobHash::of(&kept)).await, (200, kept));
    let left = files(&town.data().join("blobs"));
    assert_eq!(left.len(), 1);
    // What is missing or altered is found.
    let verify = async || town.town.blobs.verify(&town.town.storage).await.unwrap().len();
    assert_eq!(verify().await, 0);
    let mut sealed = std::fs::read(&left[0]).unwrap();
    sealed[1000] ^= 1;
    std::fs::write(&left[0], sealed).unwrap();
    assert_eq!(verify().await, 1);
    std::fs::remove_file(&left[0]).unwrap();
    assert_eq!(verify().await, 1);
}

#[tokio::test]
async fn an_account_has_so_many_unfinished_uploads_and_no_more() {
    let town = TestTown::start().await.unwrap();
    let own = device(&town).await;
    let hash = BlobHash([0xFF; 32]);
    for n in 0..MAX_UPLOADS {
        begin(&town, &own, BlobHash([n as u8; 32]), 10).await;
    }
    assert_eq!(create(&town, &own, &hash.to_string(), 10).await.code(), (503, "busy"));
    // Whoever missed where the upload is begins again; there is still one of that file.
    let last = begin(&town, &own, BlobHash([MAX_UPLOADS as u8 - 1; 32]), 10).await;
    assert_eq!(create(&town, &own, &hash.to_string(), 10).await.code(), (503, "busy"));
    assert_eq!(tus(&town, "DELETE", &last).proof(&own, |_| {}).send().await.status, 204);
    assert_eq!(create(&town, &own, &hash.to_string(), 10).await.status, 201);
    let options = Ask::new(&town, "OPTIONS", "/v1/blobs").send().await;
    assert_eq!(options.headers["tus-extension"], "creation,checksum,expiration,termination");
}
