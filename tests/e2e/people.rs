//! People and their phones with the real programs: a roster of 910, a sheet of 910 invites, a phone that is
//! lost and enrolled again, two persons on one phone, and an audit log that somebody tampers with.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;
use yaoguan_model::Env as _;

use crate::GRID;
use crate::town::Town;

/// The 91 grids of the demo town, as its list gives them.
fn grids(town: &Town) -> Vec<String> {
    let listed = town.ok(&["grids", "list"]);
    let codes = listed.as_array().unwrap().iter().map(|grid| grid["code"].as_str().unwrap());
    codes.map(str::to_owned).collect()
}

/// Ten chiefs a grid under Chinese headings; the first of each grid carries `mark` in the name.
fn roster(town: &Town, mark: &str) -> PathBuf {
    let mut text = "账号,姓名,角色,网格\n".to_owned();
    for grid in grids(town) {
        for number in 0..10 {
            let mark = if number == 0 { mark } else { "" };
            let login = format!("lf-{}-{number}", grid.strip_prefix("530521103").unwrap());
            writeln!(text, "{login},联防长{number}{mark},联防长,{grid}").unwrap();
        }
    }
    let file = town.folder.path().join("roster.csv");
    std::fs::write(&file, text).unwrap();
    file
}

fn counts(imported: &Value) -> [u64; 3] {
    ["added", "changed", "unchanged"].map(|key| imported[key].as_u64().unwrap())
}

#[test]
fn nine_hundred_and_ten_accounts_come_from_a_table_and_the_same_table_changes_nothing() {
    let town = Town::demo();
    let file = roster(&town, "");
    let import = || counts(&town.ok(&["accounts", "import", file.to_str().unwrap()]));
    assert_eq!(import(), [910, 0, 0]);
    assert_eq!(import(), [0, 0, 910]);
    roster(&town, "（组长）");
    assert_eq!(import(), [0, 91, 819]);
    let people = town.ok(&["accounts", "list"]);
    let own: Vec<&Value> = people
        .as_array()
        .unwrap()
        .iter()
        .filter(|person| person["login"].as_str().is_some_and(|login| login.starts_with("lf-")))
        .collect();
    assert_eq!(own.len(), 910);
    assert!(own.iter().all(|person| person["scope_version"] == 1), "names are no scope");
    assert_eq!(town.ok(&["audit", "verify"])["flaws"], serde_json::json!([]));
}

#[test]
fn a_bad_row_keeps_the_whole_table_out_until_it_is_left_out_on_purpose() {
    let town = Town::demo();
    let [file, rejects] =
        ["r.csv", "bad.csv"].map(|name| town.folder.path().join(name).display().to_string());
    let rows = format!(
        "login,name,role,grids\na1,王,chief,{GRID}\na2,王,mayor,{GRID}\na3,王,chief,530521103299001\n"
    );
    std::fs::write(&file, rows).unwrap();
    let before = town.ok(&["accounts"]);
    let ran = town.run(&["accounts", "import", &file]);
    assert_eq!(ran.code, Some(1), "{ran}");
    let lines: Vec<u64> =
        ran.json()["bad"].as_array().unwrap().iter().map(|b| b["line"].as_u64().unwrap()).collect();
    assert_eq!((lines, counts(&ran.json())), (vec![3, 4], [0, 0, 0]));
    assert_eq!(town.ok(&["accounts"]), before, "nothing is written");
    let chinese = town.say("zh", &["accounts", "import", &file]);
    assert!(chinese.out.contains("第 3 行：`mayor` 不是角色"), "{chinese}");
    let skipped = town.ok(&["accounts", "import", &file, "--skip-bad", "--rejects", &rejects]);
    assert_eq!(counts(&skipped), [1, 0, 0]);
    let rejected = std::fs::read_to_string(&rejects).unwrap();
    assert_eq!(rejected.lines().count(), 3, "{rejected}");
    assert!(rejected.contains("\"a2\"") && rejected.contains("530521103299001"), "{rejected}");
}

/// The invites that stand on a sheet, each beside its picture.
fn uris(sheet: &Path) -> Vec<String> {
    let html = std::fs::read_to_string(sheet).unwrap();
    assert_eq!(html.matches("<svg").count(), html.matches("<code>").count());
    let codes = html.split("<code>").skip(1).map(|rest| rest.split("</code>").next().unwrap());
    codes.map(|code| code.replace("&amp;", "&")).collect()
}

