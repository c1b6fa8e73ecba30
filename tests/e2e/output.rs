//! Every command of both programs speaks JSON: exactly one value on stdout, exit code 0.

use std::cell::RefCell;
use std::collections::BTreeSet;

use clap::CommandFactory as _;
use serde_json::Value;

use crate::GRID;
use crate::phone::Phone;
use crate::real::{mapping, own};
use crate::town::Town;

/// The commands of a program that have none below them: `import track`, `sync`.
fn leaves(command: &clap::Command, path: &str) -> BTreeSet<String> {
    let below = |child: &clap::Command| {
        let path = format!("{path} {}", child.get_name());
        if child.has_subcommands() {
            leaves(child, &path)
        } else {
            BTreeSet::from([path.trim().to_owned()])
        }
    };
    command.get_subcommands().flat_map(below).collect()
}

/// Notes which commands were run.
struct Covered(RefCell<BTreeSet<String>>, BTreeSet<String>);

impl Covered {
    fn of(command: &clap::Command) -> Self {
        Self(RefCell::default(), leaves(command, ""))
    }
    fn note(&self, arguments: &[&str]) {
        let first = |n: usize| arguments.iter().take(n).copied().collect::<Vec<_>>().join(" ");
        let named = [3, 2].map(first).into_iter().find(|name| self.1.contains(name));
        let name = named.unwrap_or_else(|| first(1));
        self.0.borrow_mut().insert(name);
    }
    fn assert_all(&self) {
        assert_eq!(*self.0.borrow(), self.1, "a command is not tried here, or is none");
    }
}

#[test]
fn every_command_of_the_phone_gives_one_json_value() {
    let town = Town::serving();
    let (phone, other) = (town.bare_phone("a"), town.phone("b", "chief", GRID));
    let covered = Covered::of(&yaoguan_cli::phone::Arguments::command());
    let run = |arguments: &[&str]| -> Value {
        covered.note(arguments);
        phone.ok(arguments)
    };
    let invite = town.invite("chief", GRID);
    assert_eq!(run(&["enrol", &invite])["records"]["grid"], 91);
    let at = "position=24.5563,99.1223";
    let added =
        run(&["add", "hazard", "--set", "category=fire", "--set", "title=炉子", "--set", at]);
    let id = added["id"].as_str().unwrap();
    assert_eq!(added["kind"], "hazard");
    assert_eq!(run(&["edit", id, "--set", "severity=major"])["id"], id);
    assert_eq!(run(&["show", id])["fields"]["severity"], "major");
    assert_eq!(run(&["list", "hazards"])[0]["id"], id);
    assert_eq!(run(&["list", "patrols"]), serde_json::json!([]));
    assert_eq!(run(&["search", "炉子"])[0]["id"], id);
    assert_eq!(run(&["nearby", "fire", "24.5563,99.1223"])[0]["id"], id);
    assert_eq!(run(&["sync"])["sent"], 1);
    other.sync();
    other.edit(id, "title=by b");
    other.sync();
    phone.edit(id, "title=by a");
    assert_eq!(run(&["sync"])["received"], 1);
    assert_eq!(run(&["resolve", id, "--keep", "title=1"])["id"], id);
    assert_eq!(run(&["delete", id])["id"], id);
    assert_eq!(run(&["undelete", id])["id"], id);
    quarantine(&town, &phone, &covered, &run);
    assert_eq!(run(&["api", "/v1/records/hazard"])["records"][0]["id"], id);
    assert_eq!(run(&["token"])["token"].as_str().unwrap().len(), 43);
    assert_eq!(run(&["verify"])["ok"], true);
    assert_eq!(run(&["check"])["ok"], true);
    assert_eq!(run(&["rebuild"])["records"], 94);
    assert_eq!(run(&["address", &town.url])["town"], town.url.as_str());
    let [table, rejects, gpx, out] =
        ["t.csv", "r.csv", "t.gpx", "o.csv"].map(|n| phone.file(n).to_str().unwrap().to_owned());
    std::fs::write(&gpx, GPX).unwrap();
    std::fs::write(&table, own_table()).unwrap();
    let mapping = mapping();
    let mapping = mapping.to_str().unwrap();
    let imported = run(&["import", "hazards", &table, "--mapping", mapping, "--rejects", &rejects]);
    assert_eq!((&imported["read"], &imported["imported"]), (&1.into(), &1.into()));
    let track = run(&["import", "track", &gpx]);
    assert_eq!(track["points"], 2);
    let patrol = track["id"].as_str().unwrap();
    let to = ["track", "export", patrol, "--format", "gpx", "--out", &out];
    assert_eq!(run(&to)["fixes"], 2);
    assert_eq!(run(&["track", "drop", patrol])["id"], patrol);
    photos(&phone, id, &run);
    assert_eq!(run(&["export", "hazards", "--format", "csv", "--out", &out])["exported"], 2);
    assert_eq!(run(&["status"])["records"]["patrol"], 1);
    covered.assert_all();
}

