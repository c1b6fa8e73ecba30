//! What a day brought in a supervisor's grids, counted from records. Pure. No person and no household stands in
//! it; visits to fewer than five dwellings are not counted out.

use std::collections::BTreeMap;

use serde::Serialize;
use yaoguan_model::deletion::{self, Deletion};
use yaoguan_model::{Kind, Record, Value, status};

/// Fewer dwellings than this are not told apart.
const FEW: u64 = 5;
/// Reports that are named one by one.
const MAX_NAMED: usize = 40;

/// A day, from its first second to before `end`, in seconds.
#[derive(Debug, Clone, Copy)]
pub struct Day {
    pub begins: i64,
    pub ends: i64,
}

impl Day {
    fn holds(self, at: i64) -> bool {
        (self.begins..self.ends).contains(&at)
    }
}

/// A report that is named.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Named {
    pub id: String,
    pub title: String,
    pub category: String,
    pub severity: String,
    pub status: String,
    pub grid: String,
    pub address: String,
}

/// The counts of a day.
#[derive(Debug, Clone, Default, Serialize, utoipa::ToSchema)]
pub struct Daily {
    /// Reports that arrived.
    pub reported: u64,
    pub categories: BTreeMap<String, u64>,
    pub severities: BTreeMap<String, u64>,
    /// Steps that were taken, by where they lead.
    pub steps: BTreeMap<String, u64>,
    /// Serious and major reports of the day.
    pub named: Vec<Named>,
    pub patrols: u64,
    pub patrolled_m: i64,
    pub patrolled_s: i64,
    /// A number, or `<5`.
    pub checks: String,
    pub tasks_done: u64,
}

/// Counts the records that changed on or after a day; beside each the time of its first receipt.
pub fn count(day: Day, records: &[(Record, i64)]) -> Daily {
    let (mut daily, mut checks) = (Daily::default(), 0);
    for (record, received_at) in records {
        if deletion::state(record) == Deletion::Deleted {
            continue;
        }
        let within =
            |path: &str| record.shown(path).and_then(Value::as_int).is_some_and(|at| day.holds(at));
        let int = |path: &str| record.shown(path).and_then(Value::as_int).unwrap_or_default();
        match record.kind {
            Kind::Hazard => hazard(&mut daily, day, record, *received_at),
            Kind::Patrol if within("started_at") => {
                daily.patrols += 1;
                daily.patrolled_m += int("distance_cm") / 100;
                daily.patrolled_s += int("duration_s");
            }
            Kind::HouseholdCheck if within("checked_at") => checks += 1,
            Kind::Task => {
                daily.tasks_done += steps(day, record).filter(|to| *to == "done").count() as u64
            }
            Kind::Patrol | Kind::HouseholdCheck | Kind::Household => {}
            Kind::Notice | Kind::Grid | Kind::Template | Kind::Unknown(_) => {}
        }
    }
    daily.checks = if (1..FEW).contains(&checks) { format!("<{FEW}") } else { checks.to_string() };
    daily.named.sort_by(|a, b| {
        (&b.severity == "major").cmp(&(&a.severity == "major")).then(a.id.cmp(&b.id))
    });
    daily.named.truncate(MAX_NAMED);
    daily
}

fn steps(day: Day, record: &Record) -> impl Iterator<Item = &str> {
    record.elements("timeline").filter_map(move |(_, entry)| {
        let at = entry.get("at").and_then(Value::as_int)?;
        status::taken(entry).filter(|_| day.holds(at)).map(|taken| taken.to)
    })
}

fn hazard(daily: &mut Daily, day: Day, record: &Record, received_at: i64) {
    for to in steps(day, record) {
        *daily.steps.entry(to.to_owned()).or_default() += 1;
    }
    if !day.holds(received_at) {
        return;
    }
    let text = |path: &str| record.shown_text(path).unwrap_or_default().to_owned();
    daily.reported += 1;
    *daily.categories.entry(text("category")).or_default() += 1;
    *daily.severities.entry(text("severity")).or_default() += 1;
    if text("severity") != "general" {
        daily.named.push(Named {
            id: record.id.to_string(),
            title: text("title"),
            category: text("category"),
            severity: text("severity"),
            status: text("status"),
            grid: text("grid"),
            address: text("address"),
        });
    }
}
