//! The usual sync: ten changes among many, and nothing new; on a fast line, at 200 ms, at 64 kbit/s.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;
use yaoguan_field::SyncSummary;
use yaoguan_testkit::network::Pace;
use yaoguan_testkit::town::TestPhone;
use yaoguan_transport::Connections;

use crate::report::Report;
use crate::samples::{Figure, Goal, Samples, timed_async};
use crate::world::{Pouch, World, change};

const CHANGES: usize = 10;
/// 200 ms there and back.
const FAR: Pace = Pace { delay: Duration::from_millis(100), bits_per_s: None, stalls: None };
/// The edge of coverage: 64 kbit/s, 300 ms there and back, of 10 seconds 3 without a byte.
const EDGE: Pace = Pace {
    delay: Duration::from_millis(150),
    bits_per_s: Some(64_000),
    stalls: Some((Duration::from_secs(7), Duration::from_secs(3))),
};

/// What medians of small syncs grew to, for the exponents.
#[derive(Debug, Clone, Copy)]
pub struct Grown {
    pub push_ms: f64,
    pub nothing_ms: f64,
}

async fn synced(phone: &mut TestPhone) -> Result<(f64, SyncSummary)> {
    let (ms, summary) = timed_async(phone.phone.sync(|_| {})).await;
    Ok((ms, summary?))
}

/// A pair: sends and fetches.
#[derive(Default)]
struct Both {
    ms: Samples,
    requests: Samples,
    up: Samples,
    down: Samples,
}

impl Both {
    fn add(&mut self, ms: f64, summary: &SyncSummary) {
        self.ms.push(ms);
        self.requests.push(summary.requests as f64);
        self.up.push(summary.bytes_up as f64);
        self.down.push(summary.bytes_down as f64);
    }
}

pub async fn measure(
    report: &mut Report,
    world: &mut World,
    rounds: usize,
    pouch: Option<&mut Pouch>,
) -> Result<Grown> {
    let n = world.records;
    println!("usual syncs among {n}");
    // What saves before this left unsent goes first.
    synced(&mut world.a).await?;
    synced(&mut world.b).await?;
    let ids = world.some(CHANGES)?;
    let [mut push, mut pull, mut nothing] =
        [const { None }; 3].map(|none: Option<Both>| none.unwrap_or_default());
    let mut theirs = Theirs::default();
    let mut pouch = pouch;
    for round in 0..rounds {
        change(&mut world.a, &ids, &format!("第 {round} 次复查：裂缝无变化"))?;
        let (ms, summary) = synced(&mut world.a).await?;
        anyhow::ensure!(summary.sent as usize == ids.len(), "{summary:?}");
        push.add(ms, &summary);
        let (ms, summary) = synced(&mut world.b).await?;
        anyhow::ensure!(summary.received as usize == ids.len(), "{summary:?}");
        pull.add(ms, &summary);
        let (ms, summary) = synced(&mut world.b).await?;
        nothing.add(ms, &summary);
        if let Some(pouch) = &mut pouch {
            theirs.round(pouch, round).await?;
        }
    }
    let grown = Grown { push_ms: push.ms.median(), nothing_ms: nothing.ms.median() };
    let is_many = n >= 10_000;
    let goal = |goal| if is_many { goal } else { Goal::None };
    let beside = |figure: Figure, samples: &Samples| {
        if samples.0.is_empty() { figure } else { figure.beside("PouchDB 9", samples.clone()) }
    };
    let rows = [
        ("10 changes pushed", push, &theirs.push, (1.0, 2_000.0)),
        ("10 changes pulled", pull, &theirs.pull, (1.0, 2_000.0)),
        ("nothing new", nothing, &theirs.nothing, (1.0, 300.0)),
    ];
    for (what, ours, peer, (requests, bytes)) in rows {
        let name = |unit: &str| format!("{what} among {n}{unit}");
        report.add(beside(Figure::new(name(""), "ms", ours.ms), &peer.ms));
        let figure = Figure::new(name(", requests"), "requests", ours.requests);
        report.add(beside(figure, &peer.requests).goal(goal(Goal::AtMost(requests))));
        let figure = Figure::new(name(", body up"), "B", ours.up).goal(goal(Goal::AtMost(bytes)));
        report.add(figure);
        report
            .add(Figure::new(name(", body down"), "B", ours.down).goal(goal(Goal::AtMost(bytes))));
    }
    Ok(grown)
}

#[derive(Default)]
struct Theirs {
    push: Both,
    pull: Both,
    nothing: Both,
}

