//! SIGKILL of phone and town while photos are on their way: nothing is lost, nothing is there twice.
//!
//! `KILLS` of each sort, `PHOTOS` at least, `KILL_SEED`: the moments.

#![allow(
    clippy::disallowed_methods,
    reason = "the moments to kill at are parts of a measured time"
)]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use yaoguan_testkit::network::own_address;
use yaoguan_testkit::photos::photo;

use crate::GRID;
use crate::kill::moments::Moments;
use crate::phone::Phone;
use crate::program::{Ran, ends_within};
use crate::town::Town;

/// Photos that wait at least when a sync is begun to be killed.
const AT_ONCE: u64 = 2;
const ENDS_WITHIN: Duration = Duration::from_secs(120);

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// A phone that goes on taking photos.
struct Taking {
    phone: Phone,
    taken: BTreeSet<String>,
    records: Vec<String>,
}

impl Taking {
    /// Attaches photos until enough of them wait.
    fn fill(&mut self, at_once: u64) {
        let waiting = self.phone.status()["files"].as_u64().unwrap();
        if waiting >= AT_ONCE {
            return;
        }
        let id = self.phone.add("hazard", &["category=slope", "title=photos"]);
        for _ in 0..at_once {
            let file = self.phone.file("picture.jpg");
            std::fs::write(&file, photo(self.taken.len() as u32).full.jpeg).unwrap();
            let attached = self.phone.ok(&["attach", &id, file.to_str().unwrap()]);
            assert!(self.taken.insert(attached["hash"].as_str().unwrap().to_owned()));
        }
        self.records.push(id);
    }

    /// Begins a sync, waits, kills it or does something else; false when it had ended by then.
    fn sync_killed(&self, delay: Duration, kill: impl FnOnce(&mut std::process::Child)) -> bool {
        let mut command = self.phone.command(&["sync", "--json"]);
        let mut syncing = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        std::thread::sleep(delay);
        let lived = syncing.try_wait().unwrap().is_none();
        kill(&mut syncing);
        let ended = ends_within(syncing, ENDS_WITHIN).expect("it ends");
        assert!(lived || ended.code() == Some(0), "{ended}");
        lived
    }
}

/// Files below a folder.
fn files(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let below = entries.map(Result::unwrap).flat_map(|entry| {
        let path = entry.path();
        let name = || vec![entry.file_name().into_string().unwrap()];
        if path.is_dir() { files(&path) } else { name() }
    });
    below.collect()
}

#[test]
fn photos_arrive_once_each_whoever_is_killed_on_the_way() {
    let (kills, photos) = (number("KILLS", 10) as usize, number("PHOTOS", 12) as usize);
    let mut town = Town::demo();
    town.serve(&own_address().to_string());
    let phone = town.phone("a", "chief", GRID);
    let other = town.phone("b", "chief", GRID);
    let mut taking = Taking { phone, taken: BTreeSet::new(), records: Vec::new() };
    taking.fill(AT_ONCE);
    let begun = Instant::now();
    taking.phone.sync();
    let whole = begun.elapsed();
    taking.fill(photos as u64 / 2);
    let mut of_phone = Moments::new("photos, the phone", whole);
    let mut of_town = Moments::new("photos, the town", whole);
    while of_phone.killed < kills || of_town.killed < kills || taking.taken.len() < photos {
        taking.fill(AT_ONCE);
        if of_phone.killed < kills {
            let delay = of_phone.next();
            let lived = taking.sync_killed(delay, |syncing| syncing.kill().unwrap());
            of_phone.count(lived);
        }
        if of_town.killed < kills {
            let delay = of_town.next();
            let lived = taking.sync_killed(delay, |_| town.kill());
            of_town.count(lived);
            town.serve_again();
        }
        if of_phone.killed >= kills && of_town.killed >= kills {
            taking.phone.sync();
        }
    }
    let summary = taking.phone.sync();
    println!("{} photos, {} kills of each sort", taking.taken.len(), kills);
    assert_eq!(taking.phone.status()["files"], 0, "{summary}");
    let mut shown = BTreeSet::new();
    let mut expected = BTreeSet::new();
    for id in &taking.records {
        for photo in taking.phone.ok(&["photos", "list", id]).as_array().unwrap() {
            assert_eq!(photo["state"], "received", "{photo}");
            shown.insert(photo["hash"].as_str().unwrap().to_owned());
        }
        let record = taking.phone.show(id);
        for (path, value) in record["fields"].as_object().unwrap() {
            if let Some(hash) = path.strip_prefix("photos.") {
                expected.insert(hash.to_owned());
                expected.insert(value["thumb"].as_str().unwrap().to_owned());
            }
        }
    }
    assert_eq!(shown, taking.taken, "no photo is lost");
    let at_town = files(&town.data().join("blobs"));
    let once: BTreeSet<String> = at_town.iter().cloned().collect();
    assert_eq!(at_town.len(), once.len());
    assert_eq!(once, expected, "every file once, and no other");
    taking.phone.assert_sound();
    town.assert_sound();
    // The other phone sees them: thumbnails by themselves, an original when asked for.
    other.sync();
    let hash = taking.taken.first().unwrap();
    let out = other.file("photo.jpg");
    let saved = other.run(&["photos", "save", hash, "--out", out.to_str().unwrap()]);
    assert_eq!(saved.code, Some(0), "{saved}");
    let bytes = std::fs::read(&out).unwrap();
    assert_eq!(yaoguan_model::BlobHash::of(&bytes).to_string(), *hash);
    other.assert_sound();
}

#[test]
fn what_a_person_does_with_photos_on_the_command_line() {
    let town = Town::serving();
    let phone = town.phone("a", "chief", GRID);
    let id = phone.add("hazard", &["category=slope"]);
    let file = phone.file("picture.jpg");
    std::fs::write(&file, photo(1).full.jpeg).unwrap();
    let name = file.to_str().unwrap();
    let hash = phone.ok(&["attach", &id, name])["hash"].as_str().unwrap().to_owned();
    let list = |phone: &Phone| -> Value { phone.ok(&["photos", "list", &id]) };
    assert_eq!(list(&phone)[0]["state"], "on_phone");
    phone.sync();
    assert_eq!(list(&phone)[0]["state"], "received");
    assert_eq!(phone.ok(&["photos", "free"])["files"], 1);
    assert_eq!(list(&phone)[0]["here"], false);
    let out = phone.file("photo.jpg");
    phone.ok(&["photos", "save", &hash, "--out", out.to_str().unwrap()]);
    assert!(std::fs::metadata(&out).unwrap().len() > 100_000);
    phone.ok(&["photos", "remove", &id, &hash]);
    assert_eq!(list(&phone).as_array().unwrap().len(), 0);
    let heic = phone.file("picture.heic");
    std::fs::write(&heic, b"\0\0\0\x18ftypheic\0\0\0\0mif1heic").unwrap();
    assert_eq!(phone.refused(&["attach", &id, heic.to_str().unwrap()]), "photo_heic");
    let said: Ran = phone.say("zh", &["attach", &id, heic.to_str().unwrap()]);
    assert!(said.err.contains("JPEG"), "{said}");
    assert_eq!(phone.refused(&["attach", &id, "nothing.jpg"]), "bad_file");
}
