//! The log of a running patrol: what was acknowledged is there, however the process ends.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails where it stands"
)]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use yaoguan_media::fix_log::{self, FixLog, LogError};
use yaoguan_media::{Purpose, SealKey};
use yaoguan_model::env::System;
use yaoguan_model::geodesy::Fix;
use yaoguan_model::{Position, RecordId};

const PATROL: RecordId = RecordId(uuid::Uuid::from_u128(7));

fn key(n: u8) -> SealKey {
    SealKey::derive(&[n; 32], Purpose::FixLog)
}

fn fix(n: i64) -> Fix {
    let position = Position { lat_e7: 246_000_000 + n, lon_e7: 992_000_000 - n };
    Fix { position, at_ms: Some(1_795_492_800_000 + n * 1000), accuracy_cm: Some(500) }
}

fn read(path: &Path) -> fix_log::Recorded {
    fix_log::read(&std::fs::read(path).unwrap(), &key(1)).unwrap()
}

#[test]
fn fixes_and_pauses_come_back_also_after_it_was_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("patrol.fixes");
    let mut log = FixLog::create(&path, &key(1), &System, PATROL).unwrap();
    log.append(&fix(0), &System).unwrap();
    log.append(&Fix { at_ms: None, accuracy_cm: None, ..fix(1) }, &System).unwrap();
    drop(log);
    let (mut log, before) = FixLog::open(&path, &key(1)).unwrap();
    assert_eq!(before.segments.concat().len(), 2);
    log.pause(&System).unwrap();
    log.append(&fix(2), &System).unwrap();
    let recorded = read(&path);
    assert_eq!(recorded.patrol, Some(PATROL));
    let second = Fix { at_ms: None, accuracy_cm: None, ..fix(1) };
    assert_eq!(recorded.segments, [vec![fix(0), second], vec![fix(2)]]);
    assert!(FixLog::create(&path, &key(1), &System, PATROL).is_err());
    assert!(matches!(FixLog::open(&path, &key(2)), Err(LogError::WrongKey)));
}

#[test]
fn cut_at_any_byte_it_keeps_every_whole_fix_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("patrol.fixes");
    let mut ends = Vec::new();
    let mut log = FixLog::create(&path, &key(1), &System, PATROL).unwrap();
    for n in 0..6 {
        log.append(&fix(n), &System).unwrap();
        ends.push(std::fs::metadata(&path).unwrap().len() as usize);
    }
    let whole = std::fs::read(&path).unwrap();
    for cut in 4..=whole.len() {
        let kept = ends.iter().filter(|end| **end <= cut).count();
        let recorded = fix_log::read(&whole[..cut], &key(1)).unwrap();
        assert_eq!(recorded.segments.concat().len(), kept, "cut at {cut}");
        assert_eq!(recorded.damaged, 0, "cut at {cut}");
        let torn = folder.path().join("torn");
        std::fs::write(&torn, &whole[..cut]).unwrap();
        let (mut log, _) = FixLog::open(&torn, &key(1)).unwrap();
        log.append(&fix(99), &System).unwrap();
        let recorded = read(&torn);
        assert_eq!(recorded.segments.concat().len(), kept + 1, "cut at {cut}");
        assert_eq!((recorded.torn_bytes, recorded.damaged), (0, 0), "cut at {cut}");
    }
    for cut in 0..4 {
        assert!(matches!(fix_log::read(&whole[..cut], &key(1)), Err(LogError::Foreign)));
    }
}

#[test]
fn a_damaged_fix_is_counted_and_those_around_it_stay() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("patrol.fixes");
    let mut log = FixLog::create(&path, &key(1), &System, PATROL).unwrap();
    log.append(&fix(0), &System).unwrap();
    let from = std::fs::metadata(&path).unwrap().len() as usize;
    log.append(&fix(1), &System).unwrap();
    let to = std::fs::metadata(&path).unwrap().len() as usize;
    log.append(&fix(2), &System).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[from + 10] ^= 1;
    let recorded = fix_log::read(&bytes, &key(1)).unwrap();
    assert_eq!(recorded.segments.concat(), [fix(0), fix(2)]);
    assert_eq!(recorded.damaged, 1);
    // Two frames that changed places do not pass for each other.
    let mut bytes = std::fs::read(&path).unwrap();
    let (second, third) = (bytes[from..to].to_vec(), bytes[to..].to_vec());
    bytes.truncate(from);
    bytes.extend(third);
    bytes.extend(second);
    assert_eq!(fix_log::read(&bytes, &key(1)).unwrap().damaged, 2);
}

const LOG: &str = "YAOGUAN_TEST_FIX_LOG";

/// What the process does that is killed.
fn write_until_killed(path: &Path) -> ! {
    let mut log = if path.exists() {
        FixLog::open(path, &key(1)).unwrap().0
    } else {
        FixLog::create(path, &key(1), &System, PATROL).unwrap()
    };
    let mut n = 0;
    loop {
        log.append(&fix(n), &System).unwrap();
        // On a line of its own: what stands before belongs to the test runner.
        println!("\nkept {n}");
        n += 1;
    }
}

#[test]
fn killed_a_hundred_times_it_loses_at_most_the_fix_under_way() {
    // The process that it kills is this test again.
    if let Some(path) = std::env::var_os(LOG) {
        write_until_killed(Path::new(&path));
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("patrol.fixes");
    let (mut acknowledged, mut unseen) = (0, 0);
    for round in 0..100_usize {
        let before = if path.exists() { read(&path).segments.concat().len() } else { 0 };
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "killed_a_hundred_times_it_loses_at_most_the_fix_under_way"])
            .arg("--nocapture")
            .env(LOG, &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        // Killed after another number of fixes each time, while the next is being written.
        let wanted = round % 7 + 1;
        let mut kept = lines.by_ref().filter(|l| l.starts_with("kept")).take(wanted).count();
        child.kill().unwrap();
        child.wait().unwrap();
        kept += lines.filter(|line| line.starts_with("kept")).count();
        let after = read(&path).segments.concat().len();
        assert!(after >= before + kept, "round {round}: {after} < {before} + {kept}");
        assert!(after <= before + kept + 1, "round {round}: {after} > {before} + {kept} + 1");
        acknowledged += kept;
        unseen += after - before - kept;
    }
    println!("100 kills: {acknowledged} fixes acknowledged, 0 lost, {unseen} kept unacknowledged");
}
