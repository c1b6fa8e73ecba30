//! The first push and the first pull of many records, and what applying them costs.

use std::process::Stdio;

use anyhow::{Context as _, Result};
use rusqlite::params;
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use yaoguan_model::search::marked;
use yaoguan_model::{Env as _, Kind, Position, Record, Role, Value, canonical};
use yaoguan_store::{Key, Store};
use yaoguan_sync::{PhoneStore as _, apply, plan};
use yaoguan_testkit::clock::Clock;
use yaoguan_testkit::network::Line;
use yaoguan_testkit::town::{GRID, TestTown};
use yaoguan_transport::{Connections, TownClient};
use yaoguan_wire::limits::PAGE_WIRE_BYTES;
use yaoguan_wire::proof::DeviceKey;
use yaoguan_wire::{SyncRequest, SyncResponse};

use crate::pouch::Node;
use crate::report::Report;
use crate::samples::{Figure, Goal, Samples, timed, timed_async};
use crate::workload;
use crate::world::{Pouch, Raw, phone};

#[derive(Default)]
struct Ours {
    push_ms: Samples,
    push_requests: Samples,
    push_kb: Samples,
    pull_ms: Samples,
    pull_requests: Samples,
    pull_kb: Samples,
    pages: Samples,
    peak_mb: Samples,
}

/// A phone in a process of its own: what it needs is measured apart from the town.
pub async fn child(uri: &str) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let home =
        yaoguan_field::Home::with_state(&dir.path().join("phone"), &dir.path().join("state"));
    let options = yaoguan_field::EnrolOptions { device_name: "bench".to_owned(), lang: "en" };
    let env = std::sync::Arc::new(Clock::default());
    let mut phone = yaoguan_field::Phone::enrol(home, uri, &options, env).await?;
    let (ms, summary) = timed_async(phone.sync(|_| {})).await;
    let summary = summary?;
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0");
    let peak_kb: f64 = peak.trim().trim_end_matches(" kB").trim().parse()?;
    println!(
        "{}",
        json!({ "ms": ms, "requests": summary.requests, "bytes": summary.bytes_down, "received": summary.received, "peak_kb": peak_kb })
    );
    Ok(())
}

async fn pull_in_child(uri: &str) -> Result<Json> {
    let own = std::env::current_exe()?;
    let child =
        tokio::process::Command::new(own).args(["child", uri]).stderr(Stdio::inherit()).output();
    let output = child.await?;
    serde_json::from_slice(&output.stdout).context("the child's answer")
}

async fn ours(records: usize, into: &mut Ours) -> Result<()> {
    let mut town = TestTown::start().await?;
    let line = town.line().await?;
    let mut a = phone(&town, &line).await?;
    workload::put_on(&mut a.phone, &a.clock, &workload::hazards(records))?;
    let before = line.bytes();
    let (ms, summary) = timed_async(a.phone.sync(|_| {})).await;
    let summary = summary?;
    anyhow::ensure!(summary.sent as usize == records && summary.pending == 0, "{summary:?}");
    into.push_ms.push(ms);
    into.push_requests.push(summary.requests as f64);
    into.push_kb.push((line.bytes().0 - before.0) as f64 / 1e3);
    let account = town.account(Role::Chief, &[GRID]).await?;
    let before = line.bytes();
    let pulled = pull_in_child(&town.invite(account, line.address).await?).await?;
    let number = |name: &str| pulled[name].as_f64().context("a number");
    anyhow::ensure!(number("received")? as usize >= records, "{pulled}");
    into.pull_ms.push(number("ms")?);
    into.pull_requests.push(number("requests")?);
    into.pull_kb.push((line.bytes().1 - before.1) as f64 / 1e3);
    into.pages.push(1.0 + (number("bytes")? / PAGE_WIRE_BYTES as f64).ceil());
    into.peak_mb.push(number("peak_kb")? / 1e3);
    town.stop().await
}

#[derive(Default)]
struct Theirs {
    push_ms: Samples,
    push_requests: Samples,
    push_kb: Samples,
    pull_ms: Samples,
    pull_requests: Samples,
    pull_kb: Samples,
    peak_mb: Samples,
}

