//! Old and new: what a released program left behind (`tests/fixtures/versions`, made by `make release-fixtures`) is
//! opened, brought up to date and served by this one; a later program's is refused in words. What an old phone said
//! gets the verdicts that it got then, and what an old town said is understood.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as B64;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::hostile::Attacker;
use crate::phone::Phone;
use crate::town::{Town, copy};

/// Each released version with its town, at a place of its own; the town does not serve yet.
fn released() -> Vec<(Value, Town)> {
    let versions = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/versions");
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(versions).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    assert!(!folders.is_empty());
    let opened = |from: PathBuf| {
        println!("{}", from.display());
        let folder = tempfile::tempdir().unwrap();
        copy(&from, folder.path());
        // Git keeps no such mode.
        for key in
            ["town.key", "town.line", "town.audit-head", "phone-a/phone.key", "phone-b/phone.key"]
        {
            let mode = std::fs::Permissions::from_mode(0o600);
            std::fs::set_permissions(folder.path().join(key), mode).unwrap();
        }
        let said = std::fs::read(folder.path().join("said.json")).unwrap();
        (serde_json::from_slice(&said).unwrap(), Town::within(folder))
    };
    folders.into_iter().map(opened).collect()
}

fn phone(town: &Town, name: &str) -> Phone {
    Phone::at(&town.folder.path().join(name))
}

fn id<'a>(said: &'a Value, name: &str) -> &'a str {
    said[name].as_str().unwrap()
}

#[test]
fn what_an_old_program_left_is_opened_brought_up_to_date_and_synced() {
    for (said, mut town) in released() {
        town.serve("127.0.0.1:0");
        let (a, b) = (phone(&town, "phone-a"), phone(&town, "phone-b"));
        for phone in [&a, &b] {
            phone.ok(&["address", &town.url]);
        }
        assert_eq!(a.show(id(&said, "fire"))["fields"]["description"], "二楼楼道");
        a.sync();
        let sent = b.sync();
        assert_eq!(sent["sent"], 2, "{sent}");
        a.sync();
        // Both had written the title: both see both.
        for phone in [&a, &b] {
            let slope = phone.show(id(&said, "slope"));
            assert_eq!(slope["siblings"]["title"].as_array().map(Vec::len), Some(2), "{slope}");
            assert_eq!(phone.show(id(&said, "waits"))["fields"]["title"], "气味");
        }
        let hazards = a.export("hazards", "geojson");
        assert!(hazards == b.export("hazards", "geojson"));
        // What was photographed and walked is there, and the other fetches it.
        let out = b.file("photo.jpg");
        b.ok(&["photos", "save", id(&said, "photo"), "--out", out.to_str().unwrap()]);
        let bytes = std::fs::read(&out).unwrap();
        assert_eq!(yaoguan_model::BlobHash::of(&bytes).to_string(), id(&said, "photo"));
        let out = a.file("walk.gpx");
        let to = ["--format", "gpx", "--out", out.to_str().unwrap()];
        a.ok(&[&["track", "export", id(&said, "patrol")][..], &to[..]].concat());
        assert_eq!(std::fs::read_to_string(&out).unwrap().matches("<trkpt").count(), 3);
        a.assert_sound();
        b.assert_sound();
        town.assert_sound();
        assert_eq!(town.ok(&["blobs", "check"])["files"], 3);
    }
}

#[test]
fn what_a_later_program_left_is_refused_in_words() {
    let (said, town) = released().pop().unwrap();
    let a = phone(&town, "phone-a");
    a.assert_sound();
    let later = |file: PathBuf, key: String| {
        let connection = Connection::open(file).unwrap();
        let sql = format!("PRAGMA key = \"x'{key}'\"; PRAGMA user_version = 99;");
        connection.execute_batch(&sql).unwrap();
    };
    let hex = std::fs::read_to_string(town.folder.path().join("town.key")).unwrap();
    later(town.data().join("town.db"), hex.trim().to_owned());
    for (lang, words) in [("zh", "99"), ("en", "99")] {
        let refused = town.say(lang, &["serve", "--listen", "127.0.0.1:0"]);
        assert_eq!(refused.code, Some(1), "{refused}");
        assert!(refused.err.contains(words), "{refused}");
    }
    let key = std::fs::read(a.data.join("phone.key")).unwrap();
    let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    later(a.data.join("phone.db"), hex);
    assert_eq!(a.refused(&["edit", id(&said, "fire"), "--set", "title=x"]), "store_newer");
    let words = a.say("zh", &["edit", id(&said, "fire"), "--set", "title=x"]);
    assert!(words.err.contains("99") && words.err.contains("更新"), "{words}");
    // It can be read all the same.
    assert_eq!(a.show(id(&said, "fire"))["fields"]["description"], "二楼楼道");
}