fn photos(phone: &Phone, id: &str, run: &impl Fn(&[&str]) -> Value) {
    let [picture, out] = ["p.png", "p.jpg"].map(|n| phone.file(n).to_str().unwrap().to_owned());
    std::fs::write(&picture, yaoguan_testkit::photos::camera(1, 64, 48)).unwrap();
    let hash = run(&["attach", id, &picture])["hash"].as_str().unwrap().to_owned();
    assert_eq!(run(&["photos", "list", id])[0]["hash"], hash.as_str());
    assert_eq!(run(&["photos", "send", id])["id"], id);
    assert_eq!(run(&["photos", "free"])["files"], 0);
    assert!(run(&["photos", "save", &hash, "--out", &out])["bytes"].as_u64().unwrap() > 100);
    assert_eq!(run(&["photos", "remove", id, &hash])["id"], id);
}

/// Edits of erased households whose holds the town declines: one is mended into a new household, one cannot
/// be resent as it is, all are thrown away in the end.
fn quarantine(town: &Town, phone: &Phone, covered: &Covered, run: &impl Fn(&[&str]) -> Value) {
    assert_eq!(run(&["quarantine", "list"]), serde_json::json!([]));
    let grid = format!("grid={GRID}");
    let ids = ["1", "2", "3"].map(|n| phone.add("household", &[&format!("address={n}"), &grid]));
    phone.sync();
    for id in &ids {
        town.ok(&["erase", id, "--reason", "asked for"]);
        phone.edit(id, "contact_name=unseen");
    }
    assert_eq!(run(&["sync"])["held"], 3);
    let first = || run(&["quarantine", "list"])[0]["number"].to_string();
    assert_eq!(phone.refused(&["quarantine", "mend", &first()]), "held_by_town");
    for held in town.ok(&["held", "list"]).as_array().unwrap() {
        town.ok(&["held", "refuse", held["id"].as_str().unwrap(), "--note", "gone"]);
    }
    phone.sync();
    let shown = run(&["quarantine", "show", &first()]);
    assert_eq!((&shown["code"], &shown["detail"]), (&"hold_refused".into(), &"gone".into()));
    let mend = ["quarantine", "mend", &first(), "--set", "address=4", "--set", &grid];
    let mended = run(&mend)["id"].as_str().unwrap().to_owned();
    assert!(!ids.contains(&mended), "what was erased stays erased");
    phone.sync();
    assert_eq!(run(&["show", &mended])["fields"]["contact_name"], "unseen");
    let resend = ["quarantine", "resend", &first()];
    assert_eq!(phone.refused(&resend), "missing_field");
    covered.note(&resend);
    for _ in 0..2 {
        run(&["quarantine", "discard", &first()]);
    }
    assert_eq!(run(&["quarantine", "list"]), serde_json::json!([]));
    run(&["delete", &mended]);
    phone.sync();
}

