//! A patrol of a day whose program is killed again and again; tracks in and out.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use yaoguan_field::{ErrorCode, FileState, Home, Phone, PhotoSize, TrackFormat};
use yaoguan_model::env::System;
use yaoguan_model::geodesy::Fix;
use yaoguan_model::{Position, RecordId, Role};
use yaoguan_testkit::photos::photo;
use yaoguan_testkit::town::{GRID, TestTown};

use crate::assert_sound;

/// Eight hours at a fix in five seconds.
const FIXES: i64 = 5_760;
const KILLS: i64 = 100;
/// The program is away for so long after each kill, in milliseconds.
const AWAY_MS: i64 = 90_000;
const BEGAN_MS: i64 = 1_795_492_800_000;
/// Where the program that is killed finds its phone, and how often it was killed before.
const PLACE: &str = "WALKED_BY_ANOTHER_TEST";
const KILLED: &str = "KILLED_BEFORE";

/// The `n`-th fix: a walk that winds, some 1.2 m/s, as a receiver gives it.
fn fix(n: i64, killed: i64) -> Fix {
    let angle = n as f64 / 40.0;
    let jitter = (n * 7_919 % 23) - 11;
    let position = Position {
        lat_e7: 246_000_000 + (angle.sin() * 20_000.0) as i64 + n * 30 + jitter,
        lon_e7: 992_000_000 + (angle.cos() * 20_000.0) as i64 + n * 20 - jitter,
    };
    let at_ms = Some(BEGAN_MS + n * 5_000 + killed * AWAY_MS);
    Fix { position, at_ms, accuracy_cm: Some(400 + (n % 7) * 50), ele_cm: None }
}

fn home(place: &Path) -> Home {
    Home::with_state(&place.join("phone"), &place.join("state"))
}

/// Walks on from the last fix that is kept, and says after each that it is kept. Only a part of the test below:
/// without a place it does nothing.
#[test]
fn walked_by_another_program() {
    let Some(place) = std::env::var_os(PLACE) else { return };
    let killed: i64 = std::env::var(KILLED).unwrap().parse().unwrap();
    let mut phone = Phone::open(home(Path::new(&place)), Arc::new(System), "en").unwrap();
    let begun = phone.start_patrol().unwrap().points as i64;
    let mut out = std::io::stdout().lock();
    for n in begun..FIXES {
        assert!(phone.add_fix(&fix(n, killed)).unwrap());
        writeln!(out, "kept {}", n + 1).unwrap();
        out.flush().unwrap();
    }
}

