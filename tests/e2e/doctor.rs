//! `yaoguan-town doctor` on real files with one fault planted in each: it names the fault and the remedy.

use std::fs::{self, File, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use rusqlite::Connection;
use serde_json::Value;
use yaoguan_model::Env as _;
use yaoguan_model::env::System;

use crate::town::Town;

/// What one fault is: planted in a sound town, asked for with these flags.
struct Fault {
    found: &'static str,
    remedy: &'static str,
    /// Ends with exit code 1.
    bad: bool,
    plant: fn(&Town) -> Vec<String>,
}

fn key(town: &Town) -> PathBuf {
    town.folder.path().join("town.key")
}

/// Changes the town's database as no program would.
fn sql(town: &Town, sql: &str) -> Vec<String> {
    let connection = Connection::open(town.data().join("town.db")).unwrap();
    let hex = fs::read_to_string(key(town)).unwrap();
    connection.execute_batch(&format!("PRAGMA key = \"x'{}'\"", hex.trim())).unwrap();
    connection.execute_batch(sql).unwrap();
    vec![]
}

fn flags(flags: &[&str]) -> Vec<String> {
    flags.iter().map(|flag| (*flag).to_owned()).collect()
}

fn doctor(town: &Town, flags: &[String], lang: &str) -> (Option<i32>, Value) {
    let mut arguments = vec!["doctor", "--lang", lang];
    arguments.extend(flags.iter().map(String::as_str));
    let ran = town.run(&arguments);
    (ran.code, ran.json())
}

fn found(report: &Value, found: &str) -> Option<Value> {
    report["checks"].as_array().unwrap().iter().find(|check| check["found"] == found).cloned()
}

/// Faults of the folder, its key and its clock.
const FILES: &[Fault] = &[
    Fault {
        found: "files_missing",
        remedy: "blobs check --ask-again",
        bad: true,
        plant: |town| {
            sql(
                town,
                "INSERT INTO blob (hash, type, size, received_at) VALUES (randomblob(32), 'image/jpeg', 1, 1)",
            )
        },
    },
    Fault {
        found: "data_missing",
        remedy: "init",
        bad: true,
        plant: |town| {
            fs::remove_dir_all(town.data()).unwrap();
            vec![]
        },
    },
    Fault {
        found: "data_open",
        remedy: "chmod 700",
        bad: false,
        plant: |town| {
            fs::set_permissions(town.data(), Permissions::from_mode(0o755)).unwrap();
            vec![]
        },
    },
    Fault {
        found: "key_exposed",
        remedy: "chmod 600",
        bad: true,
        plant: |town| {
            fs::set_permissions(key(town), Permissions::from_mode(0o644)).unwrap();
            vec![]
        },
    },
    Fault {
        found: "key_inside",
        remedy: "key_file",
        bad: true,
        plant: |town| {
            let inside = town.data().join("town.key");
            fs::copy(key(town), &inside).unwrap();
            flags(&["--key-file", inside.to_str().unwrap()])
        },
    },
    Fault {
        found: "key_missing",
        remedy: "envelope",
        bad: true,
        plant: |town| {
            fs::remove_file(key(town)).unwrap();
            vec![]
        },
    },
    Fault {
        found: "key_unreadable",
        remedy: "64",
        bad: true,
        plant: |town| {
            fs::write(key(town), "forgotten").unwrap();
            vec![]
        },
    },
    Fault {
        found: "wrong_key",
        remedy: "envelope",
        bad: true,
        plant: |town| {
            fs::write(key(town), "0".repeat(64)).unwrap();
            vec![]
        },
    },
    Fault {
        found: "clock_behind_files",
        remedy: "timedatectl set-time",
        bad: true,
        plant: |town| {
            let file = File::options().write(true).open(town.data().join("town.db")).unwrap();
            let tomorrow = System.now_s() + 86_400;
            let tomorrow = Duration::from_secs(tomorrow.unsigned_abs());
            file.set_modified(UNIX_EPOCH + tomorrow).unwrap();
            vec![]
        },
    },
    Fault {
        found: "port_taken",
        remedy: "ss -ltnp",
        bad: true,
        plant: |_| {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap().to_string();
            // Held for as long as this test's process lives.
            std::mem::forget(listener);
            flags(&["--listen", &address])
        },
    },
    Fault {
        found: "not_served",
        remedy: "systemctl start",
        bad: false,
        plant: |_| flags(&["--listen", "127.0.0.1:0"]),
    },
];

/// Faults inside the database.
const DATABASE: &[Fault] = &[
    Fault {
        found: "database_missing",
        remedy: "init",
        bad: true,
        plant: |town| {
            fs::remove_file(town.data().join("town.db")).unwrap();
            vec![]
        },
    },
    Fault {
        found: "schema_newer",
        remedy: "later program",
        bad: true,
        plant: |town| sql(town, "PRAGMA user_version = 99"),
    },
    Fault {
        found: "schema_older",
        remedy: "backup",
        bad: false,
        plant: |town| sql(town, "PRAGMA user_version = 1"),
    },
    Fault {
        found: "not_durable",
        remedy: "start of the service",
        bad: true,
        plant: |town| sql(town, "PRAGMA journal_mode = DELETE"),
    },
    Fault {
        found: "feed_broken",
        remedy: "backup",
        bad: true,
        plant: |town| sql(town, "UPDATE feed_head SET position = position + 7"),
    },
    Fault {
        found: "alarms_there",
        remedy: "status --json",
        bad: false,
        plant: |town| sql(town, "INSERT INTO alarm (at, what) VALUES (1, 'test')"),
    },
    Fault {
        found: "line_broken",
        remedy: "recovered list",
        bad: false,
        plant: |town| {
            fs::remove_file(town.folder.path().join("town.line")).unwrap();
            vec![]
        },
    },
    Fault {
        found: "held_old",
        remedy: "held list",
        bad: false,
        plant: |town| {
            let insert = "INSERT INTO held (id, record, kind, created_by, account, device, changes, \
                          context, code, detail, received_at) VALUES \
                          (x'01', x'01', 'hazard', x'01', x'01', x'01', '{}', '{}', 'held', '', 1)";
            sql(town, insert)
        },
    },
    Fault {
        found: "recovered_waits",
        remedy: "recovered take",
        bad: false,
        plant: |town| {
            let insert = "INSERT INTO recovered (hash, record, kind, body, received_at) \
                          VALUES (x'01', x'01', 'hazard', x'01', 1)";
            sql(town, insert)
        },
    },
];

/// Faults of the backups.
const BACKUPS: &[Fault] = &[
    Fault {
        found: "backup_too_old",
        remedy: "today",
        bad: true,
        plant: |town| {
            let dir = town.folder.path().join("backups");
            fs::create_dir(&dir).unwrap();
            let old = dir.join("yaoguan-20260101T023000.backup");
            town.ok(&["backup", "--out", old.to_str().unwrap()]);
            flags(&["--backup-dir", dir.to_str().unwrap()])
        },
    },
    Fault {
        found: "backup_broken",
        remedy: "backup disk",
        bad: true,
        plant: |town| {
            let dir = town.folder.path().join("backups");
            fs::create_dir(&dir).unwrap();
            let made = dir.join("yaoguan-20260101T023000.backup");
            town.ok(&["backup", "--out", made.to_str().unwrap()]);
            let database = made.join("town.db");
            let mut bytes = fs::read(&database).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(&database, bytes).unwrap();
            flags(&["--backup-dir", dir.to_str().unwrap()])
        },
    },
    Fault { found: "backup_off", remedy: "backup_dir", bad: false, plant: |_| vec![] },
    Fault {
        found: "backup_folder_missing",
        remedy: "mounted",
        bad: true,
        plant: |_| flags(&["--backup-dir", "/nowhere/at/all"]),
    },
    Fault {
        found: "backup_missing",
        remedy: "journalctl",
        bad: true,
        plant: |town| flags(&["--backup-dir", town.folder.path().to_str().unwrap()]),
    },
    Fault {
        found: "backup_same_disk",
        remedy: "disk",
        bad: true,
        plant: |town| flags(&["--backup-dir", town.folder.path().to_str().unwrap()]),
    },
    Fault {
        found: "backup_broken",
        remedy: "yaoguan-town backup",
        bad: true,
        plant: |town| {
            let dir = town.folder.path().join("backups");
            fs::create_dir(&dir).unwrap();
            fs::create_dir(dir.join("yaoguan-20260101T023000.backup")).unwrap();
            flags(&["--backup-dir", dir.to_str().unwrap()])
        },
    },
];

fn each_is_found(sound: &Town, faults: &[Fault]) {
    for fault in faults {
        let town = sound.copied();
        let flags = (fault.plant)(&town);
        for lang in ["en", "zh"] {
            let (code, report) = doctor(&town, &flags, lang);
            let check = found(&report, fault.found)
                .unwrap_or_else(|| panic!("{} was not found: {report:#}", fault.found));
            let remedy = check["remedy"].as_str().unwrap();
            assert!(lang == "zh" || remedy.contains(fault.remedy), "{}: {remedy}", fault.found);
            assert!(!remedy.contains('{') && remedy != fault.found, "{}: {remedy}", fault.found);
            assert!(!check["words"].as_str().unwrap().contains('{'), "{check}");
            assert_eq!(code, Some(i32::from(fault.bad)), "{}: {report:#}", fault.found);
        }
    }
}

#[test]
fn each_planted_fault_is_found_with_its_remedy() {
    let sound = Town::demo();
    let (_, report) = doctor(&sound, &flags(&["--listen", "127.0.0.1:0"]), "en");
    let bad = |check: &&Value| check["state"] == "bad";
    let bad: Vec<&Value> = report["checks"].as_array().unwrap().iter().filter(bad).collect();
    assert!(bad.is_empty(), "a sound town: {bad:#?}");
    for faults in [FILES, DATABASE, BACKUPS] {
        each_is_found(&sound, faults);
    }
    println!("{} faults", FILES.len() + DATABASE.len() + BACKUPS.len());
}

#[test]
fn a_folder_that_takes_no_file_and_a_damaged_database_are_found() {
    let town = Town::demo();
    // Nobody can write there, not even root.
    let ran = town.run(&["doctor", "--data", "/proc/self"]);
    assert!(found(&ran.json(), "data_not_writable").is_some(), "{ran}");

    let database = town.data().join("town.db");
    let mut bytes = fs::read(&database).unwrap();
    let middle = bytes.len() / 2;
    for byte in &mut bytes[middle..middle + 64 * 1024] {
        *byte ^= 0x5A;
    }
    fs::write(&database, bytes).unwrap();
    let (code, report) = doctor(&town, &[], "en");
    let damage = found(&report, "pages_damaged").or_else(|| found(&report, "database_broken"));
    assert!(code == Some(1) && damage.is_some(), "{report:#}");
    assert!(damage.unwrap()["remedy"].as_str().unwrap().contains("copy the whole data folder"));
}

#[test]
fn a_file_of_somebody_else_is_found() {
    let town = Town::demo();
    let file = town.data().join("town.db-shm");
    File::create(&file).unwrap();
    if chown(&file, Some(12_345), None).is_err() {
        eprintln!("skipped 1: only root gives files away");
        return;
    }
    let (code, report) = doctor(&town, &[], "en");
    let check = found(&report, "foreign_file").unwrap();
    assert!(check["remedy"].as_str().unwrap().starts_with("Run: chown"), "{check}");
    assert_eq!(code, Some(1));
}

#[test]
fn beside_a_running_server_its_address_and_certificate_are_judged() {
    let mut town = Town::demo();
    town.serve_with("127.0.0.1:0", &["--public", "https://old.example"]);
    let (code, report) = doctor(&town, &[], "en");
    assert!(found(&report, "served").is_some(), "{report:#}");
    assert!(found(&report, "certificate_fits").is_some(), "{report:#}");
    assert_eq!(code, Some(0), "{report:#}");
    // The setting was changed and the service was not restarted.
    let (code, report) = doctor(&town, &flags(&["--public", "https://new.example"]), "en");
    let check = found(&report, "certificate_wrong").unwrap();
    assert!(check["remedy"].as_str().unwrap().contains("systemctl restart"), "{check}");
    assert_eq!(code, Some(1));
    let (_, report) = doctor(&town, &flags(&["--public", "https://127.0.0.1:8443"]), "en");
    assert!(found(&report, "address_local").is_some(), "{report:#}");
}

#[test]
fn in_words_each_finding_has_its_mark_and_its_remedy() {
    let town = Town::demo();
    fs::set_permissions(key(&town), Permissions::from_mode(0o644)).unwrap();
    let ran = town.say("zh", &["doctor", "--listen", "127.0.0.1:0"]);
    assert_eq!(ran.code, Some(1), "{ran}");
    assert!(ran.out.contains("异常  其他用户可以读取密钥文件"), "{ran}");
    assert!(ran.out.contains("→ 运行：chmod 600"), "{ran}");
}