#[test]
fn every_command_of_the_town_gives_one_json_value() {
    let mut town = Town::demo();
    let covered = Covered::of(&yaoguan_cli::town::Arguments::command());
    // Made and served by the harness, which reads exactly one value of each.
    covered.note(&["init"]);
    town.serve("127.0.0.1:0");
    covered.note(&["serve"]);
    let run = |arguments: &[&str]| -> Value {
        covered.note(arguments);
        town.ok(arguments)
    };
    assert!(run(&["invite", "--role", "chief", "--grid", GRID])["uri"].is_string());
    let grids = run(&["grids", "list"]);
    assert_eq!((grids.as_array().unwrap().len(), &grids[0]["code"]), (91, &GRID.into()));
    let file = town.folder.path().join("grids.geojson");
    std::fs::write(&file, one_grid(GRID)).unwrap();
    assert_eq!(run(&["grids", "import", file.to_str().unwrap()])["changed"], 1);
    let all = 1 + 910 + 48 + 13 + 1;
    assert_eq!(town.ok(&["accounts"]).as_array().unwrap().len(), all);
    assert_eq!(run(&["accounts", "list"]).as_array().unwrap().len(), all);
    people(&town, &covered, &run);
    assert!(run(&["ca"])["ca_pem"].as_str().unwrap().contains("BEGIN CERTIFICATE"));
    assert_eq!(run(&["status"])["records"]["grid"], 91);
    assert_eq!(run(&["verify"])["ok"], true);
    assert_eq!(run(&["doctor"])["ok"], true);
    assert_eq!(run(&["settings"])[0]["name"], "data");
    apart(&town, &run);
    let files = run(&["blobs", "check"]);
    assert_eq!((&files["files"], &files["bad"]), (&0.into(), &serde_json::json!([])));
    assert_eq!(run(&["purge"])["total"], 0);
    assert!(run(&["demo-activity", "--days", "1"])["devices"].as_u64().unwrap() > 0);
    let backup = town.folder.path().join("backup");
    let backup = backup.to_str().unwrap();
    assert_eq!(run(&["backup", "--out", backup])["folder"], backup);
    town.stop();
    // Where to is not said; what it does with a database is in `tests/postgres`.
    covered.note(&["move"]);
    assert_eq!(town.run(&["move"]).error()["code"], "move_where");
    covered.note(&["restore"]);
    assert_eq!(town.ok(&["restore", "--from", backup])["ok"], true);
    covered.assert_all();
}

/// Accounts, invites, phones and what the audit log says of them.
fn people(town: &Town, covered: &Covered, run: &impl Fn(&[&str]) -> Value) {
    let add =
        ["accounts", "add", "--login", "w1", "--name", "王", "--role", "chief", "--grids", GRID];
    assert_eq!(run(&add)["login"], "w1");
    let [table, sheet] =
        ["roster.csv", "sheet.html"].map(|n| town.folder.path().join(n).display().to_string());
    std::fs::write(&table, format!("login,name,role,grids\nw1,李,chief,{GRID}\n")).unwrap();
    assert_eq!(run(&["accounts", "import", &table])["changed"], 1);
    let role = ["accounts", "role", "w1", "volunteer", "--reason", "asked for"];
    assert_eq!(
        (run(&role)["role"].clone(), run(&role)["scope_version"].clone()),
        ("volunteer".into(), 2.into())
    );
    assert_eq!(run(&["accounts", "grids", "w1", "530521103202"])["scope_version"], 3);
    assert_eq!(run(&["accounts", "login", "w1", "w2"])["login"], "w2");
    assert_eq!(run(&["accounts", "login", "w2", "w1"])["login"], "w1");
    assert_eq!(run(&["accounts", "disable", "w1"])["disabled"], true);
    assert_eq!(run(&["accounts", "enable", "w1"])["disabled"], false);
    assert_eq!(run(&["accounts", "reset", "w1"])["code"].as_str().unwrap().len(), 19);
    covered.note(&["accounts", "password"]);
    assert_eq!(town.fed(&["accounts", "password", "w1"], "correct horse\n").done()["login"], "w1");
    let uri = run(&["accounts", "totp", "enrol", "w1"])["uri"].clone();
    assert!(uri.as_str().unwrap().starts_with("otpauth://totp/"), "{uri}");
    covered.note(&["accounts", "totp", "confirm"]);
    let wrong = town.run(&["accounts", "totp", "confirm", "w1", "wrong"]).error();
    assert_eq!(wrong["code"], "totp_wrong");
    assert_eq!(run(&["accounts", "totp", "disable", "w1"])["has_totp"], false);
    let made = run(&["invites", "sheet", "--grid", "530521103202001", "--out", &sheet]);
    assert!(made["invites"].as_u64().unwrap() > 10, "{made}");
    let waiting = run(&["invites", "list"]);
    let id = waiting[0]["id"].as_str().unwrap();
    assert_eq!(run(&["invites", "revoke", id])["invite"], id);
    let phone = town.phone("people", "chief", GRID);
    assert_eq!(phone.sync()["refused"], 0);
    let devices = run(&["devices", "list"]);
    assert_eq!(devices[0]["name"], "people");
    assert_eq!(run(&["devices", "revoke", devices[0]["id"].as_str().unwrap()])["revoked"], true);
    let log = run(&["audit", "list", "--limit", "5"]);
    assert_eq!((log.as_array().unwrap().len(), &log[0]["act"]), (5, &"init".into()));
    assert_eq!(run(&["audit", "verify"])["flaws"], serde_json::json!([]));
}