/// Runs the walk, kills it after so many more fixes; the last one that it said is kept.
fn walk_until_killed(place: &Path, killed: i64, after: i64) -> i64 {
    let mut walk = Command::new(std::env::current_exe().unwrap())
        .args(["tracks::walked_by_another_program", "--exact", "--nocapture"])
        .env(PLACE, place)
        .env(KILLED, killed.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(walk.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut kept = |line: String| line.rsplit_once("kept ").and_then(|(_, n)| n.parse().ok());
    let mut last: Option<i64> = None;
    for _ in 0..after.max(1) {
        match lines.by_ref().find_map(&mut kept) {
            Some(n) => last = Some(n),
            None => break,
        }
    }
    walk.kill().unwrap();
    walk.wait().unwrap();
    // What it said before it died counts too.
    lines.filter_map(&mut kept).last().or(last).unwrap_or(0)
}

#[tokio::test]
async fn a_patrol_of_a_day_loses_at_most_a_fix_each_time_its_program_is_killed() {
    let seed: u64 = std::env::var("SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(2026);
    println!("SEED={seed}");
    let mut dice = seed;
    let town = TestTown::start().await.unwrap();
    let a = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let mut b = town.phone(Role::Supervisor, &[]).await.unwrap();
    let place = a.data().parent().unwrap().to_owned();
    let mut unsaid = 0;
    for killed in 0..KILLS {
        // SplitMix64's step, scrambled by a multiplication.
        dice = dice.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let after =
            (dice.wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 33) as i64 % (FIXES / KILLS * 2 - 20) + 1;
        let said = walk_until_killed(&place, killed, after);
        let phone = Phone::open(home(&place), Arc::new(System), "en").unwrap();
        let kept = phone.patrol_now().unwrap().unwrap().points as i64;
        assert!(kept >= said, "after kill {killed}: {said} said to be kept, {kept} are");
        assert!(kept - said <= 1, "{said} said, {kept} kept");
        unsaid += kept - said;
    }
    let mut a = a.restart().unwrap();
    let begun = a.phone.patrol_now().unwrap().unwrap().points as i64;
    assert!(begun < FIXES, "the kills came within the day");
    for n in begun..FIXES {
        a.phone.add_fix(&fix(n, KILLS)).unwrap();
    }
    let review = a.phone.stop_patrol().unwrap();
    assert_eq!(review.now.points as i64, FIXES, "no fix was lost, none stands twice");
    println!("{KILLS} kills: 0 fixes lost, {unsaid} kept that nobody had heard of");
    assert_eq!(review.gaps as i64, KILLS, "each time away shows as a gap");
    let id = a.phone.save_patrol().unwrap().ids[0];
    let page = a.phone.record_page(id).unwrap();
    let track = page.track.unwrap();
    println!("{} bytes, {:.2} a fix", track.bytes, track.bytes as f64 / FIXES as f64);
    assert!(track.bytes < 5 * FIXES as u64);
    a.phone.sync(|_| {}).await.unwrap();
    b.phone.sync(|_| {}).await.unwrap();
    let track = a.phone.record_page(id).unwrap().track.unwrap();
    assert_eq!(track.state, FileState::Received);
    b.phone.fetch_photo(track.hash, PhotoSize::Full).await.unwrap();
    let bytes = b.phone.photo_bytes(track.hash, PhotoSize::Full, 0..u64::MAX).unwrap().bytes;
    let fixes = yaoguan_media::track::decode(&bytes).unwrap().concat();
    let walked = fixes.iter().zip(0..).all(|(found, n)| found.position == fix(n, 0).position);
    assert!(walked && fixes.len() as i64 == FIXES);
    assert_sound(&a);
}

fn shared(name: &str) -> Option<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/gpx").join(name);
    let found = std::fs::read(path).ok();
    if found.is_none() {
        println!("skipped {name}: no ../shared");
    }
    found
}

fn exported(phone: &mut Phone, id: RecordId, format: TrackFormat) -> Vec<u8> {
    let mut out = Vec::new();
    phone.export_track(id, format, &mut out).unwrap();
    out
}

#[tokio::test]
async fn a_track_goes_out_as_it_came_in_and_its_file_to_the_town() {
    let town = TestTown::start().await.unwrap();
    let mut a = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let mut b = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let names = [
        "korita-zbevnica",
        "cerknicko-jezero",
        "around-visnjan-with-car",
        "Mojstrovka",
        "track-with-empty-segment",
    ];
    for name in names {
        let Some(bytes) = shared(&format!("{name}.gpx")) else { return };
        let first = a.phone.import_track(&bytes).unwrap();
        let out = exported(&mut a.phone, first.id, TrackFormat::Gpx);
        let (before, after) = (
            yaoguan_exchange::gpx::read(&bytes).unwrap(),
            yaoguan_exchange::gpx::read(&out).unwrap(),
        );
        // Positions, times, elevations, segments.
        assert_eq!(before.segments, after.segments, "{name}");
        let again = a.phone.import_track(&out).unwrap();
        assert_eq!((again.already, again.id), (true, first.id), "{name}");
        let second = b.phone.import_track(&out).unwrap();
        let out_again = exported(&mut b.phone, second.id, TrackFormat::Gpx);
        assert_eq!(out_again, out, "{name}");
        assert_eq!(second.points, first.points);
        assert!((second.distance_m - first.distance_m).abs() < 0.01, "{name}");
        let json = exported(&mut a.phone, first.id, TrackFormat::GeoJson);
        assert!(serde_json::from_slice::<serde_json::Value>(&json).unwrap()["features"].is_array());
        a.phone.sync(|_| {}).await.unwrap();
        let track = a.phone.record_page(first.id).unwrap().track.unwrap();
        assert_eq!(track.state, FileState::Received, "{name}");
    }
}

#[tokio::test]
async fn photos_of_a_patrols_review_are_saved_and_sent_with_it() {
    let town = TestTown::start().await.unwrap();
    let mut a = town.phone(Role::Chief, &[GRID]).await.unwrap();
    a.phone.start_patrol().unwrap();
    (0..100).for_each(|n| assert!(a.phone.add_fix(&fix(n, 0)).unwrap()));
    let id = a.phone.stop_patrol().unwrap().now.id;
    let kept = a.phone.attach_photo(id, &photo(1)).unwrap().hash;
    let dropped = a.phone.attach_photo(id, &photo(2)).unwrap().hash;
    a.phone.remove_photo(id, dropped).unwrap();
    // The app ends before the save; a sync sends nothing of it.
    let mut a = a.restart().unwrap();
    assert_eq!(a.phone.sync(|_| {}).await.unwrap().files_sent, 0);
    assert_eq!(a.phone.form(id).unwrap().photos[0].state, FileState::OnPhone);
    a.phone.save_patrol().unwrap();
    a.phone.sync(|_| {}).await.unwrap();
    let page = a.phone.record_page(id).unwrap();
    let photos: Vec<_> = page.photos.iter().map(|photo| (photo.hash, photo.state)).collect();
    assert_eq!(photos, [(kept, FileState::Received)]);
    // What is thrown away takes its photos along.
    a.phone.start_patrol().unwrap();
    let id = a.phone.stop_patrol().unwrap().now.id;
    let gone = a.phone.attach_photo(id, &photo(3)).unwrap().hash;
    a.phone.discard_patrol().unwrap();
    a.phone.sync(|_| {}).await.unwrap();
    assert!(a.phone.photo_bytes(gone, PhotoSize::Full, 0..1).is_err());
    assert_sound(&a);
}

#[tokio::test]
async fn a_track_that_is_taken_off_before_it_was_sent_never_leaves_the_phone() {
    let town = TestTown::start().await.unwrap();
    let mut a = town.phone(Role::Chief, &[GRID]).await.unwrap();
    a.phone.start_patrol().unwrap();
    (0..100).for_each(|n| assert!(a.phone.add_fix(&fix(n, 0)).unwrap()));
    a.phone.stop_patrol().unwrap();
    let id = a.phone.save_patrol().unwrap().ids[0];
    assert!(a.phone.record_page(id).unwrap().track.is_some());
    a.phone.drop_track(id).unwrap();
    let summary = a.phone.sync(|_| {}).await.unwrap();
    assert_eq!((summary.sent, summary.files_sent), (1, 0));
    let page = a.phone.record_page(id).unwrap();
    assert!(page.track.is_none() && page.line.is_empty());
    let error = a.phone.export_track(id, TrackFormat::Gpx, &mut Vec::new()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::NotFound);
    assert_sound(&a);
}
