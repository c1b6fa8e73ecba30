//! `make bench`: the product and its peers in the same run, by turns, with the same records; one table at the
//! end. `bench [--quick] [--only PART]… [--size RECORDS]… [--out FOLDER]`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a measurement fails where it stands, and has a clock"
)]

mod crowd;
mod first;
mod merges;
mod pouch;
mod reads;
mod report;
mod samples;
mod saves;
mod settings;
mod usual;
mod workload;
mod world;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::report::Report;
use crate::samples::{Figure, Goal};
use crate::world::{Pouch, World};

/// What is not measured by then is left out, and said: with the screens, which come before, a run takes 40
/// minutes at most.
const LIMIT: Duration = Duration::from_secs(32 * 60);
const PARTS: [&str; 6] = ["merge", "first", "apply", "real", "crowd", "worlds"];

/// How much is measured.
struct Plan {
    rounds: usize,
    sizes: Vec<usize>,
    /// Documents that the peers hold while usual syncs are measured.
    peer_records: usize,
    only: Vec<String>,
}

impl Plan {
    fn wants(&self, part: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == part)
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [command, uri] = arguments.as_slice()
        && command == "child"
    {
        return first::child(uri).await;
    }
    let after = |flag: &str| {
        let values =
            arguments.windows(2).filter(|pair| pair[0] == flag).map(|pair| pair[1].clone());
        values.collect::<Vec<_>>()
    };
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let mut plan = if quick {
        Plan { rounds: 3, sizes: vec![1_000, 10_000], peer_records: 10_000, only: after("--only") }
    } else {
        Plan {
            rounds: 5,
            sizes: vec![1_000, 10_000, 100_000],
            peer_records: 100_000,
            only: after("--only"),
        }
    };
    let sizes: Vec<usize> = after("--size").iter().filter_map(|size| size.parse().ok()).collect();
    if !sizes.is_empty() {
        plan.sizes = sizes;
    }
    let out = after("--out").pop().map_or_else(|| PathBuf::from("target/bench"), PathBuf::from);
    let begun = Instant::now();
    let mut report = Report::default();
    settings::read_back(&mut report, quick).await?;
    run(&plan, quick, &mut report, begun + LIMIT).await;
    for file in after("--lines") {
        report.foreign.extend(settings::lines_of(&file)?);
    }
    report.head("took", format!("{:.0} s", begun.elapsed().as_secs_f64()));
    println!("\n{}", report.write(&out)?);
    anyhow::ensure!(report.left_out.is_empty(), "something could not be measured");
    Ok(())
}

/// One part after the other; one that fails does not take the table of the others with it.
async fn run(plan: &Plan, quick: bool, report: &mut Report, until: Instant) {
    for part in PARTS.into_iter().filter(|part| plan.wants(part)) {
        let left = until.saturating_duration_since(Instant::now());
        let begun = Instant::now();
        let why = match tokio::time::timeout(left, measure(part, plan, quick, report)).await {
            Ok(Ok(())) => {
                println!("  ({part}: {:.0} s)", begun.elapsed().as_secs_f64());
                continue;
            }
            Ok(Err(error)) => format!("{error:#}"),
            Err(_) => "no time was left".to_owned(),
        };
        println!("  {part} is left out: {why}");
        report.left_out.push((part, why));
    }
}

async fn measure(part: &str, plan: &Plan, quick: bool, report: &mut Report) -> Result<()> {
    match part {
        "merge" => merges::measure(report, plan.rounds, 10_000),
        "first" => first::measure(report, plan.rounds, 10_000).await,
        "apply" => first::measure_apply(report, plan.rounds, 10_000).await,
        "real" => first::measure_real(report, if quick { 1 } else { plan.rounds }).await,
        "crowd" => crowd::measure(report, plan.rounds, 1_000).await,
        _ => worlds(plan, quick, report).await,
    }
}

/// Everything that depends on how much is there already, at every size.
async fn worlds(plan: &Plan, quick: bool, report: &mut Report) -> Result<()> {
    let mut grown: Vec<(usize, Vec<(&'static str, f64)>)> = Vec::new();
    let biggest = plan.sizes.last().copied().unwrap_or(0);
    let mut pouch = Pouch::of(&workload::hazards(plan.peer_records)).await?;
    report.head("peer's documents", format!("{}", pouch.records));
    saves::measure_peers(report, plan.rounds, &mut pouch).await?;
    for size in plan.sizes.iter().copied() {
        let is_biggest = size == biggest;
        let mut world = World::of(size).await?;
        let pull_ms = world.first_pull_ms;
        let save_ms = saves::measure(report, &mut world, plan.rounds)?;
        let peer = if is_biggest { Some(&mut pouch) } else { None };
        let usual = usual::measure(report, &mut world, plan.rounds, peer).await?;
        let peer = if is_biggest { Some(&mut pouch) } else { None };
        let reads;
        (world, reads) = reads::measure(report, world, plan.rounds, peer).await?;
        if is_biggest {
            usual::measure_far(report, &mut world, plan.rounds, &mut pouch).await?;
            usual::measure_edge(
                report,
                &mut world,
                if quick { 1 } else { plan.rounds },
                &mut pouch,
            )
            .await?;
        }
        let peer = if is_biggest { Some(&mut pouch) } else { None };
        world = reads::measure_bytes(report, world, peer).await?;
        world.town.stop().await?;
        grown.push((
            size,
            vec![
                ("first pull", pull_ms),
                ("durable save", save_ms),
                ("10 changes pushed", usual.push_ms),
                ("nothing new", usual.nothing_ms),
                ("list", reads.list_ms),
                ("search", reads.search_ms),
                ("map", reads.map_ms),
                ("opening", reads.open_ms),
            ],
        ));
    }
    growth(report, &grown);
    Ok(())
}

/// The exponent of each cost between the least and the greatest size: 0 does not grow, 1 grows as the records do.
fn growth(report: &mut Report, grown: &[(usize, Vec<(&'static str, f64)>)]) {
    let (Some((least, first)), Some((most, last))) = (grown.first(), grown.last()) else { return };
    for ((name, from), (_, to)) in first.iter().zip(last) {
        let exponent = (to / from).ln() / (*most as f64 / *least as f64).ln();
        let name = format!("growth of {name}, exponent from {least} to {most} records");
        report.add(Figure::one(name, "", exponent).goal(Goal::None));
    }
}