impl Theirs {
    /// A push and a pull each, as a usual sync of PouchDB does.
    async fn round(&mut self, pouch: &mut Pouch, round: usize) -> Result<()> {
        let ids = pouch.some(CHANGES);
        let url = pouch.url("town");
        pouch.a.ask(json!({ "op": "change", "name": "town", "ids": ids, "text": format!("第 {round} 次复查") })).await?;
        pouch.server.requests().await?;
        for (is_first, both) in
            [(true, &mut self.push), (false, &mut self.pull), (false, &mut self.nothing)]
        {
            let node = if is_first { &mut pouch.a } else { &mut pouch.b };
            let mut ms = 0.0;
            for op in ["push", "pull"] {
                ms += node.ms(json!({ "op": op, "name": "town", "url": url })).await?;
            }
            both.ms.push(ms);
            both.requests.push(pouch.server.requests().await?);
        }
        Ok(())
    }
}

/// What PouchDB's usual sync takes, in seconds: a push and a pull.
async fn their_sync(pouch: &mut Pouch) -> Result<f64> {
    let url = pouch.url("town");
    let mut ms = 0.0;
    for op in ["push", "pull"] {
        ms += pouch.a.ms(json!({ "op": op, "name": "town", "url": url })).await?;
    }
    Ok(ms / 1e3)
}

async fn their_change(pouch: &mut Pouch, text: String) -> Result<()> {
    let ids = pouch.some(CHANGES);
    pouch.a.ask(json!({ "op": "change", "name": "town", "ids": ids, "text": text })).await?;
    Ok(())
}

/// The same by a slow line. Cold: without a connection. Warm: one soon after another.
pub async fn measure_far(
    report: &mut Report,
    world: &mut World,
    rounds: usize,
    pouch: &mut Pouch,
) -> Result<()> {
    println!("at 200 ms");
    let ids = world.some(CHANGES)?;
    let [mut cold, mut warm, mut nothing, mut theirs, mut their_nothing] =
        [const { Samples(Vec::new()) }; 5];
    for round in 0..rounds {
        world.line.set_pace(FAR);
        world.a.phone.set_connections(Connections::default());
        change(&mut world.a, &ids, &format!("远处第 {round} 次"))?;
        cold.push(synced(&mut world.a).await?.0 / 1e3);
        change(&mut world.a, &ids, &format!("远处又第 {round} 次"))?;
        let (ms, summary) = synced(&mut world.a).await?;
        let done = (summary.sent as usize, summary.requests);
        anyhow::ensure!(done == (ids.len(), 1), "{summary:?}");
        warm.push(ms / 1e3);
        nothing.push(synced(&mut world.a).await?.0 / 1e3);
        world.line.set_pace(Pace::default());
        their_change(pouch, format!("远 {round}")).await?;
        pouch.line.set_pace(FAR);
        theirs.push(their_sync(pouch).await?);
        their_nothing.push(their_sync(pouch).await?);
        pouch.line.set_pace(Pace::default());
    }
    let peer = "PouchDB 9, no TLS";
    let n = world.records;
    let name = |what: &str| format!("200 ms round-trip time, {what} among {n}");
    let figure = Figure::new(name("10 changes, cold with TLS,"), "s", cold);
    report.add(figure.beside(peer, theirs.clone()).goal(Goal::AtMost(0.85)));
    let figure = Figure::new(name("10 changes, warm,"), "s", warm);
    report.add(figure.beside(peer, theirs).goal(Goal::AtMost(0.45)));
    let figure = Figure::new(name("nothing new, warm,"), "s", nothing);
    report.add(figure.beside(peer, their_nothing));
    Ok(())
}

/// At the edge of coverage, cold. Each begins at the same place in the turns of up and down.
pub async fn measure_edge(
    report: &mut Report,
    world: &mut World,
    rounds: usize,
    pouch: &mut Pouch,
) -> Result<()> {
    println!("at 64 kbit/s with stalls");
    let ids = world.some(CHANGES)?;
    let [mut ten, mut nothing, mut theirs, mut their_nothing] = [const { Samples(Vec::new()) }; 4];
    for round in 0..rounds {
        change(&mut world.a, &ids, &format!("边缘第 {round} 次"))?;
        for samples in [&mut ten, &mut nothing] {
            world.a.phone.set_connections(Connections::default());
            world.line.set_pace(EDGE);
            samples.push(synced(&mut world.a).await?.0 / 1e3);
            world.line.set_pace(Pace::default());
        }
        their_change(pouch, format!("边 {round}")).await?;
        for samples in [&mut theirs, &mut their_nothing] {
            pouch.line.set_pace(EDGE);
            samples.push(their_sync(pouch).await?);
            pouch.line.set_pace(Pace::default());
        }
    }
    let peer = "PouchDB 9, no TLS";
    let name = |what: &str| format!("64 kbit/s with stalls, {what}, cold");
    report.add(Figure::new(name("10 changes"), "s", ten).beside(peer, theirs));
    report.add(Figure::new(name("nothing new"), "s", nothing).beside(peer, their_nothing));
    Ok(())
}