async fn theirs(records: usize, into: &mut Theirs) -> Result<()> {
    let mut pouch = Pouch::empty().await?;
    let hazards = workload::hazards(records);
    let file = workload::documents(&pouch.dir.path().join("docs.jsonl"), &hazards, "d")?;
    pouch.a.ask(json!({ "op": "fill", "name": "first", "file": file })).await?;
    let asked =
        |op: &str, pouch: &Pouch| json!({ "op": op, "name": "first", "url": pouch.url("first") });
    let before = pouch.line.bytes();
    let request = asked("push", &pouch);
    into.push_ms.push(pouch.a.ms(request).await?);
    into.push_requests.push(pouch.server.requests().await?);
    into.push_kb.push((pouch.line.bytes().0 - before.0) as f64 / 1e3);
    let before = pouch.line.bytes();
    let request = asked("pull", &pouch);
    into.pull_ms.push(pouch.b.ms(request).await?);
    into.pull_requests.push(pouch.server.requests().await?);
    into.pull_kb.push((pouch.line.bytes().1 - before.1) as f64 / 1e3);
    let memory = pouch.b.ask(json!({ "op": "memory" })).await?;
    into.peak_mb.push(memory["peak_kb"].as_f64().unwrap_or(f64::NAN) / 1e3);
    Ok(())
}

pub async fn measure(report: &mut Report, rounds: usize, records: usize) -> Result<()> {
    println!("first push and pull of {records}");
    let (mut own, mut peer) = (Ours::default(), Theirs::default());
    for _ in 0..rounds {
        ours(records, &mut own).await?;
        theirs(records, &mut peer).await?;
    }
    let is_goal = records == 10_000;
    let goal = |goal| if is_goal { goal } else { Goal::None };
    let beside = "PouchDB 9";
    let mut add = |what: &str, unit, ours: Samples, theirs: Samples, of: Goal| {
        report.add(
            Figure::new(format!("{what} of {records}"), unit, ours).beside(beside, theirs).goal(of),
        );
    };
    add("first push", "ms", own.push_ms, peer.push_ms, Goal::None);
    add("first push, requests,", "requests", own.push_requests, peer.push_requests, Goal::None);
    add("first push, on the socket,", "kB", own.push_kb, peer.push_kb, Goal::None);
    add("first pull", "ms", own.pull_ms, peer.pull_ms, goal(Goal::TimesFaster(10.0)));
    let pages = own.pages.median();
    add(
        "first pull, requests,",
        "requests",
        own.pull_requests,
        peer.pull_requests,
        goal(Goal::AtMost(pages)),
    );
    add("first pull, on the socket,", "kB", own.pull_kb, peer.pull_kb, goal(Goal::AtMost(1_150.0)));
    add("first pull, peak memory of the phone,", "MB", own.peak_mb, peer.peak_mb, Goal::None);
    Ok(())
}

/// Every page of a first pull, as a phone asks for it.
async fn pages(records: usize) -> Result<(Vec<(SyncRequest, SyncResponse)>, f64)> {
    let mut town = TestTown::start().await?;
    let author = town.account(Role::Chief, &[GRID]).await?;
    workload::put_in(&town, author, &workload::hazards(records)).await?;
    let line: Line = town.line().await?;
    let account = town.account(Role::Chief, &[GRID]).await?;
    let invite = town.invite(account, line.address).await?;
    let dir = tempfile::tempdir()?;
    let home =
        yaoguan_field::Home::with_state(&dir.path().join("phone"), &dir.path().join("state"));
    let options = yaoguan_field::EnrolOptions { device_name: "bench".to_owned(), lang: "en" };
    let clock = Clock::default();
    let env = std::sync::Arc::new(clock.clone());
    let mut phone = yaoguan_field::Phone::enrol(home, &invite, &options, env).await?;
    let mut client = client_of(&phone)?;
    let mut pages = Vec::new();
    let mut fetch_ms = 0.0;
    loop {
        let store = phone.store_mut();
        let request = store.transact(|tx| plan(tx, &clock))?;
        let (ms, response) = timed_async(client.sync(&request, &clock)).await;
        let response = response?;
        fetch_ms += ms;
        phone.store_mut().transact(|tx| apply(tx, &clock, &request, &response))?;
        let more = response.more;
        pages.push((request, response));
        if !more {
            town.stop().await?;
            return Ok((pages, fetch_ms));
        }
    }
}