#[test]
fn a_sheet_of_910_invites_is_printed_in_seconds_and_a_phone_enrols_with_one() {
    let town = Town::serving();
    let out = town.folder.path().join("sheet.html");
    let clock = yaoguan_model::env::System;
    let started = clock.now_ms();
    let sheet = ["invites", "sheet", "--role", "chief", "--hours", "72", "--out"];
    let arguments: Vec<&str> = sheet.iter().copied().chain([out.to_str().unwrap()]).collect();
    let made = town.ok(&arguments);
    let took_ms = clock.now_ms() - started;
    println!("910 invites in {took_ms} ms, {} bytes", std::fs::metadata(&out).unwrap().len());
    assert_eq!(made["invites"], 910);
    assert!(took_ms < 60_000, "{took_ms} ms");
    let all = uris(&out);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 910, "each another code");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&out).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "for its owner alone");
    }
    let html = std::fs::read_to_string(&out).unwrap();
    assert!(!html.contains("<script") && !html.contains("http-equiv=\"refresh\""));
    assert_eq!(html.matches("<section>").count(), 12, "a page for each village");
    let phone = town.bare_phone("a");
    assert_eq!(phone.ok(&["enrol", &all[454]])["role"], "chief");
    assert_eq!(town.ok(&["invites", "list"]).as_array().unwrap().len(), 909);
    // Nobody is meant by mistake.
    let nobody = ["invites", "sheet", "--role", "admin", "--village", "530521103201", "--out", "x"];
    assert_eq!(town.run(&nobody).error()["code"], "sheet_nobody");
    assert_eq!(town.run(&["invites", "sheet", "--out", "x"]).error()["code"], "sheet_whom");
}

#[test]
fn a_lost_phone_is_struck_off_and_enrolled_again_with_what_it_had_not_sent() {
    let town = Town::serving();
    town.ok(&[
        "accounts", "add", "--login", "w1", "--name", "王", "--role", "chief", "--grids", GRID,
    ]);
    let account = town.ok(&["accounts", "list"]);
    let account = account.as_array().unwrap().iter().find(|a| a["login"] == "w1").unwrap();
    let account = account["id"].as_str().unwrap().to_owned();
    let invite = || {
        let made = town.ok(&["invite", "--account", &account]);
        made["uri"].as_str().unwrap().to_owned()
    };
    let phone = town.bare_phone("a");
    phone.ok(&["enrol", &invite()]);
    let sent = phone.add("hazard", &["category=water"]);
    phone.sync();
    let devices = town.ok(&["devices", "list"]);
    let device = devices[0]["id"].as_str().unwrap().to_owned();
    town.ok(&["devices", "revoke", &device, "--reason", "lost"]);

    let held = phone.add("hazard", &["category=fire"]);
    assert_eq!(phone.refused(&["sync"]), "town_refused");
    assert_eq!(town.ok(&["held", "list"])[0]["record"], held.as_str());
    let unsent = phone.add("hazard", &["category=gas"]);
    // Another person's invite is left unused.
    let other = town.invite("chief", GRID);
    assert_eq!(phone.refused(&["enrol", &other, "--again"]), "other_account");
    assert_eq!(phone.refused(&["enrol", &invite()]), "already_enrolled");
    town.bare_phone("b").ok(&["enrol", &other]);

    phone.ok(&["enrol", &invite(), "--again"]);
    phone.sync();
    assert_eq!(phone.show(&sent)["state"], "sent");
    assert_eq!(phone.show(&unsent)["state"], "sent");
    assert_eq!(town.hazards(), 2, "what was held before still waits for a supervisor");
    let hold = town.ok(&["held", "list"])[0]["id"].as_str().unwrap().to_owned();
    town.ok(&["held", "release", &hold]);
    phone.sync();
    assert_eq!((phone.hazards(), town.hazards()), (3, 3));
    phone.assert_sound();
    town.assert_sound();
    let log = town.ok(&["audit", "list", "--about", &device]);
    let acts: Vec<&str> =
        log.as_array().unwrap().iter().map(|entry| entry["act"].as_str().unwrap()).collect();
    assert_eq!(acts, ["device_enrolled", "device_revoked"]);
    assert_eq!(log[1]["reason"], "lost");
    assert!(log[1]["by"].as_str().unwrap().starts_with("console:"), "{log}");
}

#[test]
fn an_account_that_is_closed_is_barred_and_goes_on_when_it_is_opened() {
    let town = Town::serving();
    let phone = town.phone("a", "chief", GRID);
    let account = town.ok(&["devices", "list"])[0]["account"].as_str().unwrap().to_owned();
    town.ok(&["accounts", "disable", &account, "--reason", "left"]);
    let said = phone.run(&["sync"]).error();
    assert_eq!(said["code"], "town_refused", "{said}");
    let error = town.run(&["accounts", "disable", "admin"]).error();
    assert_eq!(error["code"], "last_admin");
    town.ok(&["accounts", "enable", &account]);
    phone.add("hazard", &["category=water"]);
    assert_eq!(phone.sync()["sent"], 1);
}

/// Each person has a data folder: what one records, the other does not see until the town says so.
#[test]
fn two_persons_share_a_phone_and_nothing_else() {
    let town = Town::serving();
    let first = town.phone("day", "chief", GRID);
    let second = town.phone("night", "volunteer", "530521103202001");
    let household = first.add("household", &["address=1", &format!("grid={GRID}")]);
    let hazard = second.add("hazard", &["category=fire", "grid=530521103202001"]);
    for phone in [&first, &second, &first, &second] {
        phone.sync();
    }
    assert_eq!(first.refused(&["show", &hazard]), "not_found");
    assert_eq!(second.refused(&["show", &household]), "not_found");
    let keys = [&first, &second].map(|phone| std::fs::read(phone.data.join("phone.key")).unwrap());
    assert_ne!(keys[0], keys[1]);
    let devices = town.ok(&["devices", "list"]);
    assert_ne!(devices[0]["account"], devices[1]["account"]);
}

