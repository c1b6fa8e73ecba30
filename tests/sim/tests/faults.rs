//! A suite that cannot fail proves nothing: each rule is broken in the product itself, and must be noticed
//! within 500 seeds.
#![cfg(feature = "faults")]
#![allow(clippy::panic, reason = "a test fails where it stands")]

use std::sync::{Mutex, PoisonError};

use yaoguan_model::faults::{Fault, break_rule};
use yaoguan_sim::{Script, Setting, draw, draw_power_cuts, run};

/// Seeds within which a broken rule must be found.
const ENOUGH: u64 = 500;

/// A rule is broken for the whole process.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn is_caught(fault: Fault, script: impl Fn(u64) -> Script) {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    break_rule(Some(fault));
    for seed in 1..=ENOUGH {
        let outcome = run(&script(seed));
        if let Some(first) = outcome.violations.first() {
            println!("{fault:?} after {seed} seeds: {:?} {}", first.sort, first.what);
            break_rule(None);
            return;
        }
    }
    panic!("{fault:?} was not noticed");
}

fn town(seed: u64) -> Script {
    draw(Setting { heals: true, hostile: false, ..Setting::of(seed, 5, 2) })
}

/// Else the tests below would show nothing.
#[test]
fn with_no_rule_broken_nothing_is_found() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    for seed in 1..=4 {
        let outcome = run(&town(seed));
        for violation in &outcome.violations {
            println!("seed {seed}: {:?} {}", violation.sort, violation.what);
        }
        assert!(outcome.violations.is_empty(), "seed {seed}");
    }
}

#[test]
fn a_clone_that_keeps_its_replica_id_is_caught() {
    is_caught(Fault::CloneKeepsReplicaId, town);
}

#[test]
fn a_part_of_a_record_under_the_whole_context_is_caught() {
    is_caught(Fault::PartialRecord, town);
}

#[test]
fn a_pruned_context_is_caught() {
    is_caught(Fault::PrunedContext, town);
}

#[test]
fn a_held_save_released_by_merging_is_caught() {
    is_caught(Fault::ReleaseByMerge, town);
}

#[test]
fn a_form_saved_over_what_a_sync_brought_in_is_caught() {
    is_caught(Fault::ReplacesAtSave, town);
}

#[test]
fn a_cursor_saved_before_its_page_is_caught() {
    is_caught(Fault::CursorBeforePage, town);
}

#[test]
fn a_feed_by_a_bare_sequence_is_caught() {
    is_caught(Fault::BareSequence, town);
}

#[test]
fn a_verdict_by_id_is_caught() {
    is_caught(Fault::SentById, town);
}

#[test]
fn a_foreign_context_entry_that_is_taken_is_caught() {
    is_caught(Fault::ForeignContext, |seed| {
        draw(Setting { heals: true, hostile: true, ..Setting::of(seed, 5, 2) })
    });
}

#[test]
fn normal_in_place_of_full_is_caught_by_power_cuts() {
    is_caught(Fault::SynchronousNormal, |seed| draw_power_cuts(seed, 20));
}

#[test]
fn with_synchronous_off_power_cuts_lose_saves() {
    is_caught(Fault::SynchronousOff, |seed| draw_power_cuts(seed, 20));
}
