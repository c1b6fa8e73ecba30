//! The town as a service: its settings, its lock, its key, its words to systemd, its backups.

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use yaoguan_model::Env as _;
use yaoguan_model::env::System;

use crate::program::{Ran, command, ends_within, signal};
use crate::town::Town;

fn heard(socket: &UnixDatagram) -> String {
    let mut bytes = [0; 512];
    let n = socket.recv(&mut bytes).unwrap();
    String::from_utf8(bytes[..n].to_vec()).unwrap()
}

#[test]
fn a_second_server_on_one_data_folder_is_refused_and_other_commands_are_not() {
    let town = Town::serving();
    let error = town.run(&["serve", "--listen", "127.0.0.1:0"]).error();
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("another program serves"), "{message}");
    let said = town.say("zh", &["serve", "--listen", "127.0.0.1:0"]);
    assert!(said.err.contains("另一个程序正在使用"), "{said}");
    town.ok(&["status"]);
    town.invite("chief", crate::GRID);
}

#[test]
fn after_a_kill_the_folder_is_free_again() {
    let mut town = Town::serving();
    town.kill();
    town.serve("127.0.0.1:0");
    assert_eq!(town.stop().code(), Some(0));
}

#[test]
fn a_key_that_others_can_read_or_that_lies_inside_keeps_the_town_from_starting() {
    let town = Town::demo();
    let key = town.folder.path().join("town.key");
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(town.data()).unwrap().permissions().mode() & 0o777, 0o700);
    fs::set_permissions(&key, Permissions::from_mode(0o640)).unwrap();
    for command in ["serve", "status"] {
        let error = town.run(&[command]).error();
        assert!(error["message"].as_str().unwrap().contains("chmod 600"), "{error}");
    }
    fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    let inside = town.data().join("town.key");
    fs::copy(&key, &inside).unwrap();
    let error = town.run(&["serve", "--key-file", inside.to_str().unwrap()]).error();
    assert!(error["message"].as_str().unwrap().contains("move it out"), "{error}");
}

#[test]
fn a_phone_whose_key_others_can_read_says_what_to_do() {
    let town = Town::serving();
    let phone = town.phone("a", "chief", crate::GRID);
    let key = phone.data.join("phone.key");
    fs::set_permissions(&key, Permissions::from_mode(0o644)).unwrap();
    assert_eq!(phone.refused(&["list", "hazards"]), "key_exposed");
    assert!(phone.say("zh", &["status"]).err.contains("chmod 600"));
    fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    phone.sync();
}

#[test]
fn settings_come_from_the_file_and_say_so() {
    let town = Town::demo();
    let file = town.folder.path().join("town.toml");
    fs::write(&file, "# the town\nlisten = \"127.0.0.1:1\"\nbackup_keep_daily = 3\n").unwrap();
    let config = file.to_str().unwrap();
    let mut asked = command("yaoguan-town", town.folder.path());
    asked.args(["--config", config, "settings", "--listen", "127.0.0.1:2", "--json"]);
    asked.env("YAOGUAN_TOWN_BACKUP_AT", "03:15");
    let settings = Ran::of(asked).done();
    let of = |name: &str| {
        let all = settings.as_array().unwrap();
        let setting = all.iter().find(|setting| setting["name"] == name).unwrap();
        [&setting["value"], &setting["source"], &setting["place"]]
            .map(|v| v.as_str().unwrap_or("").to_owned())
    };
    assert_eq!(of("listen"), ["127.0.0.1:2", "flag", ""]);
    assert_eq!(of("backup_at"), ["03:15", "environment", ""]);
    assert_eq!(of("backup_keep_daily"), ["3".to_owned(), "file".to_owned(), format!("{config}:3")]);
    assert_eq!(of("backup_keep_weekly"), ["8", "default", ""]);

    fs::write(&file, "data = \"town\"\nlissten = \"127.0.0.1:1\"\n").unwrap();
    let error = town.run(&["--config", config, "status"]).error();
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("town.toml:2") && message.contains("lissten"), "{message}");
    let error = town.run(&["--config", "/nowhere.toml", "status"]).error();
    assert!(error["message"].as_str().unwrap().contains("/nowhere.toml"), "{error}");
}

