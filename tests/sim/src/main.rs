//! `yaoguan-sim [--seeds N] [--devices M] [--weeks W] [--first SEED] [--seconds S] [--shrink]`: runs seeds on
//! all cores, prints what struck, and ends with one line of JSON. Exit code 1: something did not hold.

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use yaoguan_sim::checker::Sort;
use yaoguan_sim::counts::{Counts, KINDS};
use yaoguan_sim::{Outcome, Setting, draw, run, shrink, tell};

/// So many seeds must have seen every kind of fault.
const ENOUGH: u64 = 30;

struct Asked {
    seeds: u64,
    devices: usize,
    weeks: u32,
    first: u64,
    seconds: u64,
    shrink: bool,
    tell: bool,
}

fn asked() -> Result<Asked, String> {
    let mut asked = Asked {
        seeds: 100,
        devices: 5,
        weeks: 2,
        first: 1,
        seconds: u64::MAX,
        shrink: false,
        tell: false,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        if word == "--shrink" {
            asked.shrink = true;
            continue;
        }
        if word == "--tell" {
            asked.tell = true;
            continue;
        }
        let number = words.next().and_then(|text| text.parse::<u64>().ok());
        let number = number.ok_or_else(|| format!("{word} needs a number"))?;
        match word.as_str() {
            "--seeds" => asked.seeds = number,
            "--devices" => asked.devices = number as usize,
            "--weeks" => asked.weeks = number as u32,
            "--first" => asked.first = number,
            "--seconds" => asked.seconds = number,
            _ => return Err(format!("{word} is not known")),
        }
    }
    Ok(asked)
}

#[derive(Default)]
struct Found {
    seeds: u64,
    acknowledged: usize,
    lost: usize,
    doubled: usize,
    diverged: usize,
    unsound: usize,
    counts: Counts,
    failing: Vec<u64>,
}

impl Found {
    fn add(&mut self, outcome: &Outcome) {
        self.seeds += 1;
        self.acknowledged += outcome.acknowledged;
        self.lost += outcome.of_sort(Sort::Lost);
        self.doubled += outcome.of_sort(Sort::Doubled);
        self.diverged += outcome.of_sort(Sort::Diverged);
        self.unsound += outcome.of_sort(Sort::Unsound);
        self.counts.join(&outcome.counts);
        if !outcome.violations.is_empty() {
            self.failing.push(outcome.seed);
            println!("seed {} fails after {} steps:", outcome.seed, outcome.steps);
            for violation in outcome.violations.iter().take(12) {
                println!("  {:?}: {}", violation.sort, violation.what);
            }
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "it measures its own time")]
fn main() -> ExitCode {
    let asked = match asked() {
        Ok(asked) => asked,
        Err(error) => {
            eprintln!("yaoguan-sim: {error}");
            return ExitCode::from(2);
        }
    };
    let begun = Instant::now();
    let next = AtomicU64::new(0);
    let found = Mutex::new(Found::default());
    let setting = |seed| Setting::of(seed, asked.devices, asked.weeks);
    let work = || {
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            if n >= asked.seeds || begun.elapsed().as_secs() >= asked.seconds {
                return;
            }
            let script = draw(setting(asked.first + n));
            let outcome = if asked.tell { tell(&script) } else { run(&script) };
            for line in &outcome.trace {
                println!("{line}");
            }
            let mut found = found.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            found.add(&outcome);
        }
    };
    std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let found = found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    for kind in KINDS {
        println!("{:>8} {kind}", found.counts.of(kind));
    }
    let never = found.counts.never();
    let enough = found.seeds >= ENOUGH;
    let missing = enough && !never.is_empty();
    if missing {
        println!("never struck: {never:?}");
    }
    if let (true, Some(seed)) = (asked.shrink, found.failing.iter().min()) {
        let script = shrink(&draw(setting(*seed)));
        println!("seed {seed}, {} steps are left:", script.steps.len());
        let outcome = tell(&script);
        outcome.trace.iter().for_each(|line| println!("  {line}"));
        outcome.violations.iter().for_each(|v| println!("  {:?}: {}", v.sort, v.what));
    }
    let seconds = begun.elapsed().as_secs();
    println!(
        "{{\"seeds\":{},\"acknowledged\":{},\"lost\":{},\"doubled\":{},\"diverged\":{},\"seconds\":{seconds}}}",
        found.seeds, found.acknowledged, found.lost, found.doubled, found.diverged
    );
    let sound = found.failing.is_empty() && found.unsound == 0 && !missing;
    if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