/// Two households are erased; what a phone wrote on them meanwhile is held, released, refused.
fn apart(town: &Town, run: &impl Fn(&[&str]) -> Value) {
    let (chief, grid) = (town.phone("apart", "chief", GRID), format!("grid={GRID}"));
    let households = ["address=1", "address=2"].map(|at| chief.add("household", &[at, &grid]));
    chief.sync();
    for household in &households {
        let erased = run(&["erase", household, "--reason", "asked for"]);
        assert_eq!(erased["erased"]["household"], 1);
        chief.edit(household, "contact_name=unseen");
    }
    chief.sync();
    let held = run(&["held", "list"]);
    let [released, refused] = [0, 1].map(|n| held[n]["id"].as_str().unwrap());
    assert_eq!(run(&["held", "show", released])["code"], "purged");
    let release = ["held", "release", released, "--set", "address=3", "--set", &grid];
    assert_eq!(run(&release)["hold"], released);
    assert_eq!(run(&["held", "refuse", refused, "--note", "gone"])["hold"], refused);
    assert_eq!(run(&["held", "list"]), serde_json::json!([]));
    assert_eq!(run(&["recovered", "list"]), serde_json::json!([]));
    assert_eq!(run(&["recovered", "take", "--all"])["taken"], 0);
}

/// One row of the table that the project's mapping reads.
fn own_table() -> String {
    let mapping = std::fs::read_to_string(own("crates/exchange/mappings/nasa-landslides.toml"));
    assert!(mapping.unwrap().contains("landslide_type"));
    "id,date,time,nearest_places,hazard_type,landslide_type,trigger,storm_name,source_name,\
     source_link,location_description,location_accuracy,landslide_size,countryname,adminname1,\
     adminname2,latitude,longitude\n\
     1,1/2/2007,,Whitehaven,landslide,Landslide,Rain,,,,,,Medium,,,,54.5494,-3.5875\n"
        .to_owned()
}

const GPX: &str = r#"<gpx version="1.1" creator="t" xmlns="http://www.topografix.com/GPX/1/1">
<trk><trkseg><trkpt lat="24.6" lon="99.2"/><trkpt lat="24.601" lon="99.2"/></trkseg></trk></gpx>"#;

fn one_grid(code: &str) -> String {
    serde_json::json!({ "type": "FeatureCollection", "features": [{
        "type": "Feature",
        "properties": {
            "code": code, "name": "第一网格", "village": "530521103201", "village_name": "姚关社区",
        },
        "geometry": { "type": "Polygon", "coordinates":
            [[[99.1, 24.5], [99.2, 24.5], [99.2, 24.6], [99.1, 24.6], [99.1, 24.5]]] },
    }]})
    .to_string()
}