/// What was recorded, as it lay on the line, read.
fn told(exchange: &Value, part: &str) -> Value {
    let bytes = B64.decode(exchange[part].as_str().unwrap()).unwrap();
    let zstd = exchange[format!("{part}_encoding")] == "zstd";
    serde_json::from_slice(&yaoguan_wire::body::decompress(&bytes, zstd).unwrap()).unwrap()
}

fn syncs(said: &Value) -> Vec<&Value> {
    let all = said["exchange"].as_array().unwrap().iter();
    all.filter(|one| one["path"] == "/v1/sync").collect()
}

#[tokio::test]
async fn what_an_old_phone_said_gets_the_verdicts_that_it_got_then() {
    for (said, mut town) in released() {
        town.serve("127.0.0.1:0");
        let old = Attacker::of(&town, &phone(&town, "phone-b"));
        let mut judged = 0;
        for exchange in syncs(&said) {
            let body = B64.decode(exchange["request"].as_str().unwrap()).unwrap();
            let zstd = exchange["request_encoding"] == "zstd";
            let (status, answer) = old.post("/v1/sync", body, zstd).await.unwrap();
            assert_eq!(status, exchange["status"], "{answer}");
            let before = told(exchange, "answer");
            for part in ["verdicts", "epoch", "replicas"] {
                assert_eq!(answer[part], before[part], "{part}");
            }
            judged += before["verdicts"].as_array().map_or(0, Vec::len);
        }
        assert!(judged >= 2, "{judged} verdicts");
        town.assert_sound();
    }
}

/// Answers as the old town did, to each path in the order of the record; of anything else it has never heard. When it
/// has said everything, or nobody asks any more, it is gone.
fn old_town(listener: TcpListener, said: &Value, over: &AtomicBool) {
    let mut answers: Vec<&Value> = said["exchange"].as_array().unwrap().iter().collect();
    while !answers.is_empty() {
        let (stream, _) = listener.accept().unwrap();
        if over.load(Ordering::SeqCst) {
            return;
        }
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let (mut head, mut length, mut path) = (String::new(), 0, String::new());
        while reader.read_line(&mut head).unwrap() > 2 {
            let line = head.trim().to_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            } else if path.is_empty() {
                path = head.split(' ').nth(1).unwrap().to_owned();
            }
            head.clear();
        }
        reader.read_exact(&mut vec![0; length]).unwrap();
        let at = answers.iter().position(|one| one["path"] == path.as_str());
        let (status, encoding, body) = match at.map(|at| answers.remove(at)) {
            Some(one) => {
                let encoding = one["answer_encoding"].as_str().unwrap().to_owned();
                (
                    one["status"].to_string(),
                    encoding,
                    B64.decode(one["answer"].as_str().unwrap()).unwrap(),
                )
            }
            None => {
                let unknown = json!({ "code": "not_found", "message": "", "retriable": false });
                ("404".to_owned(), String::new(), unknown.to_string().into_bytes())
            }
        };
        let encoding = if encoding.is_empty() { "identity" } else { &encoding };
        let head = format!(
            "HTTP/1.1 {status} x\r\ncontent-encoding: {encoding}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        // Whoever has hung up hears nothing.
        _ = (&stream).write_all(&[head.into_bytes(), body].concat());
    }
}

#[test]
fn what_an_old_town_said_is_understood() {
    for (said, town) in released() {
        let b = phone(&town, "phone-b");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        b.ok(&["address", &format!("http://{address}")]);
        let over = AtomicBool::new(false);
        let synced = std::thread::scope(|scope| {
            scope.spawn(|| old_town(listener, &said, &over));
            let synced = b.run(&["sync"]);
            over.store(true, Ordering::SeqCst);
            _ = TcpStream::connect(address);
            synced
        });
        // The recorded town is gone after what it had to say; what it said is on the phone.
        println!("{synced}");
        let slope = b.show(id(&said, "slope"));
        let titles = [&slope["fields"]["title"], &slope["siblings"]["title"]];
        assert!(json!(titles).to_string().contains("已设警示"), "{slope}");
        b.assert_sound();
    }
}
