//! One save after the other, each durable before the next begins.

use anyhow::Result;
use serde_json::json;
use yaoguan_model::{Kind, canonical};

use crate::report::Report;
use crate::samples::{Figure, Goal, Samples, timed, timed_async};
use crate::workload::{self, Hazard};
use crate::world::{Raw, World};

/// Saves of one round.
pub const SAVES: usize = 100;

/// Hazards that no store has yet.
pub fn fresh(count: usize, after: usize) -> Vec<Hazard> {
    workload::hazards(after + count).split_off(after)
}

/// Ours and the plain table by turns; returns the median of ours.
pub fn measure(report: &mut Report, world: &mut World, rounds: usize) -> Result<f64> {
    let n = world.records;
    let raw = Raw::like(world.a.phone.store())?;
    let [mut all, mut all_raw, mut p50, mut raw50, mut p99, mut raw99] =
        [const { Samples(Vec::new()) }; 6];
    for round in 0..rounds {
        let (mut own, mut plain) = (Samples::default(), Samples::default());
        for hazard in fresh(SAVES, n + round * SAVES) {
            let phone = &mut world.a.phone;
            let form = phone.new_form(Kind::Hazard)?;
            let edit =
                hazard.fields().into_iter().map(|(path, value)| (path, Some(value))).collect();
            let (ms, saved) = timed(|| phone.save(&form, edit));
            saved?;
            own.push(ms);
            let id = form.record().id;
            let record = phone.store().get(id)?.map(|stored| canonical::encode(&stored.record));
            let (ms, done) = timed(|| raw.insert(id, &record.unwrap_or_default()));
            done?;
            plain.push(ms);
        }
        p50.push(own.at(0.5));
        raw50.push(plain.at(0.5));
        p99.push(own.at(0.99));
        raw99.push(plain.at(0.99));
        all.0.extend(own.0);
        all_raw.0.extend(plain.0);
    }
    let beside = "raw insert";
    let name = |share: &str| format!("durable save, store of {n}, {share}");
    report.add(
        Figure::new(name("p50"), "ms", p50).beside(beside, raw50).goal(Goal::RatioAtMost(1.3)),
    );
    report.add(Figure::new(name("p99"), "ms", p99).beside(beside, raw99));
    Ok(all.median())
}

/// The peers save the same documents.
pub async fn measure_peers(
    report: &mut Report,
    rounds: usize,
    pouch: &mut crate::world::Pouch,
) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let [mut raw, mut pouchdb, mut sqlite, mut rouch] = [const { Samples(Vec::new()) }; 4];
    let rouchdb = rouchdb::Database::open(dir.path().join("rouch.redb"), "bench")?;
    let plain = Raw::new()?;
    for round in 0..rounds {
        let hazards = fresh(SAVES, round * SAVES);
        let file = workload::documents(&dir.path().join("docs.jsonl"), &hazards, "s")?;
        let mut one = Samples::default();
        for hazard in &hazards {
            let id = yaoguan_model::RecordId::from_bytes((hazard.key as u128).to_be_bytes());
            let body = hazard.document("").to_string().into_bytes();
            let (ms, done) = timed(|| plain.insert(id, &body));
            done?;
            one.push(ms);
        }
        raw.push(one.median());
        let asked = json!({ "op": "saves", "name": "saves", "file": file });
        pouchdb.push(pouch.a.times(asked).await?.median());
        sqlite.push(pouch.a.times(json!({ "op": "sqlite", "file": file })).await?.median());
        let mut one = Samples::default();
        for hazard in &hazards {
            let id = format!("s{:032x}", hazard.key);
            let (ms, done) = timed_async(rouchdb.put(&id, hazard.document(&id))).await;
            done?;
            one.push(ms);
        }
        rouch.push(one.median());
    }
    let figure =
        |name: &str, ours: Samples| Figure::new(name, "ms", ours).beside("raw insert", raw.clone());
    report.add(figure("(peer) PouchDB put, LevelDB, not durable, p50", pouchdb));
    report.add(figure("(peer) better-sqlite3 insert, WAL, FULL, not encrypted, p50", sqlite));
    report.add(figure("(peer) rouchdb put, redb, durable, not encrypted, p50", rouch));
    Ok(())
}