pub fn client_of(phone: &yaoguan_field::Phone) -> Result<TownClient> {
    let identity = phone.store().identity()?.context("enrolled")?;
    let key = DeviceKey::from_pem(&identity.private_key)?;
    let line = Connections::default();
    Ok(TownClient::new(&identity.town, &identity.ca_pem, identity.device, key, "en", &line)?)
}

/// A fresh store applies the pages. Milliseconds.
fn apply_all(pages: &[(SyncRequest, SyncResponse)]) -> Result<(f64, Store, TempDir)> {
    let (dir, clock) = (tempfile::tempdir()?, Clock::default());
    let mut store = Store::create(&dir.path().join("phone.db"), &Key([7; 32]), &clock)?;
    let (ms, done) = timed(|| -> Result<()> {
        for (request, response) in pages {
            store.transact(|tx| apply(tx, &clock, request, response))?;
        }
        Ok(())
    });
    done?;
    Ok((ms, store, dir))
}

/// The same rows in the same tables, with every index, and nothing else: what is left of an apply when
/// nothing is parsed, checked or looked up.
fn insert_rows(rows: &[(Record, Vec<u8>)], pages: usize) -> Result<f64> {
    let (dir, clock) = (tempfile::tempdir()?, Clock::default());
    let store = Store::create(&dir.path().join("phone.db"), &Key([7; 32]), &clock)?;
    let connection = store.raw();
    let (ms, done) = timed(|| -> Result<()> {
        for page in rows.chunks(rows.len().div_ceil(pages)) {
            connection.execute_batch("BEGIN IMMEDIATE")?;
            for (record, body) in page {
                insert_row(connection, record, body)?;
            }
            connection.execute_batch("COMMIT")?;
        }
        Ok(())
    });
    done?;
    drop(store);
    drop(dir);
    _ = clock.now_ms();
    Ok(ms)
}

fn insert_row(connection: &rusqlite::Connection, record: &Record, body: &[u8]) -> Result<()> {
    let sql =
        "INSERT INTO record (id, kind, body, hash, confirmed_at) VALUES (?1, 'hazard', ?2, ?3, 0)";
    connection.prepare_cached(sql)?.execute((record.id.as_bytes(), body, canonical::hash(body)))?;
    let seq = connection.last_insert_rowid();
    let text = |path: &str| record.shown_text(path).unwrap_or_default();
    let seen = record.shown("seen_at").and_then(Value::as_int).unwrap_or(0);
    let sql = "INSERT INTO hazard (record, deletion, conflicts, category, severity, status, grid, title, seen_at, \
        patrol, source, source_key) VALUES (?1, 0, 0, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    connection.prepare_cached(sql)?.execute(params![
        seq,
        text("category"),
        text("severity"),
        text("status"),
        text("grid"),
        text("title"),
        seen,
        text("patrol"),
        text("source"),
        text("source_key"),
    ])?;
    if let Some(at) = record.shown("position").and_then(Position::of) {
        let sql = "INSERT INTO place (record, lat_min, lat_max, lon_min, lon_max) VALUES (?1, ?2, ?2, ?3, ?3)";
        connection.prepare_cached(sql)?.execute((seq, at.lat_e7, at.lon_e7))?;
    }
    let words: String =
        ["title", "description", "address"].iter().map(|path| marked(text(path)) + "\n").collect();
    let sql = "INSERT INTO search (rowid, text) VALUES (?1, ?2)";
    connection.prepare_cached(sql)?.execute((seq, words))?;
    Ok(())
}

