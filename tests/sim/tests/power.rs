//! Power cuts on phones and at the town: what was said to be saved is there, and every file is whole.
#![allow(clippy::expect_used, reason = "a test fails where it stands")]

use yaoguan_sim::{draw_power_cuts, run};

/// `POWER_CUTS` says how many there must be; `SEED` chooses others.
#[test]
fn power_cuts_lose_nothing() {
    let number = |name: &str, otherwise: u64| {
        std::env::var(name).ok().map_or(otherwise, |text| text.parse().expect("a number"))
    };
    let (wanted, first) = (number("POWER_CUTS", 60), number("SEED", 2026));
    let (mut cuts, mut acknowledged) = (0, 0);
    let mut seed = first;
    while cuts < wanted {
        let outcome = run(&draw_power_cuts(seed, 40));
        for violation in &outcome.violations {
            println!("seed {seed}: {:?} {}", violation.sort, violation.what);
        }
        assert!(outcome.violations.is_empty(), "seed {seed}");
        cuts += outcome.counts.of("phone lost power") + outcome.counts.of("town lost power");
        acknowledged += outcome.acknowledged;
        seed += 1;
    }
    println!(
        "{{\"power_cuts\":{cuts},\"acknowledged\":{acknowledged},\"lost\":0,\"seed\":{first}}}"
    );
}
