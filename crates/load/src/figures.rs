//! The figures of one part.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Value, json};

use crate::phone::Run;
use crate::town::Usage;

pub struct Figures {
    name: &'static str,
    took_ms: i64,
    runs: u64,
    sent: u64,
    received: u64,
    requests: u64,
    bytes_up: u64,
    bytes_down: u64,
    /// Of runs that succeeded, in milliseconds: half, 95 and 99 in a hundred, and all took no longer.
    p50_ms: i64,
    p95_ms: i64,
    p99_ms: i64,
    max_ms: i64,
    failed: BTreeMap<String, u64>,
    cpu_ms: u64,
    peak_kib: u64,
}

impl Figures {
    pub fn of(name: &'static str, runs: &[Run], took_ms: i64, before: Usage, after: Usage) -> Self {
        let (good, bad): (Vec<_>, Vec<_>) = runs.iter().partition(|run| run.failed.is_none());
        let mut times: Vec<i64> = good.iter().map(|run| run.took_ms).collect();
        times.sort_unstable();
        let at = |percent: usize| {
            let index = (times.len() * percent).div_ceil(100).saturating_sub(1);
            times.get(index).copied().unwrap_or(0)
        };
        let mut failed = BTreeMap::new();
        for run in bad {
            *failed.entry(run.failed.clone().unwrap_or_default()).or_default() += 1;
        }
        let sum = |of: fn(&Run) -> u64| runs.iter().map(of).sum();
        Self {
            name,
            took_ms,
            runs: good.len() as u64,
            sent: sum(|run| run.sent),
            received: sum(|run| run.received),
            requests: sum(|run| run.requests),
            bytes_up: sum(|run| run.bytes_up),
            bytes_down: sum(|run| run.bytes_down),
            p50_ms: at(50),
            p95_ms: at(95),
            p99_ms: at(99),
            max_ms: at(100),
            failed,
            cpu_ms: after.cpu_ms - before.cpu_ms,
            peak_kib: after.peak_kib,
        }
    }

    fn per_s(&self, count: u64) -> f64 {
        count as f64 * 1_000.0 / self.took_ms.max(1) as f64
    }

    pub fn to_json(&self) -> Value {
        json!({
            "part": self.name, "seconds": self.took_ms as f64 / 1_000.0, "syncs": self.runs,
            "sent": self.sent, "received": self.received, "requests": self.requests,
            "requests_per_s": self.per_s(self.requests), "records_per_s": self.per_s(self.sent),
            "bytes_up": self.bytes_up, "bytes_down": self.bytes_down,
            "p50_ms": self.p50_ms, "p95_ms": self.p95_ms, "p99_ms": self.p99_ms, "max_ms": self.max_ms,
            "failed": self.failed, "town_cpu_s": self.cpu_ms as f64 / 1_000.0,
            "town_peak_mib": self.peak_kib / 1024,
        })
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failed: u64 = self.failed.values().sum();
        write!(
            f,
            "{:<5} {:>7.1} s  {:>6} syncs  {:>6} sent  {:>7.0} records/s  {:>6.0} requests/s  sync p50 {} p95 {} p99 {} \
             max {} ms  {failed} failed and tried again {:?}  town: {:.1} s of CPU, peak {} MiB",
            self.name,
            self.took_ms as f64 / 1_000.0,
            self.runs,
            self.sent,
            self.per_s(self.sent),
            self.per_s(self.requests),
            self.p50_ms,
            self.p95_ms,
            self.p99_ms,
            self.max_ms,
            self.failed,
            self.cpu_ms as f64 / 1_000.0,
            self.peak_kib / 1024,
        )
    }
}
