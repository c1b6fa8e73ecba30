//! Figures and coverage as SQL over the facts. Scope is in each statement: the grids asked for, one index range
//! for each.

use std::collections::BTreeMap;

use yaoguan_model::GridCode;

use super::super::figures::{
    Conflicts, Coverage, CoverageAsk, Devices, Figures, FiguresAsk, GridCoverage, GridHazards,
    HouseholdCounts, Households, Now, Period,
};
use crate::days::{DAY_S, OFFSET_S, day_of};
use crate::error::TownError;
use crate::storage::sql::{self, Connection, FromSql, Row, named_params};
use crate::suppression::{self, Shown};

/// Grid codes, as the JSON list that a statement takes.
pub(super) fn list_of(grids: &[GridCode]) -> Result<String, TownError> {
    let codes: Vec<&str> = grids.iter().map(GridCode::as_str).collect();
    serde_json::to_string(&codes).map_err(|e| TownError::Corrupt(e.to_string()))
}

/// Hazards reported in the period, counted by something.
macro_rules! reported_by {
    ($what:literal) => {
        concat!(
            "SELECT ",
            $what,
            " AS what, count(*) AS n FROM json_each(:grids) \
             CROSS JOIN hazard_fact ON hazard_fact.grid = value \
             WHERE reported_at >= :from AND reported_at < :until GROUP BY 1"
        )
    };
}
pub(super) const BY_CATEGORY: &str = reported_by!("category");
pub(super) const BY_SEVERITY: &str = reported_by!("severity");
pub(super) const BY_STATUS: &str = reported_by!("status");
/// Days of the town's calendar since 1970.
pub(super) const BY_DAY: &str = reported_by!("(reported_at + 28800) / 86400");
/// One range for each number.
pub(super) const BY_GRID: &str = "SELECT value AS grid, \
     (SELECT count(*) FROM hazard_fact WHERE hazard_fact.grid = value \
     AND reported_at >= :from AND reported_at < :until) AS reported, \
     (SELECT count(*) FROM hazard_fact WHERE hazard_fact.grid = value \
     AND ended_at >= :from AND ended_at < :until AND status = 'closed') AS closed, \
     (SELECT count(*) FROM hazard_fact WHERE hazard_fact.grid = value AND ended_at IS NULL \
     AND due_on >= '') AS open, \
     (SELECT count(*) FROM hazard_fact WHERE hazard_fact.grid = value AND ended_at IS NULL \
     AND due_on > '' AND due_on < :today) AS overdue FROM json_each(:grids)";
pub(super) const CLOSED_BY_DAY: &str = "SELECT (ended_at + 28800) / 86400 AS what, count(*) AS n \
     FROM json_each(:grids) CROSS JOIN hazard_fact ON hazard_fact.grid = value \
     WHERE ended_at >= :from AND ended_at < :until AND status = 'closed' GROUP BY 1";
/// How long those took that were closed in the period, at two ranks.
pub(super) const TOOK: &str = "WITH took AS MATERIALIZED (SELECT ended_at - reported_at AS took \
     FROM json_each(:grids) CROSS JOIN hazard_fact ON hazard_fact.grid = value \
     WHERE ended_at >= :from AND ended_at < :until AND status = 'closed' ORDER BY 1) \
     SELECT (SELECT took FROM took LIMIT 1 OFFSET :median) AS median, \
     (SELECT took FROM took LIMIT 1 OFFSET :p90) AS p90";
pub(super) const CONFLICTS: &str = "SELECT (SELECT count(*) FROM json_each(:grids) CROSS JOIN hazard_fact \
     ON hazard_fact.grid = value WHERE conflict = 1) AS hazards, \
     (SELECT count(*) FROM json_each(:grids) CROSS JOIN patrol_fact \
     ON patrol_fact.grid = value WHERE conflict = 1) AS patrols";
pub(super) const HOUSEHOLDS: &str = "SELECT value AS grid, risk, count(household_fact.record) AS n, \
     sum(due_on <> '' AND due_on <= :today) AS due, sum(conflict) AS conflicts \
     FROM json_each(:grids) CROSS JOIN household_fact ON household_fact.grid = value GROUP BY 1, 2";
/// Of people who share a grid with the asker.
pub(super) const HELD: &str = "SELECT count(*) AS n FROM held JOIN account ON account.id = held.account \
     WHERE outcome = '' AND (whole_town = 1 OR EXISTS (SELECT 1 FROM account_grid \
     WHERE account = account.id AND grid IN (SELECT value FROM json_each(:grids))))";