#[test]
fn a_password_is_set_with_a_code_that_is_handed_out_once() {
    let town = Town::demo();
    let made = town.ok(&["accounts", "reset", "supervisor"]);
    assert_eq!(made["login"], "supervisor");
    let set = |typed: &str| town.fed(&["accounts", "password", "supervisor"], typed);
    assert_eq!(set("short\n").error()["code"], "password_short");
    assert_eq!(set(" 1234567890\n").error()["code"], "password_spaces");
    assert_eq!(set(&"a".repeat(300)).error()["code"], "password_long");
    assert_eq!(set("correct horse\r\n").done()["login"], "supervisor");
    let people = town.ok(&["accounts"]);
    let with_password: Vec<&str> = people
        .as_array()
        .unwrap()
        .iter()
        .filter(|person| person["has_password"] == true)
        .map(|person| person["login"].as_str().unwrap())
        .collect();
    assert_eq!(with_password, ["admin", "supervisor"], "nobody else of the demo has one");
}

/// Opens the database of a stopped town as somebody with its key could.
fn tamper(town: &Town, sql: &str) {
    let key = std::fs::read_to_string(town.folder.path().join("town.key")).unwrap();
    let db = rusqlite::Connection::open(town.data().join("town.db")).unwrap();
    db.execute_batch(&format!("PRAGMA key = \"x'{}'\"", key.trim())).unwrap();
    let triggers =
        "DROP TRIGGER audit_stays; DROP TRIGGER audit_is_kept; DROP TRIGGER audit_only_grows;";
    db.execute_batch(triggers).unwrap();
    db.execute_batch(sql).unwrap();
}

fn flaws(town: &Town) -> Vec<(String, u64)> {
    let ran = town.run(&["audit", "verify"]);
    assert_eq!(ran.code, Some(1), "{ran}");
    let found = ran.json()["flaws"].as_array().unwrap().clone();
    let pair = |flaw: &Value| {
        (flaw["sort"].as_str().unwrap().to_owned(), flaw["sequence"].as_u64().unwrap())
    };
    found.iter().map(pair).collect()
}

#[test]
fn an_entry_that_was_changed_taken_away_moved_or_cut_off_is_found() {
    let sound = Town::demo();
    sound.ok(&["accounts", "disable", "supervisor", "--reason", "left"]);
    let entries = sound.ok(&["audit", "verify"])["entries"].as_u64().unwrap();
    assert!(entries > 970, "{entries}");
    let is = |sort: &str, sequence: u64| (sort.to_owned(), sequence);

    // The triggers refuse it, for whoever does not take them away first.
    let key = std::fs::read_to_string(sound.folder.path().join("town.key")).unwrap();
    let db = rusqlite::Connection::open(sound.data().join("town.db")).unwrap();
    db.execute_batch(&format!("PRAGMA key = \"x'{}'\"", key.trim())).unwrap();
    for sql in [
        "UPDATE audit SET reason = '' WHERE sequence = 1",
        "DELETE FROM audit WHERE sequence = 1",
        "INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE sequence = 1",
    ] {
        assert!(db.execute_batch(sql).is_err(), "{sql}");
    }
    drop(db);

    let changed = sound.copied();
    tamper(&changed, &format!("UPDATE audit SET reason = 'x' WHERE sequence = {entries}"));
    assert_eq!(flaws(&changed), [is("changed", entries)]);

    let missing = sound.copied();
    tamper(&missing, "DELETE FROM audit WHERE sequence = 500");
    assert!(flaws(&missing).contains(&is("missing", 500)));

    let moved = sound.copied();
    tamper(
        &moved,
        "UPDATE audit SET sequence = -1 WHERE sequence = 400; \
         UPDATE audit SET sequence = 400 WHERE sequence = 401; \
         UPDATE audit SET sequence = 401 WHERE sequence = -1",
    );
    let found = flaws(&moved);
    assert!(found.contains(&is("changed", 400)) && found.contains(&is("changed", 401)));

    let cut = sound.copied();
    tamper(&cut, &format!("DELETE FROM audit WHERE sequence > {}", entries - 1));
    assert_eq!(flaws(&cut), [is("cut_off", entries)]);

    // The noted heads alone: made up, or gone.
    let noted = sound.copied();
    let heads = noted.folder.path().join("town.audit-head");
    let text = std::fs::read_to_string(&heads).unwrap();
    std::fs::write(&heads, format!("{text}9999 {} {}\n", "0".repeat(64), "0".repeat(64))).unwrap();
    assert_eq!(flaws(&noted), [is("anchor", 0)]);
    assert_eq!(sound.ok(&["audit", "verify"])["flaws"], serde_json::json!([]));
}