pub async fn measure_apply(report: &mut Report, rounds: usize, records: usize) -> Result<()> {
    println!("applying {records}");
    let (pages, fetch_ms) = pages(records).await?;
    let (_, store, _dir) = apply_all(&pages)?;
    let mut rows = Vec::new();
    store.each(&Kind::Hazard, |record| {
        let body = canonical::encode(&record);
        rows.push((record, body));
        Ok(())
    })?;
    let bodies: Vec<_> = rows.iter().map(|(record, body)| (record.id, body.clone())).collect();
    let [mut own, mut raw, mut same] = [const { Samples(Vec::new()) }; 3];
    for _ in 0..rounds {
        own.push(apply_all(&pages)?.0);
        let mut plain = Raw::new()?;
        let (ms, done) = timed(|| -> Result<()> {
            for page in bodies.chunks(bodies.len().div_ceil(pages.len())) {
                plain.insert_all(page)?;
            }
            Ok(())
        });
        done?;
        raw.push(ms);
        same.push(insert_rows(&rows, pages.len())?);
    }
    let goal = if records == 10_000 { Goal::RatioAtMost(2.0) } else { Goal::None };
    let figure = || Figure::new(format!("apply of {records} pulled records"), "ms", own.clone());
    report.add(figure().beside("raw batch insert of the bodies alone", raw).goal(goal));
    report.add(figure().beside("raw batch insert of the same rows and indexes", same).goal(goal));
    report.add(Figure::one(
        format!("fetching the pages of {records}, without applying them"),
        "ms",
        fetch_ms,
    ));
    Ok(())
}

/// The real rows: imported, pushed, pulled; and the same in PouchDB.
pub async fn measure_real(report: &mut Report, rounds: usize) -> Result<()> {
    let Some(table) = workload::landslides() else { return Ok(()) };
    println!("the landslide catalogue");
    let [mut push, mut pull, mut down] = [const { Samples(Vec::new()) }; 3];
    let [mut their_push, mut their_pull, mut their_down] = [const { Samples(Vec::new()) }; 3];
    let mut count = 0;
    for _ in 0..rounds {
        let mut town = TestTown::start().await?;
        let line = town.line().await?;
        let mut a = phone(&town, &line).await?;
        let words = |reason: &yaoguan_exchange::Reason| reason.to_string();
        let mut rejects = Vec::new();
        let imported = a.phone.import_table(
            &table,
            workload::LANDSLIDES_MAPPING,
            &mut rejects,
            &words,
            |_| {},
        )?;
        count = imported.imported;
        let (ms, done) = timed_async(a.phone.sync(|_| {})).await;
        done?;
        push.push(ms);
        let account = town.account(Role::Chief, &[GRID]).await?;
        let before = line.bytes().1;
        let pulled = pull_in_child(&town.invite(account, line.address).await?).await?;
        pull.push(pulled["ms"].as_f64().context("ms")?);
        down.push((line.bytes().1 - before) as f64 / 1e3);
        town.stop().await?;

        let mut pouch = Pouch::empty().await?;
        let file = pouch.dir.path().join("real.jsonl");
        std::fs::write(&file, documents(a.phone.store())?)?;
        pouch.a.ask(json!({ "op": "fill", "name": "real", "file": file })).await?;
        let url = pouch.url("real");
        their_push.push(pouch.a.ms(json!({ "op": "push", "name": "real", "url": url })).await?);
        let before = pouch.line.bytes().1;
        let b: &mut Node = &mut pouch.b;
        their_pull.push(b.ms(json!({ "op": "pull", "name": "real", "url": url })).await?);
        their_down.push((pouch.line.bytes().1 - before) as f64 / 1e3);
    }
    let name = |what: &str| format!("{what} of {count} real rows");
    report.add(Figure::new(name("first push"), "ms", push).beside("PouchDB 9", their_push));
    report.add(Figure::new(name("first pull"), "ms", pull).beside("PouchDB 9", their_pull));
    report.add(
        Figure::new(name("first pull, on the socket,"), "kB", down).beside("PouchDB 9", their_down),
    );
    Ok(())
}

/// Every hazard of a store as a document of plain values.
fn documents(store: &Store) -> Result<String> {
    let mut lines = Vec::new();
    store.each(&Kind::Hazard, |record| {
        let mut document = serde_json::Map::new();
        document.insert("_id".to_owned(), json!(record.id.to_string()));
        for path in record.fields.keys() {
            document.insert(path.as_str().to_owned(), json!(record.shown(path.as_str())));
        }
        lines.push(Json::Object(document).to_string());
        Ok(())
    })?;
    Ok(lines.join("\n"))
}