#[test]
fn the_service_manager_hears_when_it_is_ready_alive_and_stopping() {
    let town = Town::demo();
    let path = town.folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    let mut serve = command("yaoguan-town", town.folder.path());
    serve.arg("--data").arg(town.data()).args(["serve", "--listen", "127.0.0.1:0"]);
    serve.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "200000");
    let mut child = serve.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let first: Value = serde_json::from_str(&line).unwrap();
    let url = first["listening"].as_str().unwrap();
    assert_eq!(heard(&socket), format!("READY=1\nSTATUS={url}"));
    assert_eq!(heard(&socket), "WATCHDOG=1");
    assert_eq!(heard(&socket), "WATCHDOG=1");
    signal("TERM", child.id());
    let status = ends_within(child, Duration::from_secs(10)).expect("it stops within seconds");
    assert_eq!(status.code(), Some(0));
    socket.set_nonblocking(true).unwrap();
    let mut last = String::new();
    let mut bytes = [0; 64];
    while let Ok(n) = socket.recv(&mut bytes) {
        last = String::from_utf8(bytes[..n].to_vec()).unwrap();
        if last == "STOPPING=1" {
            break;
        }
    }
    assert_eq!(last, "STOPPING=1");
}

#[test]
fn status_counts_people_phones_and_what_waits() {
    let town = Town::serving();
    let phone = town.phone("a", "chief", crate::GRID);
    phone.sync();
    let status = town.ok(&["status"]);
    assert_eq!((&status["devices"], &status["devices_active"]), (&1.into(), &1.into()), "{status}");
    assert!(status["accounts"].as_u64().unwrap() > 910, "{status}");
    assert!(status["last_contact"].as_i64().is_some(), "{status}");
    assert_eq!((&status["held"], &status["backup_age_s"]), (&0.into(), &Value::Null), "{status}");
    let said = town.say("zh", &["status"]).out;
    assert!(said.contains("最近一次联系：0 分钟前"), "{said}");
}

#[test]
fn the_server_backs_up_by_itself_and_lets_old_ones_and_nothing_else_go() {
    let mut town = Town::demo();
    let dir = town.folder.path().join("backups");
    fs::create_dir(&dir).unwrap();
    let folder = |name: &str| dir.join(name);
    // Three old ones of one week, one that was interrupted, one that is somebody else's.
    for name in ["20260105T023000", "20260106T023000", "20260107T023000"] {
        fs::create_dir(folder(&format!("yaoguan-{name}.backup"))).unwrap();
    }
    fs::create_dir(folder("yaoguan-20260108T023000.backup.unverified.partial")).unwrap();
    fs::create_dir(folder("holiday photos")).unwrap();
    let flags = [
        "--backup-dir",
        dir.to_str().unwrap(),
        "--backup-keep-daily",
        "2",
        "--backup-keep-weekly",
        "1",
    ];
    town.serve_with("127.0.0.1:0", &flags);
    let made = |dir: &std::path::Path| {
        let mut names: Vec<String> = fs::read_dir(dir)
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    // One was missed: it is made at once. The log says when it is done.
    let log = town.folder.path().join("town.log");
    let deadline = System.now_s() + 60;
    while !fs::read_to_string(&log).unwrap().contains("backup made and verified") {
        assert!(System.now_s() < deadline, "{}", fs::read_to_string(&log).unwrap());
        std::thread::yield_now();
    }
    let names = made(&dir);
    assert_eq!(names.len(), 3, "{names:?}");
    assert_eq!(names[..2], ["holiday photos", "yaoguan-20260107T023000.backup"], "{names:?}");
    let status = town.run(&["status", "--backup-dir", dir.to_str().unwrap()]).done();
    assert!(status["backup_age_s"].as_i64().unwrap() < 120, "{status}");
    let report = town.run(&["doctor", "--backup-dir", dir.to_str().unwrap()]).done();
    let checks = report["checks"].as_array().unwrap();
    assert!(checks.iter().any(|check| check["found"] == "backup_good"), "{report}");
    // It is one that a town can be made of.
    let restored = town.folder.path().join("restored");
    fs::copy(town.folder.path().join("town.key"), town.folder.path().join("restored.key")).unwrap();
    let from = dir.join(&names[2]);
    let mut restore = command("yaoguan-town", town.folder.path());
    restore.arg("--data").arg(&restored).arg("restore").arg("--from").arg(&from).arg("--json");
    assert_eq!(Ran::of(restore).done()["ok"], true);
}
