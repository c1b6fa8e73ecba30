//! From a seed to a trace, and from a failing trace to the shortest that still fails.

use crate::count::Counts;
use crate::prng::Prng;
use crate::wire::Fault;
use crate::world::{Deed, Operation, Setting, Violation, World};

/// How often each deed is drawn.
const WEIGHTS: [(Deed, usize); 24] = [
    (Deed::Create, 6),
    (Deed::Open, 8),
    (Deed::Save, 26),
    (Deed::Delete, 4),
    (Deed::Undelete, 3),
    (Deed::Settle, 4),
    (Deed::Sync, 34),
    (Deed::Step, 10),
    (Deed::Late, 4),
    (Deed::Crash, 3),
    (Deed::Evict, 3),
    (Deed::GiveUp, 3),
    (Deed::Salvage, 1),
    (Deed::Refetch, 2),
    (Deed::Backup, 3),
    (Deed::Restore, 2),
    (Deed::Clone, 2),
    (Deed::Mend, 5),
    (Deed::TownOpen, 2),
    (Deed::TownSave, 5),
    (Deed::TownRelease, 3),
    (Deed::TownRecover, 2),
    (Deed::TownBackup, 2),
    (Deed::TownRestore, 1),
];

#[derive(Debug, Clone)]
pub struct Trace {
    pub setting: Setting,
    pub operations: Vec<Operation>,
}

pub fn draw(seed: u64, fault: Fault) -> Trace {
    let mut dice = Prng::new(seed);
    // Most broken rules show soonest where few meet often.
    let many = matches!(fault, Fault::None | Fault::UnsentKeepDotsAfterPutBack);
    let (phones, records) = if many { (2 + dice.below(4), 1 + dice.below(3)) } else { (2, 1) };
    let setting = Setting {
        phones,
        records,
        strictness: [3, 5, 10, 0][dice.below(4)],
        loss: [4, 8, 20][dice.below(3)],
        fault,
    };
    let total: usize = WEIGHTS.iter().map(|(_, weight)| weight).sum();
    let mut operation = |index: usize| {
        let mut at = dice.below(total);
        let mut kind = Deed::Create;
        for (deed, weight) in WEIGHTS {
            if at < weight {
                kind = deed;
                break;
            }
            at -= weight;
        }
        // A run begins with a record.
        let kind = if index == 0 { Deed::Create } else { kind };
        Operation { kind, phone: dice.below(6), dice: dice.next() }
    };
    let length = 20 + (seed.wrapping_mul(0x9e37_79b9) >> 7) as usize % 41;
    let operations = (0..length).map(&mut operation).collect();
    Trace { setting, operations }
}

/// What came of a run.
pub struct Outcome {
    pub violation: Option<Violation>,
    pub counts: Counts,
    pub steps: usize,
    /// The oracle's sets were full before the end.
    pub cut: bool,
}

pub fn replay(trace: &Trace) -> Outcome {
    let mut world = World::new(trace.setting);
    let mut steps = 0;
    for operation in &trace.operations {
        if world.history.is_full() {
            return Outcome { violation: None, counts: world.counts, steps, cut: true };
        }
        steps += 1;
        if let Err(violation) = world.run(operation) {
            let violation = Some(violation);
            return Outcome { violation, counts: world.counts, steps, cut: false };
        }
    }
    let violation = world.heal().err().map(|what| Violation { at: None, what });
    Outcome { violation, counts: world.counts, steps, cut: false }
}

/// Drops operations, greedily, while the trace still fails.
pub fn shrink(mut trace: Trace) -> (Trace, Violation) {
    let mut violation = replay(&trace).violation.expect("a failing trace");
    let mut at = trace.operations.len();
    let mut shorter = false;
    loop {
        if at == 0 {
            if !std::mem::take(&mut shorter) {
                return (trace, violation);
            }
            at = trace.operations.len();
        }
        at -= 1;
        let mut fewer = trace.clone();
        fewer.operations.remove(at);
        if let Some(still) = replay(&fewer).violation {
            (trace, violation, shorter) = (fewer, still, true);
        }
    }
}
