//! Some seeds in every run of the tests, those that once failed, and the same seed twice.
#![allow(clippy::expect_used, reason = "a test fails where it stands")]

use yaoguan_sim::{Outcome, Setting, draw, run, shrink, tell};

fn holds(outcome: &Outcome) {
    if let Some(first) = outcome.violations.first() {
        panic!("seed {}, step {}: {:?} {}", outcome.seed, outcome.steps, first.sort, first.what);
    }
}

#[test]
fn seeds_that_once_failed_hold() {
    for line in include_str!("../seeds.txt").lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split_whitespace().map(|word| word.parse::<u64>().expect("a number"));
        let mut next = || words.next().expect("seed, devices, weeks");
        let (seed, devices, weeks) = (next(), next() as usize, next() as u32);
        holds(&run(&draw(Setting::of(seed, devices, weeks))));
    }
}

#[test]
fn the_same_seed_is_the_same_run() {
    for seed in [7_001, 7_002] {
        let script = draw(Setting::of(seed, 4, 1));
        let (first, second) = (tell(&script), tell(&script));
        for (n, (a, b)) in first.trace.iter().zip(&second.trace).enumerate() {
            assert_eq!(a, b, "seed {seed}, line {n}");
        }
        assert_eq!(
            (first.trace_hash, first.acknowledged),
            (second.trace_hash, second.acknowledged)
        );
        assert_eq!(first.counts, second.counts);
        holds(&first);
        assert!(first.acknowledged >= 200, "{}", first.acknowledged);
    }
}

#[test]
fn a_script_that_holds_is_not_shrunk_to_nothing_that_fails() {
    let mut script = draw(Setting::of(7_003, 4, 1));
    script.steps.truncate(4);
    assert!(run(&script).violations.is_empty());
    assert_eq!(shrink(&script).steps.len(), 4);
}
