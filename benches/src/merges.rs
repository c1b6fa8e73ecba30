//! Merging two concurrent states of one record, in memory, on one core; the peers merge a map of the same
//! values. Time on the core, not on the wall. What a peer keeps beside the values (its history) is its own affair.

use anyhow::Result;
use automerge::transaction::Transactable as _;
use automerge::{AutoCommit, ROOT};
use yaoguan_model::{AccountId, Change, Dot, Kind, Record, RecordId, ReplicaId, Value, merge};
use yrs::updates::decoder::Decode as _;
use yrs::{Doc, Map as _, ReadTxn as _, Transact as _, Update};

use crate::report::Report;
use crate::samples::{Figure, Goal, Samples, timed_on_core};
use crate::workload::{Hazard, hazards};

/// Documents of a peer at once.
const CHUNK: usize = 500;

fn pair(hazard: &Hazard) -> (Record, Record) {
    let id = RecordId::from_bytes((hazard.key as u128).to_be_bytes());
    let mut base = Record::new(id, Kind::Hazard, AccountId::from_bytes([7; 16]));
    base.put(&hazard.changes(), Dot::new(ReplicaId([1; 16]), 1 + hazard.key as u64));
    let written = |replica: u8, path: &str, value: Value| {
        let mut record = base.clone();
        let replaces = record.dots(path);
        let change = Change { replaces, value: Some(value) };
        record
            .put(&[(path.parse().unwrap(), change)].into(), Dot::new(ReplicaId([replica; 16]), 3));
        record
    };
    (written(2, "severity", Value::text("major")), written(3, "description", Value::text("复查")))
}

fn ours(hazards: &[Hazard]) -> f64 {
    let pairs: Vec<_> = hazards.iter().map(pair).collect();
    let (ms, merged) = timed_on_core(|| {
        pairs.iter().map(|(a, b)| merge(a, b).expect("the same record")).collect::<Vec<_>>()
    });
    assert!(merged.iter().all(|merged| merged.record.shown_text("description") == Some("复查")));
    hazards.len() as f64 / ms * 1e3
}

fn with_automerge(hazards: &[Hazard]) -> Result<f64> {
    let mut spent = 0.0;
    for chunk in hazards.chunks(CHUNK) {
        let mut pairs = Vec::new();
        for hazard in chunk {
            let mut a = AutoCommit::new();
            let document = hazard.document("");
            for (key, value) in document.as_object().into_iter().flatten() {
                match (value.as_i64(), value.as_str()) {
                    (Some(n), _) => a.put(ROOT, key, n)?,
                    (None, text) => a.put(ROOT, key, text.unwrap_or_default())?,
                }
            }
            let mut b = a.fork();
            a.put(ROOT, "severity", "major")?;
            b.put(ROOT, "description", "复查")?;
            _ = (a.commit(), b.commit());
            pairs.push((a, b));
        }
        spent += timed_on_core(|| -> Result<()> {
            for (a, b) in &mut pairs {
                a.merge(b)?;
            }
            Ok(())
        })
        .0;
    }
    Ok(hazards.len() as f64 / spent * 1e3)
}

fn with_yrs(hazards: &[Hazard]) -> Result<f64> {
    let mut spent = 0.0;
    for chunk in hazards.chunks(CHUNK) {
        let mut pairs = Vec::new();
        for hazard in chunk {
            let (a, b) = (Doc::new(), Doc::new());
            let (map_a, map_b) = (a.get_or_insert_map("r"), b.get_or_insert_map("r"));
            {
                let mut tx = a.transact_mut();
                let document = hazard.document("");
                for (key, value) in document.as_object().into_iter().flatten() {
                    match (value.as_i64(), value.as_str()) {
                        (Some(n), _) => _ = map_a.insert(&mut tx, key.as_str(), n),
                        (None, text) => {
                            _ = map_a.insert(&mut tx, key.as_str(), text.unwrap_or_default())
                        }
                    }
                }
            }
            let whole = a.transact().encode_diff_v1(&yrs::StateVector::default());
            b.transact_mut().apply_update(Update::decode_v1(&whole)?)?;
            let seen = a.transact().state_vector();
            map_a.insert(&mut a.transact_mut(), "severity", "major");
            map_b.insert(&mut b.transact_mut(), "description", "复查");
            let update = b.transact().encode_diff_v1(&seen);
            pairs.push((a, update));
        }
        spent += timed_on_core(|| -> Result<()> {
            for (a, update) in &pairs {
                a.transact_mut().apply_update(Update::decode_v1(update)?)?;
            }
            Ok(())
        })
        .0;
    }
    Ok(hazards.len() as f64 / spent * 1e3)
}

pub fn measure(report: &mut Report, rounds: usize, pairs: usize) -> Result<()> {
    println!("merge of {pairs} concurrent pairs");
    let hazards = hazards(pairs);
    let [mut own, mut automerge, mut yrs] = [const { Samples(Vec::new()) }; 3];
    for _ in 0..rounds {
        own.push(ours(&hazards));
        automerge.push(with_automerge(&hazards)?);
        yrs.push(with_yrs(&hazards)?);
    }
    let figure = |peer: &str, samples| {
        Figure::new(format!("merge of {pairs} concurrent pairs"), "records/s", own.clone())
            .beside(peer, samples)
    };
    report.add(figure("automerge 0.12", automerge).goal(Goal::AtLeast(100_000.0)));
    report.add(figure("yrs 0.28", yrs));
    Ok(())
}