pub(super) const DEVICES: &str = "SELECT coalesce(sum(last_contact >= :now - 86400), 0) AS day, \
     coalesce(sum(last_contact < :now - 86400 AND last_contact >= :now - 604800), 0) AS week, \
     coalesce(sum(last_contact < :now - 604800 AND last_contact >= :now - 2592000), 0) AS month, \
     coalesce(sum(last_contact < :now - 2592000 AND last_contact > 0), 0) AS longer, \
     coalesce(sum(last_contact = 0), 0) AS never \
     FROM device JOIN account ON account.id = device.account \
     WHERE revoked_at IS NULL AND disabled_at IS NULL AND role <> 'admin' \
     AND (whole_town = 1 OR EXISTS (SELECT 1 FROM account_grid \
     WHERE account = account.id AND grid IN (SELECT value FROM json_each(:grids))))";
pub(super) const WALKED: &str = "SELECT value AS grid, \
     (SELECT max(at) FROM patrol_fact WHERE patrol_fact.grid = value AND at < :until) AS last, \
     (SELECT count(*) FROM patrol_fact \
     WHERE patrol_fact.grid = value AND at >= :from AND at < :until) AS patrols, \
     (SELECT coalesce(sum(distance_cm), 0) FROM patrol_fact \
     WHERE patrol_fact.grid = value AND at >= :from AND at < :until) AS distance_cm, \
     (SELECT count(*) FROM hazard_fact WHERE hazard_fact.grid = value AND reported_at < :until \
     AND (ended_at IS NULL OR ended_at >= :until)) AS open \
     FROM json_each(:grids) ORDER BY value";

pub(super) fn figures(connection: &Connection, ask: &FiguresAsk) -> Result<Figures, TownError> {
    let narrowed: Vec<GridCode> =
        ask.grids.iter().filter(|code| ask.grid.iter().all(|one| one == *code)).cloned().collect();
    let grids = list_of(&narrowed)?;
    let mut figures = Figures::default();
    reported(connection, ask, &grids, &mut figures)?;
    by_grid(connection, ask, &grids, &mut figures)?;
    closed(connection, ask, &grids, &mut figures)?;
    let (households, conflicts) = households(connection, &ask.grids, &ask.today)?;
    figures.households = match &ask.grid {
        None => households,
        Some(grid) => {
            let of_grid = households.by_grid.get(grid.as_str()).copied().unwrap_or_default();
            let by_grid = BTreeMap::from([(grid.as_str().to_owned(), of_grid)]);
            Households { by_grid, all: of_grid }
        }
    };
    standing(connection, ask, &grids, &mut figures.now)?;
    figures.now.conflicts.households = match &ask.grid {
        None => suppression::sum(conflicts.into_values()),
        Some(grid) => suppression::cell(conflicts.get(grid.as_str()).copied().unwrap_or_default()),
    };
    Ok(figures)
}

