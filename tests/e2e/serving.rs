//! The server as a process: its first line, its end, its address; one sync at a time.

use std::fs::File;
use std::process::Stdio;
use yaoguan_testkit::network::own_address;

use crate::GRID;
use crate::program::Ran;
use crate::town::Town;

#[test]
fn the_first_line_tells_where_and_sigterm_ends_it_well() {
    let mut town = Town::serving();
    let (scheme, address) = town.url.split_once("://").unwrap();
    let port: u16 = address.rsplit(':').next().unwrap().parse().unwrap();
    assert!(scheme == "https" && port > 0, "{}", town.url);
    assert_eq!(town.fingerprint, town.ok(&["ca"])["fingerprint"]);
    assert!(town.fingerprint.len() == 64, "{}", town.fingerprint);
    let phone = town.phone("a", "chief", GRID);
    phone.sync();
    assert_eq!(town.stop().code(), Some(0));
}

#[test]
fn a_town_that_was_stopped_goes_on_where_it_was() {
    let mut town = Town::demo();
    town.serve(&own_address().to_string());
    let phone = town.phone("a", "chief", GRID);
    let id = phone.add("hazard", &["category=water"]);
    phone.sync();
    town.stop();
    town.serve_again();
    assert_eq!(phone.sync()["requests"], 1);
    assert_eq!(phone.show(&id)["state"], "sent");
    assert_eq!(town.hazards(), 1);
}

#[test]
fn a_town_that_moves_is_found_again_without_a_new_enrolment() {
    let mut town = Town::demo();
    town.serve(&own_address().to_string());
    let phone = town.phone("a", "chief", GRID);
    let id = phone.add("hazard", &["category=road", "title=Hole"]);
    town.stop();
    town.serve("127.0.0.1:0");
    let before = phone.all();
    assert_eq!(phone.refused(&["sync"]), "offline");
    assert!(phone.say("zh", &["sync"]).err.contains("连不上镇端"));
    assert_eq!(phone.all(), before);

    assert_eq!(phone.ok(&["address", &town.url])["town"], town.url.as_str());
    assert_eq!(phone.sync()["sent"], 1);
    assert_eq!(phone.show(&id)["state"], "sent");
    assert_eq!(town.hazards(), 1);
    // What is invited from now on carries the new address by itself.
    town.phone("b", "chief", GRID).show(&id);
}

#[test]
fn a_town_behind_a_proxy_speaks_plain_http_and_its_invites_name_no_ca_of_its_own() {
    let mut town = Town::demo();
    town.serve_with("127.0.0.1:0", &["--behind-proxy"]);
    assert!(town.url.starts_with("http://127.0.0.1:"), "{}", town.url);
    assert!(!town.invite("chief", GRID).contains("ca="));
    let phone = town.phone("a", "chief", GRID);
    phone.add("hazard", &["category=road"]);
    assert_eq!(phone.sync()["sent"], 1);
    // A line that others read along is not an address.
    assert_eq!(phone.refused(&["address", "http://town.example"]), "bad_invite");
    town.stop();
    let public = "https://town.example";
    town.serve_with("127.0.0.1:0", &["--behind-proxy", "--public", public]);
    assert_eq!(town.url, public);
    let invite = town.invite("chief", GRID);
    assert!(invite.contains("https%3A%2F%2Ftown.example") && !invite.contains("ca="), "{invite}");
}

#[test]
fn another_town_at_the_address_gets_nothing() {
    let mut town = Town::demo();
    town.serve(&own_address().to_string());
    let phone = town.phone("a", "chief", GRID);
    phone.add("hazard", &["category=road"]);
    town.stop();
    let mut other = Town::demo();
    other.serve(town.url.trim_start_matches("https://"));
    let before = phone.all();
    assert_eq!(phone.refused(&["sync"]), "not_the_town");
    assert_eq!(phone.all(), before);
    assert_eq!(other.hazards(), 0);
}

#[test]
fn a_second_server_on_the_same_port_says_so_and_ends() {
    let town = Town::serving();
    let address = town.url.trim_start_matches("https://");
    let error = Town::demo().run(&["serve", "--listen", address]).error();
    assert!(error["message"].as_str().unwrap().contains("in use"), "{error}");
    town.phone("a", "chief", GRID).sync();
}

#[test]
fn a_second_server_on_the_same_data_says_so_and_ends_and_so_does_a_restore() {
    let town = Town::serving();
    let backup = town.folder.path().join("backup");
    let backup = backup.to_str().unwrap();
    town.ok(&["backup", "--out", backup]);
    for arguments in [["serve", "--listen", "127.0.0.1:0"], ["restore", "--from", backup]] {
        let error = town.run(&arguments).error();
        assert!(error["message"].as_str().unwrap().contains("stop it first"), "{error}");
    }
    assert!(town.say("zh", &["restore", "--from", backup]).err.contains("请先停止它"));
    town.phone("a", "chief", GRID).sync();
}

#[test]
fn two_syncs_of_one_phone_do_not_run_at_once() {
    let town = Town::serving();
    let phone = town.phone("a", "chief", GRID);
    phone.add("hazard", &["category=fire"]);
    let lock = File::options().write(true).open(phone.data.join("sync.lock")).unwrap();
    lock.try_lock().unwrap();
    assert_eq!(phone.refused(&["sync"]), "busy");
    // A person goes on recording meanwhile.
    phone.add("hazard", &["category=gas"]);
    lock.unlock().unwrap();
    assert_eq!(phone.sync()["sent"], 2);
}

#[test]
fn syncs_started_at_once_are_done_or_busy_and_harm_nothing() {
    let town = Town::serving();
    let phone = town.phone("a", "chief", GRID);
    let ids =
        ["fire", "gas", "road"].map(|what| phone.add("hazard", &[&format!("category={what}")]));
    let syncs = [(); 6].map(|()| {
        let mut command = phone.command(&["sync", "--json"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    });
    let ends = syncs.map(|sync| Ran::ended("sync".to_owned(), sync.wait_with_output().unwrap()));
    let (done, not): (Vec<_>, Vec<_>) = ends.iter().partition(|ran| ran.code == Some(0));
    assert!(!done.is_empty(), "{ends:?}");
    assert!(not.iter().all(|ran| ran.error()["code"] == "busy"), "{ends:?}");
    let sent: u64 = done.iter().map(|ran| ran.json()["sent"].as_u64().unwrap()).sum();
    assert_eq!((sent, town.hazards()), (3, 3));
    assert!(ids.iter().all(|id| phone.show(id)["state"] == "sent"));
    phone.assert_sound();
    town.assert_sound();
}
