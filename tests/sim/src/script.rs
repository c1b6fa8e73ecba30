//! From a seed to a script: what people and fate do, and when. Each step has dice of its own, so that dropping
//! a step leaves the others as they are.

use yaoguan_testkit::dice::Dice;

const DAY_MS: i64 = 24 * 3600 * 1000;

/// What a run is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    pub seed: u64,
    pub devices: usize,
    pub weeks: u32,
    /// Faults end, and everything must come together; else safety alone is looked at.
    pub heals: bool,
    /// One phone forges pushes; then nobody takes what a restore brings back unread.
    pub hostile: bool,
    /// The line never fails.
    pub whole_line: bool,
}

impl Setting {
    pub fn of(seed: u64, devices: usize, weeks: u32) -> Self {
        let mut dice = Dice::new(seed ^ 0x5e77);
        Self {
            seed,
            devices: devices.max(4),
            weeks: weeks.max(1),
            heals: !dice.one_in(4),
            hostile: dice.one_in(4),
            whole_line: false,
        }
    }

    /// Saves that a run must see acknowledged.
    pub fn enough(&self) -> usize {
        (self.devices * 40).max(200)
    }
}

/// What happens in one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    Report,
    Household,
    Check,
    Task,
    Open,
    SaveOpen,
    Edit,
    Delete,
    Undelete,
    Settle,
    Move,
    Resend,
    Sync,
    Offline,
    Crash,
    PowerCut,
    DiskFails,
    Restart,
    ClockJumps,
    Backup,
    Restore,
    Clone,
    TownCrash,
    TownPowerCut,
    TownRestart,
    TownBackup,
    TownRestore,
    Rescope,
    Revoke,
    Enrol,
    Release,
    TakeRecovered,
    Forge,
}

const WEIGHTS: [(Act, usize); 33] = [
    (Act::Report, 30),
    (Act::Household, 8),
    (Act::Check, 12),
    (Act::Task, 8),
    (Act::Open, 24),
    (Act::SaveOpen, 30),
    (Act::Edit, 50),
    (Act::Delete, 4),
    (Act::Undelete, 3),
    (Act::Settle, 24),
    (Act::Move, 30),
    (Act::Resend, 4),
    (Act::Sync, 110),
    (Act::Offline, 10),
    (Act::Crash, 10),
    (Act::PowerCut, 8),
    (Act::DiskFails, 8),
    (Act::Restart, 4),
    (Act::ClockJumps, 6),
    (Act::Backup, 5),
    (Act::Restore, 2),
    (Act::Clone, 1),
    (Act::TownCrash, 5),
    (Act::TownPowerCut, 3),
    (Act::TownRestart, 2),
    (Act::TownBackup, 4),
    (Act::TownRestore, 1),
    (Act::Rescope, 5),
    (Act::Revoke, 1),
    (Act::Enrol, 3),
    (Act::Release, 3),
    (Act::TakeRecovered, 3),
    (Act::Forge, 4),
];

/// One thing that happens.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// Milliseconds since the run began.
    pub at_ms: i64,
    pub act: Act,
    /// Which device, as far as one is meant.
    pub who: usize,
    pub dice: u64,
}

#[derive(Debug, Clone)]
pub struct Script {
    pub setting: Setting,
    pub steps: Vec<Step>,
}

/// A script in which people write and the power goes, again and again, on phones and at the town: `cuts` times
/// at the least.
pub fn draw_power_cuts(seed: u64, cuts: usize) -> Script {
    let setting =
        Setting { heals: true, hostile: false, whole_line: true, ..Setting::of(seed, 4, 1) };
    let acts = [
        Act::Report,
        Act::Household,
        Act::Check,
        Act::Edit,
        Act::Edit,
        Act::Sync,
        Act::Sync,
        Act::PowerCut,
        Act::PowerCut,
        Act::TownPowerCut,
    ];
    let mut dice = Dice::new(seed ^ 0x0070_6f77_6572);
    // Many a cut strikes nothing before the next is planned.
    let steps = (0..cuts * 8).map(|n| Step {
        at_ms: n as i64 * 60_000,
        act: acts[dice.index(acts.len())],
        who: dice.index(4),
        dice: dice.roll(),
    });
    Script { setting, steps: steps.collect() }
}

/// Draws a script with more steps than a run needs: it ends when enough was saved.
pub fn draw(setting: Setting) -> Script {
    let mut dice = Dice::new(setting.seed);
    let expected = setting.enough() * 5 / 2;
    let mean_ms = i64::from(setting.weeks) * 7 * DAY_MS / expected as i64;
    let total: usize = WEIGHTS.iter().map(|(_, weight)| weight).sum();
    let mut at_ms = 0;
    let mut steps = Vec::new();
    for _ in 0..expected * 3 {
        at_ms += 1 + (dice.roll() % (2 * mean_ms as u64)) as i64;
        let mut at = dice.index(total);
        let mut act = Act::Sync;
        for (kind, weight) in WEIGHTS {
            if at < weight {
                act = kind;
                break;
            }
            at -= weight;
        }
        let step = Step { at_ms, act, who: dice.index(setting.devices + 2), dice: dice.roll() };
        if act != Act::Forge || setting.hostile {
            steps.push(step);
        }
    }
    Script { setting, steps }
}
