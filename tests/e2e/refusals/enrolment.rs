//! Invites that do not work, and folders that are no phone yet.

use super::{assert_refused, has_han};
use crate::GRID;
use crate::town::Town;

#[test]
fn what_is_not_an_invite_makes_no_phone() {
    let town = Town::serving();
    let phone = town.bare_phone("a");
    for text in ["hello", "https://example.org", "yaoguan://enrol?town=ftp://x&code=1", ""] {
        assert_eq!(phone.refused(&["enrol", text]), "bad_invite", "{text}");
        assert!(has_han(&phone.say("zh", &["enrol", text]).err));
    }
    assert!(!phone.data.exists(), "a folder was made");
}

#[test]
fn a_used_invite_is_refused_and_a_new_one_works_on_the_same_folder() {
    let town = Town::serving();
    let invite = town.invite("chief", GRID);
    town.bare_phone("a").ok(&["enrol", &invite]);
    let second = town.bare_phone("b");
    assert_eq!(second.refused(&["enrol", &invite]), "town_refused");
    let said = [second.say("en", &["enrol", &invite]), second.say("zh", &["enrol", &invite])];
    assert_eq!(
        said.clone().map(|s| (s.code, has_han(&s.err))),
        [(Some(1), false), (Some(1), true)]
    );
    assert_eq!(second.refused(&["status"]), "not_enrolled");
    second.ok(&["enrol", &town.invite("chief", GRID)]);
    second.assert_sound();
}

#[test]
fn an_invite_of_an_unknown_code_or_another_ca_is_refused() {
    let town = Town::serving();
    let phone = town.bare_phone("a");
    let invite = town.invite("chief", GRID);
    let (start, _) = invite.split_once("&code=").unwrap();
    let unknown = format!("{start}&code=AAAA&ca={}", town.fingerprint);
    assert_eq!(phone.refused(&["enrol", &unknown]), "town_refused");
    let other = invite.replace(&town.fingerprint, &"0".repeat(64));
    assert_ne!(other, invite);
    assert_eq!(phone.refused(&["enrol", &other]), "not_the_town");
    // Neither used the invite up.
    phone.ok(&["enrol", &invite]);
}

#[test]
fn an_enrolled_phone_is_not_enrolled_again() {
    let town = Town::serving();
    let phone = town.phone("a", "chief", GRID);
    let invite = town.invite("chief", GRID);
    assert_refused(&phone, &["enrol", &invite], "already_enrolled");
    town.bare_phone("b").ok(&["enrol", &invite]);
}

#[test]
fn invites_hold_no_longer_than_they_may_and_name_who_they_are_for() {
    let town = Town::serving();
    let chief = ["invite", "--role", "chief", "--grid", GRID, "--minutes"];
    for minutes in ["0", "11", "-5"] {
        let minutes = format!("--minutes={minutes}");
        let arguments = [&chief[..5], &[minutes.as_str()]].concat();
        assert_eq!(town.run(&arguments).error()["code"], "invite_minutes", "{minutes}");
    }
    assert_eq!(town.run(&["invite", "--role", "chief"]).error()["code"], "invite_grid");
    assert_eq!(town.run(&["invite"]).error()["code"], "invite_role");
    let nobody = ["invite", "--account", "0197a0a0-0000-7000-8000-000000000001"];
    assert_eq!(town.run(&nobody).error()["code"], "no_such_account");
    assert!(has_han(&town.say("zh", &nobody).err));
    let accounts = town.ok(&["accounts"]);
    let id = accounts[1]["id"].as_str().unwrap();
    town.ok(&["invite", "--account", id, "--minutes", "4320"]);
    let too_long = town.run(&["invite", "--account", id, "--minutes", "4321"]);
    assert_eq!(too_long.error()["code"], "invite_minutes");
}

#[test]
fn a_folder_that_is_no_phone_says_so_and_stays_as_it_is() {
    let town = Town::demo();
    let phone = town.bare_phone("nobody");
    let id = "0197a0a0-0000-7000-8000-000000000001";
    let commands: [&[&str]; 17] = [
        &["add", "hazard", "--set", "category=fire"],
        &["edit", id, "--set", "title=x"],
        &["delete", id],
        &["undelete", id],
        &["resolve", id, "--set", "title=x"],
        &["list", "hazards"],
        &["show", id],
        &["search", "x"],
        &["nearby", "fire", "24.6,99.2"],
        &["import", "track", "x.gpx"],
        &["export", "hazards", "--format", "csv", "--out", "x.csv"],
        &["sync"],
        &["status"],
        &["verify"],
        &["address", "https://127.0.0.1:1"],
        &["quarantine", "list"],
        &["api", "/v1/records/hazard"],
    ];
    for arguments in commands {
        assert_eq!(phone.refused(arguments), "not_enrolled", "{arguments:?}");
    }
    let said = phone.say("zh", &["status"]);
    assert!(said.code == Some(1) && said.err.contains("还没有登记"), "{said}");
    assert!(!phone.data.exists(), "a folder was made");
}

#[test]
fn a_folder_without_a_town_says_so() {
    let town = Town::demo();
    let again = town.run(&["init", "--demo"]).error();
    assert!(again["message"].as_str().unwrap().contains("town"), "{again}");
    std::fs::rename(town.data(), town.folder.path().join("elsewhere")).unwrap();
    for arguments in [&["status"][..], &["verify"], &["grids", "list"], &["accounts"], &["ca"]] {
        assert_eq!(town.run(arguments).error()["code"], "town", "{arguments:?}");
        assert!(has_han(&town.say("zh", arguments).err), "{arguments:?}");
    }
    assert!(!town.data().exists(), "a folder was made");
}
