use super::*;

fn log() -> Vec<Written> {
    let mut before = GENESIS;
    let mut log = Vec::new();
    for sequence in 1..=5 {
        let mut entry = Written {
            sequence,
            at: 1_795_000_000 + sequence as i64,
            by: "console:root".to_owned(),
            act: Act::AccountAdded.as_str().to_owned(),
            subject_kind: "account".to_owned(),
            subject: format!("{sequence}"),
            reason: String::new(),
            detail: json!({ "role": "chief" }),
            hash: GENESIS,
        };
        entry.hash = seal(&before, &entry);
        before = entry.hash;
        log.push(entry);
    }
    log
}

fn check(log: &[Written], heads: &[(u64, [u8; 32])]) -> Vec<(FlawSort, u64)> {
    let mut walk = Walk::default();
    for entry in log {
        walk.entry(entry);
    }
    let read = anchor::Read { heads: heads.to_vec(), damaged: 0 };
    let flaws = walk.finish(Some(&read)).flaws;
    flaws.into_iter().map(|flaw| (flaw.sort, flaw.sequence)).collect()
}

fn heads(log: &[Written]) -> Vec<(u64, [u8; 32])> {
    log.iter().map(|entry| (entry.sequence, entry.hash)).collect()
}

/// Computed by hand with another program: `printf` of 32 zero bytes and the JSON, into `sha256sum`.
#[test]
fn an_entry_is_sealed_over_its_canonical_json() {
    let first = &log()[0];
    let json = "{\"act\":\"account_added\",\"at\":1795000001,\"by\":\"console:root\",\
                \"detail\":{\"role\":\"chief\"},\"reason\":\"\",\"sequence\":1,\
                \"subject\":[\"account\",\"1\"]}";
    let mut bytes = GENESIS.to_vec();
    bytes.extend_from_slice(json.as_bytes());
    assert_eq!(first.hash, <[u8; 32]>::from(Sha256::digest(&bytes)));
}

#[test]
fn a_sound_log_has_no_flaw() {
    assert_eq!(check(&log(), &heads(&log())), []);
}

#[test]
fn every_sort_of_tampering_is_found() {
    let (sound, noted) = (log(), heads(&log()));
    let mut changed = sound.clone();
    changed[1].reason = "other".to_owned();
    assert_eq!(check(&changed, &noted), [(FlawSort::Changed, 2)]);

    // Changed and sealed again: the next one does not fit, and the noted head says otherwise.
    let mut sealed = changed.clone();
    sealed[1].hash = seal(&sealed[0].hash, &sealed[1]);
    assert_eq!(check(&sealed, &noted), [(FlawSort::Changed, 3), (FlawSort::Replaced, 2)]);

    let mut missing = sound.clone();
    missing.remove(2);
    assert_eq!(check(&missing, &noted[3..]), [(FlawSort::Missing, 3)]);

    let mut moved = sound.clone();
    moved.swap(1, 3);
    (moved[1].sequence, moved[3].sequence) = (2, 4);
    assert!(check(&moved, &[noted[4]]).contains(&(FlawSort::Changed, 2)));

    assert_eq!(check(&sound[..3], &noted[4..]), [(FlawSort::CutOff, 5)]);
    assert_eq!(check(&sound, &[]), [(FlawSort::AnchorMissing, 0)]);
}

#[test]
fn a_log_written_anew_from_the_cut_on_is_found() {
    let noted = heads(&log());
    let mut forged = log();
    forged[3].reason = "other".to_owned();
    forged[3].hash = seal(&forged[2].hash, &forged[3]);
    forged[4].hash = seal(&forged[3].hash, &forged[4]);
    assert_eq!(check(&forged, &noted), [(FlawSort::Replaced, 4), (FlawSort::Replaced, 5)]);
}

#[test]
fn what_a_restore_says_it_took_away_is_no_flaw_and_nothing_else_is_excused() {
    let noted = heads(&log());
    let mut after = log();
    after.truncate(3);
    after[2].act = Act::Restored.as_str().to_owned();
    after[2].detail = json!({ "left_head": 5 });
    after[2].hash = seal(&after[1].hash, &after[2]);
    assert_eq!(check(&after, &noted), []);
    // The entry of the restore cannot excuse what stood before it.
    let mut other = noted.clone();
    other[1].1 = [9; 32];
    assert_eq!(check(&after, &other), [(FlawSort::Replaced, 2)]);
}

#[test]
fn a_noted_head_is_read_back_and_a_made_up_one_is_not_believed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("town.audit-head");
    let anchor = anchor::Anchor::new(&path, &[7; 32]);
    assert_eq!(anchor.read().unwrap(), anchor::Read::default());
    anchor.note(3, &[1; 32]).unwrap();
    anchor.note(4, &[2; 32]).unwrap();
    assert_eq!(anchor.read().unwrap().heads, [(3, [1; 32]), (4, [2; 32])]);
    assert!(anchor.ends_with((3, [1; 32])).unwrap() && anchor.ends_with((4, [2; 32])).unwrap());
    assert!(!anchor.ends_with((4, [1; 32])).unwrap() && !anchor.ends_with((5, [2; 32])).unwrap());
    anchor::Anchor::new(&path, &[8; 32]).note(5, &[3; 32]).unwrap();
    let read = anchor.read().unwrap();
    assert_eq!((read.heads.len(), read.damaged, read.last()), (2, 1, 4));
}
