//! A town put back from before, with real programs: by command, and by copying files. What any phone still
//! holds is back after each phone's next sync; nobody is let in again.

use std::path::Path;

use serde_json::json;
use yaoguan_testkit::network::own_address;

use crate::GRID;
use crate::phone::{Phone, sync_each};
use crate::town::{Town, copy};

/// What stood in the town when it was kept, and what has happened since.
struct Case {
    town: Town,
    /// Phones of people who still have theirs, the last one enrolled after the town was kept.
    phones: Vec<Phone>,
    lost: Phone,
    used_invite: String,
    erased: String,
    /// The reports that there must be.
    reports: Vec<String>,
}

/// `keep` keeps the stopped town, or makes a backup of the serving one.
fn case(keep: impl FnOnce(&mut Town)) -> Case {
    let mut town = Town::demo();
    town.serve(&own_address().to_string());
    let mut phones = ["a", "b"].map(|name| town.phone(name, "chief", GRID)).to_vec();
    let lost = town.phone("lost", "chief", GRID);
    let old = phones[0].add("hazard", &["category=fire", "title=old"]);
    let address = ["address=1", &format!("grid={GRID}")];
    let erased = phones[0].add("household", &address);
    sync_each(&[&phones[0], &phones[1], &lost]);
    keep(&mut town);

    phones[0].edit(&old, "title=edited since");
    let new = phones[1].add("hazard", &["category=gas", "title=new"]);
    sync_each(&[&phones[0], &phones[1], &phones[0]]);
    assert_eq!(town.ok(&["erase", &erased, "--reason", "asked for"])["erased"]["household"], 1);
    let devices = town.ok(&["devices", "list"]);
    let device = devices.as_array().unwrap().iter().find(|device| device["name"] == "lost");
    let device = device.unwrap()["id"].as_str().unwrap();
    town.ok(&["devices", "revoke", device, "--reason", "lost"]);
    let used_invite = town.invite("chief", GRID);
    let later = town.bare_phone("later");
    later.ok(&["enrol", &used_invite]);
    let of_later = later.add("hazard", &["category=road", "title=later"]);
    later.sync();
    phones.push(later);
    Case { town, phones, lost, used_invite, erased, reports: vec![old, new, of_later] }
}

impl Case {
    /// Everything is back and nobody is in again.
    fn assert_whole(self) {
        let Self { mut town, phones, lost, used_invite, erased, reports } = self;
        town.serve_again();
        let all: Vec<&Phone> = phones.iter().collect();
        for _ in 0..2 {
            sync_each(&all);
        }
        town.ok(&["recovered", "take", "--all"]);
        sync_each(&all);
        for phone in &all {
            assert_eq!(phone.hazards(), 3);
            assert_eq!(phone.show(&reports[0])["fields"]["title"], "edited since");
            assert!(reports.iter().all(|id| phone.show(id)["state"] == "sent"));
            assert_eq!(phone.refused(&["show", &erased]), "not_found");
            assert_eq!(phone.status()["quarantined"], 0);
            phone.assert_sound();
        }
        assert_eq!(town.hazards(), 3);
        assert_eq!(town.ok(&["status"])["records"]["household"], json!(null), "stays erased");
        assert_eq!(lost.run(&["sync"]).error()["code"], "town_refused", "stays struck off");
        let again = town.bare_phone("again");
        assert_eq!(again.refused(&["enrol", &used_invite]), "town_refused", "stays used");
        town.assert_sound();
        assert_eq!(town.ok(&["audit", "verify"])["flaws"], json!([]));
    }
}

fn backup_of(town: &Town) -> String {
    town.folder.path().join("backup").to_str().unwrap().to_owned()
}

#[test]
fn by_command_after_the_machine_failed() {
    let mut case = case(|town| {
        town.ok(&["backup", "--out", &backup_of(town)]);
    });
    case.town.kill();
    // The disk is gone; key, journal and marker lay elsewhere.
    std::fs::remove_dir_all(case.town.data()).unwrap();
    let restored = case.town.ok(&["restore", "--from", &backup_of(&case.town)]);
    assert_eq!((&restored["ok"], &restored["aside"]), (&true.into(), &json!(null)));
    case.assert_whole();
}

#[test]
fn by_command_over_what_stands_there() {
    let mut case = case(|town| {
        town.ok(&["backup", "--out", &backup_of(town)]);
    });
    case.town.stop();
    let restored = case.town.ok(&["restore", "--from", &backup_of(&case.town)]);
    let aside = restored["aside"].as_str().unwrap();
    assert!(Path::new(aside).join("town.db").exists(), "nothing is deleted");
    case.assert_whole();
}

#[test]
fn by_copying_the_folder_back() {
    let kept = tempfile::tempdir().unwrap();
    let mut case = case(|town| {
        town.stop();
        copy(&town.data(), kept.path());
        town.serve_again();
    });
    case.town.kill();
    std::fs::remove_dir_all(case.town.data()).unwrap();
    std::fs::create_dir(case.town.data()).unwrap();
    copy(kept.path(), &case.town.data());
    case.assert_whole();
}
