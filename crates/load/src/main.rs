//! `yaoguan-load`: a town on its real program and its chiefs' phones over real HTTPS, each phone with its own
//! key, line and store (in memory). First a morning rush: everybody comes back at once with days of work. Then a
//! day at many times its speed. At the end a supervisor's phone fetches all there is, and what every phone was
//! told is held against it.
//!
//! A measurement and a proof: it ends with 1 when anything acknowledged is missing or there twice, or a phone did
//! not recover by itself.

#![allow(
    clippy::expect_used,
    reason = "a measurement whose own parts fail has nothing to report and ends where it stands"
)]

mod day;
mod figures;
mod ledger;
mod phone;
mod rush;
mod town;
mod work;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Result, ensure};
use clap::Parser;
use serde_json::json;
use tokio::sync::Semaphore;

use figures::Figures;
use ledger::Ledger;
use phone::Phone;
use town::Town;

/// Phones that enrol side by side: enrolment is not what is measured.
const ENROLLING: usize = 8;

/// What to play.
#[derive(Debug, Parser)]
#[command(name = "yaoguan-load", version, about = "Plays a town's phones against a real town")]
struct Arguments {
    /// Phones of chiefs; the demo town has 910.
    #[arg(long, default_value_t = 910, value_parser = clap::value_parser!(u32).range(1..=910))]
    phones: u32,
    /// Days that each phone was offline before the rush.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=60))]
    backlog_days: u32,
    /// Seconds within which all phones come back.
    #[arg(long, default_value_t = 60)]
    rush_s: u32,
    /// How much faster than life the day goes; 0 leaves it out.
    #[arg(long, default_value_t = 60)]
    speed: u32,
    /// Chooses what people do and when.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The town's program.
    #[arg(long, env = "YAOGUAN_TOWN_BIN", value_name = "FILE")]
    town: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    match runtime.block_on(run(arguments)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("load: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<bool> {
    let program = match arguments.town {
        Some(program) => program,
        None => town::beside_this_program()?,
    };
    ensure!(program.exists(), "{} is missing: build it, or name it by --town", program.display());
    eprintln!("load: a demo town, {} phones, seed {}", arguments.phones, arguments.seed);
    let (town, invites) = Town::start(&program, arguments.phones).await?;
    let phones = enrol(invites.chiefs).await?;

    let mut parts = Vec::new();
    let (phones, rush) = measured(&town, "rush", phones, async |phones| {
        rush::play(phones, (arguments.backlog_days, arguments.rush_s), arguments.seed).await
    })
    .await?;
    parts.push(rush);
    let phones = match arguments.speed {
        0 => phones,
        speed => {
            let (phones, day) = measured(&town, "day", phones, async |phones| {
                day::play(phones, speed, arguments.seed).await
            })
            .await?;
            parts.push(day);
            phones
        }
    };

    let mut reader = Phone::enrol(u32::MAX, &invites.supervisor).await?;
    reader.sync_to_the_end().await?;
    let ledger = Ledger::of(&phones);
    let found = ledger.held_against(&reader);
    let stuck = phones.iter().filter(|phone| phone.is_stuck()).count();
    for part in &parts {
        eprintln!("{part}");
    }
    for line in found.examples.iter().take(10) {
        eprintln!("load: {line}");
    }
    let parts: Vec<_> = parts.iter().map(Figures::to_json).collect();
    println!(
        "{}",
        json!({
            "engine": "sqlite", "processes": 1, "phones": phones.len(), "seed": arguments.seed,
            "acknowledged": ledger.saves(), "lost": found.lost, "doubled": found.doubled,
            "stuck": stuck, "parts": parts,
        })
    );
    Ok(found.lost == 0 && found.doubled == 0 && stuck == 0)
}

/// Plays one part and takes its figures.
async fn measured(
    town: &Town,
    name: &'static str,
    phones: Vec<Phone>,
    play: impl AsyncFnOnce(Vec<Phone>) -> Result<Vec<Phone>>,
) -> Result<(Vec<Phone>, Figures)> {
    let (before, began_ms) = (town.usage()?, work::now_ms());
    let mut phones = play(phones).await?;
    let took_ms = work::now_ms() - began_ms;
    let runs: Vec<_> =
        phones.iter_mut().flat_map(|phone| std::mem::take(&mut phone.runs)).collect();
    Ok((phones, Figures::of(name, &runs, took_ms, before, town.usage()?)))
}

async fn enrol(invites: Vec<String>) -> Result<Vec<Phone>> {
    let room = Arc::new(Semaphore::new(ENROLLING));
    let mut enrolling = Vec::new();
    for (number, invite) in (0_u32..).zip(invites) {
        let room = Arc::clone(&room);
        enrolling.push(tokio::spawn(async move {
            let _permit = room.acquire_owned().await;
            let mut phone = Phone::enrol(number, &invite).await?;
            phone.sync_to_the_end().await?;
            phone.runs.clear();
            anyhow::Ok(phone)
        }));
    }
    let mut phones = Vec::new();
    for one in enrolling {
        phones.push(one.await??);
    }
    Ok(phones)
}
