//! The proof of the synchronisation: random histories on the real `Local`, `merge`, `Changes` and
//! `deletion`, with an oracle that shares no code with them (see `history`). The network and the town
//! are models, small enough to be read.
//!
//! `SIM_RUNS` and `SIM_SEED` say how many histories and from which seed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "a test: it may fail where it stands, and it measures its own time"
)]

mod check;
mod count;
mod events;
mod faults;
mod history;
mod journey;
mod mishap;
mod person;
mod phone;
mod prng;
mod put_back;
mod shadow;
mod town;
mod trace;
mod wire;
mod world;

use count::Counts;
use trace::{draw, replay, shrink};
use wire::Fault;

/// What one thread found.
#[derive(Default)]
struct Found {
    counts: Counts,
    failing: Vec<u64>,
    steps: usize,
    cut: u64,
}

fn explore(seeds: impl Iterator<Item = u64>, fault: Fault, enough: usize) -> Found {
    let mut found = Found::default();
    for seed in seeds {
        let outcome = replay(&draw(seed, fault));
        found.counts.join(&outcome.counts);
        found.steps += outcome.steps;
        found.cut += u64::from(outcome.cut);
        if outcome.violation.is_some() {
            found.failing.push(seed);
            if found.failing.len() >= enough {
                break;
            }
        }
    }
    found
}

/// The shortest trace of a failing seed, as text.
fn story(seed: u64, fault: Fault) -> String {
    let (trace, violation) = shrink(draw(seed, fault));
    let mut text = format!(
        "seed {seed}: {}\n  at {:?}\n  {:?}\n",
        violation.what,
        violation.at.map(|o| o.kind),
        trace.setting
    );
    for operation in &trace.operations {
        text += &format!("  {operation:?}\n");
    }
    text
}

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().expect("a number"))
}

#[test]
fn oracle_agrees_on_random_histories() {
    let (runs, seed) = (setting("SIM_RUNS", 20_000), setting("SIM_SEED", 1));
    let begun = std::time::Instant::now();
    let half = |odd: u64| {
        let seeds = (0..runs).filter(move |run| run % 2 == odd);
        // Far apart, so that neighbouring SIM_SEEDs share no history.
        seeds.map(move |run| seed.wrapping_mul(0x1_0000_0000).wrapping_add(run))
    };
    let mut found = std::thread::scope(|scope| {
        let other = scope.spawn(|| explore(half(1), Fault::None, 20));
        let mut found = explore(half(0), Fault::None, 20);
        let other = other.join().expect("the other half");
        found.counts.join(&other.counts);
        found.failing.extend(other.failing);
        found.steps += other.steps;
        found.cut += other.cut;
        found
    });
    let (violations, seconds) = (found.failing.len(), begun.elapsed().as_secs_f64());
    println!("runs={runs} violations={violations} seconds={seconds:.1}");
    println!("steps={} cut={}", found.steps, found.cut);
    let kinds = count::ALL;
    for kind in &kinds {
        println!("  {kind:?}: {}", found.counts.of(*kind));
    }
    found.failing.sort_unstable();
    if let Some(first) = found.failing.first() {
        panic!("{}", story(*first, Fault::None));
    }
    if runs >= 5_000 {
        let never: Vec<_> = kinds.iter().filter(|kind| found.counts.of(**kind) == 0).collect();
        assert!(never.is_empty(), "never struck: {never:?}");
    }
    assert!(found.cut * 1_000 <= runs, "{} histories were cut short", found.cut);
}