/// Numbers by something, of the period.
fn counted<K: FromSql + Ord>(
    connection: &Connection,
    sql: &str,
    ask: &FiguresAsk,
    grids: &str,
) -> Result<BTreeMap<K, u64>, TownError> {
    let mut statement = connection.prepare_cached(sql)?;
    let Period { from, until } = ask.period;
    let asked = named_params! { ":grids": grids, ":from": from, ":until": until };
    let rows = statement.query_map(asked, |row| Ok((row.get("what")?, row.get("n")?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn reported(
    connection: &Connection,
    ask: &FiguresAsk,
    grids: &str,
    figures: &mut Figures,
) -> Result<(), TownError> {
    figures.by_category = counted(connection, BY_CATEGORY, ask, grids)?;
    figures.by_severity = counted(connection, BY_SEVERITY, ask, grids)?;
    figures.by_status = counted(connection, BY_STATUS, ask, grids)?;
    for (status, n) in &figures.by_status {
        figures.reported += n;
        if !matches!(status.as_str(), "unfounded" | "merged") {
            figures.rectified.of += n;
        }
        if matches!(status.as_str(), "rectified" | "closed") {
            figures.rectified.done += n;
        }
    }
    for (day, n) in counted::<i64>(connection, BY_DAY, ask, grids)? {
        figures.by_day.entry(day_of(day * DAY_S - OFFSET_S)).or_default().reported = n;
    }
    Ok(())
}

fn by_grid(
    connection: &Connection,
    ask: &FiguresAsk,
    grids: &str,
    figures: &mut Figures,
) -> Result<(), TownError> {
    let mut statement = connection.prepare_cached(BY_GRID)?;
    let mut rows = statement.query(named_params! {
        ":grids": grids, ":from": ask.period.from, ":until": ask.period.until, ":today": ask.today,
    })?;
    while let Some(row) = rows.next()? {
        let grid = GridHazards {
            reported: row.get("reported")?,
            closed: row.get("closed")?,
            open: row.get("open")?,
            overdue: row.get("overdue")?,
        };
        figures.closing.closed += grid.closed;
        figures.now.open += grid.open;
        figures.now.overdue += grid.overdue;
        if grid != GridHazards::default() {
            figures.by_grid.insert(row.get("grid")?, grid);
        }
    }
    Ok(())
}

fn closed(
    connection: &Connection,
    ask: &FiguresAsk,
    grids: &str,
    figures: &mut Figures,
) -> Result<(), TownError> {
    for (day, n) in counted::<i64>(connection, CLOSED_BY_DAY, ask, grids)? {
        figures.by_day.entry(day_of(day * DAY_S - OFFSET_S)).or_default().closed = n;
    }
    let closing = &mut figures.closing;
    let mut statement = connection.prepare_cached(TOOK)?;
    let asked = named_params! {
        ":grids": grids, ":from": ask.period.from, ":until": ask.period.until,
        ":median": place(closing.closed, 50), ":p90": place(closing.closed, 90),
    };
    (closing.median_s, closing.p90_s) =
        statement.query_row(asked, |row| Ok((row.get("median")?, row.get("p90")?)))?;
    Ok(())
}

/// Where among so many sorted values the smallest stands that at least so many percent do not exceed (nearest
/// rank).
fn place(count: u64, percent: u64) -> u64 {
    (count * percent).div_ceil(100).saturating_sub(1)
}

/// The table of households, with what may not be told left out; and beside it the conflicts by grid.
fn households(
    connection: &Connection,
    grids: &[GridCode],
    today: &str,
) -> Result<(Households, BTreeMap<String, u64>), TownError> {
    let grids = list_of(grids)?;
    let (mut raw, mut conflicts) = (BTreeMap::new(), BTreeMap::new());
    let mut statement = connection.prepare_cached(HOUSEHOLDS)?;
    let mut rows = statement.query(named_params! { ":grids": grids, ":today": today })?;
    while let Some(row) = rows.next()? {
        let grid: String = row.get("grid")?;
        let raw: &mut [u64; 5] = raw.entry(grid.clone()).or_default();
        let [high, medium, low, unknown, due] = raw;
        let risk: String = row.get("risk")?;
        let level = match risk.as_str() {
            "high" => high,
            "medium" => medium,
            "low" => low,
            _ => unknown,
        };
        *level += row.get::<_, u64>("n")?;
        *due += row.get::<_, u64>("due")?;
        *conflicts.entry(grid).or_default() += row.get::<_, u64>("conflicts")?;
    }
    // A grid without households has a row all the same: that there are none is told of none.
    let codes: Vec<String> = serde_json::from_str(&grids).unwrap_or_default();
    for code in codes {
        raw.entry(code).or_default();
    }
    let by_grid =
        raw.iter().map(|(grid, cells)| (grid.clone(), counts(cells.map(suppression::cell))));
    let column =
        |at: usize| suppression::sum(raw.values().filter_map(|cells| cells.get(at).copied()));
    let all = counts([0, 1, 2, 3, 4].map(column));
    Ok((Households { by_grid: by_grid.collect(), all }, conflicts))
}

fn counts([high, medium, low, unknown, due]: [Shown; 5]) -> HouseholdCounts {
    let all = suppression::sum_of_told(&[high, medium, low, unknown]);
    HouseholdCounts { high, medium, low, unknown, all, due }
}

fn standing(
    connection: &Connection,
    ask: &FiguresAsk,
    grids: &str,
    now: &mut Now,
) -> Result<(), TownError> {
    now.conflicts = connection.prepare_cached(CONFLICTS)?.query_row(
        named_params! { ":grids": grids },
        |row| {
            let (hazards, patrols) = (row.get("hazards")?, row.get("patrols")?);
            Ok(Conflicts { hazards, patrols, households: Shown::Few })
        },
    )?;
    now.held = connection
        .prepare_cached(HELD)?
        .query_row(named_params! { ":grids": grids }, |row| row.get("n"))?;
    let asked = named_params! { ":grids": grids, ":now": ask.now };
    now.devices = connection.prepare_cached(DEVICES)?.query_row(asked, devices)?;
    Ok(())
}

fn devices(row: &Row<'_>) -> sql::Result<Devices> {
    Ok(Devices {
        day: row.get("day")?,
        week: row.get("week")?,
        month: row.get("month")?,
        longer: row.get("longer")?,
        never: row.get("never")?,
    })
}

pub(super) fn coverage(connection: &Connection, ask: &CoverageAsk) -> Result<Coverage, TownError> {
    let (households, _) = households(connection, &ask.grids, &ask.today)?;
    let mut statement = connection.prepare_cached(WALKED)?;
    let asked = named_params! {
        ":grids": list_of(&ask.grids)?, ":from": ask.period.from, ":until": ask.period.until,
    };
    let rows = statement.query_map(asked, |row| {
        let grid: String = row.get("grid")?;
        Ok(GridCoverage {
            patrols: row.get("patrols")?,
            distance_cm: row.get("distance_cm")?,
            last_patrol_at: row.get("last")?,
            open: row.get("open")?,
            households: households.by_grid.get(&grid).copied().unwrap_or_default(),
            grid,
        })
    })?;
    Ok(Coverage { grids: rows.collect::<Result<_, _>>()?, households: households.all })
}
