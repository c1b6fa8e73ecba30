//! A town and its phones, simulated: the real model, the real sync engine, the real stores (SQLCipher) and
//! the real routes of the town in one process, while clock, randomness, network, disks and people come from
//! a seed. An independent [`checker`] keeps the full history. See docs/SYNC.md, "How it is proved".

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test: a world that cannot be built ends where it stands"
)]

pub mod checker;
pub mod counts;
mod device;
mod env;
mod heal;
mod line;
mod office;
mod people;
pub mod rig;
mod script;
mod town;
mod world;

use checker::{Sort, Violation};
use counts::Counts;
pub use script::{Script, Setting, Step, draw, draw_power_cuts};
use world::World;

/// What came of a run.
#[derive(Debug, Clone)]
pub struct Outcome {
    pub seed: u64,
    pub violations: Vec<Violation>,
    pub counts: Counts,
    pub acknowledged: usize,
    /// Steps that were made.
    pub steps: usize,
    pub trace_hash: u64,
    /// Of [`tell`].
    pub trace: Vec<String>,
}

impl Outcome {
    pub fn of_sort(&self, sort: Sort) -> usize {
        self.violations.iter().filter(|violation| violation.sort == sort).count()
    }
}

/// Runs a script.
pub fn run(script: &Script) -> Outcome {
    play(script, false)
}

/// The same, with all that happened in words.
pub fn tell(script: &Script) -> Outcome {
    play(script, true)
}

fn play(script: &Script, told: bool) -> Outcome {
    let mut world = World::new(script.setting, told);
    let mut violations = Vec::new();
    let mut steps = 0;
    for (index, step) in script.steps.iter().enumerate() {
        if !script.setting.whole_line && world.checker.acknowledged >= script.setting.enough() {
            break;
        }
        steps += 1;
        if let Err(violation) = world.step(index, step) {
            violations.push(violation);
            break;
        }
    }
    if violations.is_empty() {
        violations = world.end();
    }
    for device in &world.devices {
        device.disk.forget();
    }
    world.town.disk.forget();
    Outcome {
        seed: script.setting.seed,
        violations,
        counts: world.counts.clone(),
        acknowledged: world.checker.acknowledged,
        steps,
        trace_hash: world.trace.hash,
        trace: world.trace.text.clone().unwrap_or_default(),
    }
}

/// Drops steps while the run still fails, in ever smaller pieces (delta debugging, Zeller 1999).
pub fn shrink(script: &Script) -> Script {
    let mut script = script.clone();
    script.steps.truncate(run(&script).steps);
    let mut piece = script.steps.len() / 2;
    while piece > 0 {
        let mut at = 0;
        let mut fewer = false;
        while at < script.steps.len() {
            let mut shorter = script.clone();
            shorter.steps.drain(at..(at + piece).min(shorter.steps.len()));
            if run(&shorter).violations.is_empty() {
                at += piece;
            } else {
                script = shorter;
                fewer = true;
            }
        }
        piece = if piece == 1 && fewer { 1 } else { piece / 2 };
    }
    script
}
