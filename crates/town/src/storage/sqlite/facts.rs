//! Facts: the rows that figures, coverage and map count, derived from a record in the transaction that writes
//! it. What hangs together is derived again together: a household after its checks, checks after their
//! template. The same rows come out whatever the order of writes, and when all is derived anew.

#[cfg(test)]
mod tests;

use yaoguan_model::deletion::{self, Deletion};
use yaoguan_model::geodesy::line::{self, LINE_PRECISION};
use yaoguan_model::retention::HAZARD_FINISHED;
use yaoguan_model::template::Template;
use yaoguan_model::{Kind, Position, Record, RecordId, Value, canonical, risk, status};

use super::push::load;
use super::{id16, walk};
use crate::error::TownError;
use crate::storage::sql::{Connection, OptionalExtension, Transaction, named_params};

/// Derives what is counted of a record that was just written.
pub(super) fn project(tx: &Transaction<'_>, record: &Record) -> Result<(), TownError> {
    match &record.kind {
        Kind::Hazard => hazard(tx, record),
        Kind::Patrol => patrol(tx, record),
        Kind::Template => template(tx, record),
        Kind::Household => household(tx, record.id),
        Kind::HouseholdCheck => {
            for household in check(tx, record)? {
                self::household(tx, household)?;
            }
            Ok(())
        }
        Kind::Task | Kind::Notice | Kind::Grid | Kind::Unknown(_) => Ok(()),
    }
}

/// Forgets a record whose row is gone.
pub(super) fn forget(tx: &Transaction<'_>, record: &Record) -> Result<(), TownError> {
    let sql = match &record.kind {
        Kind::Hazard => "DELETE FROM hazard_fact WHERE record = ?1",
        Kind::Patrol => "DELETE FROM patrol_fact WHERE record = ?1",
        Kind::Template => "DELETE FROM template_fact WHERE record = ?1",
        Kind::Household => return household(tx, record.id),
        Kind::HouseholdCheck => {
            let before = household_of(tx, record.id)?;
            tx.prepare_cached(DELETE_CHECK)?.execute([record.id.as_bytes()])?;
            return before.map_or(Ok(()), |id| household(tx, id));
        }
        Kind::Task | Kind::Notice | Kind::Grid | Kind::Unknown(_) => return Ok(()),
    };
    tx.prepare_cached(sql)?.execute([record.id.as_bytes()])?;
    Ok(())
}

/// Derives every row anew.
pub(super) fn rebuild(tx: &Transaction<'_>) -> Result<(), TownError> {
    tx.execute_batch(
        "DELETE FROM hazard_fact; DELETE FROM patrol_fact; DELETE FROM template_fact; \
         DELETE FROM check_fact; DELETE FROM household_fact",
    )?;
    for kind in ["template", "hazard", "patrol", "household_check", "household"] {
        let mut rows = walk::records(tx, kind);
        while let Some(row) = rows.next()? {
            let body: Vec<u8> = row.get("body")?;
            let record = canonical::decode(&body)?;
            if record.kind == Kind::HouseholdCheck {
                // Their households come after them.
                check(tx, &record)?;
            } else {
                project(tx, &record)?;
            }
        }
    }
    Ok(())
}

fn is_deleted(record: &Record) -> bool {
    deletion::state(record) == Deletion::Deleted
}

/// Somebody has to settle something.
fn is_in_conflict(record: &Record) -> bool {
    deletion::state(record) == Deletion::Contested || record.conflicts().next().is_some()
}

fn int(record: &Record, path: &str) -> Option<i64> {
    record.shown(path).and_then(Value::as_int)
}

/// The town's times of the first receipt and of the last change.
fn times(tx: &Connection, id: RecordId) -> Result<(i64, i64), TownError> {
    let sql = "SELECT received_at, changed_at FROM record WHERE id = ?1";
    let mut statement = tx.prepare_cached(sql)?;
    Ok(statement
        .query_row([id.as_bytes()], |row| Ok((row.get("received_at")?, row.get("changed_at")?)))?)
}

/// When a case came to its end, as the step says that led there; a phone's clock reaches neither before the
/// report's receipt nor beyond that of the step.
fn ended_at(record: &Record, (received_at, changed_at): (i64, i64)) -> Option<i64> {
    let status = record.shown_text("status").unwrap_or_default();
    if !HAZARD_FINISHED.contains(&status) {
        return None;
    }
    let steps = record.elements("timeline").filter_map(|(_, entry)| {
        let leads = status::taken(entry).is_some_and(|step| step.to == status);
        entry.get("at").and_then(Value::as_int).filter(|_| leads)
    });
    Some(steps.max().unwrap_or(changed_at).min(changed_at).max(received_at))
}

fn hazard(tx: &Transaction<'_>, record: &Record) -> Result<(), TownError> {
    if is_deleted(record) {
        return forget(tx, record);
    }
    let text = |path: &str| record.shown_text(path).unwrap_or_default();
    let at = record.shown("position").and_then(Position::of);
    let times = times(tx, record.id)?;
    tx.prepare_cached(
        "INSERT OR REPLACE INTO hazard_fact (record, grid, category, severity, status, reported_at, \
         ended_at, due_on, conflict, lat_e7, lon_e7) VALUES (:record, :grid, :category, :severity, \
         :status, :reported_at, :ended_at, :due_on, :conflict, :lat_e7, :lon_e7)",
    )?
    .execute(named_params! {
        ":record": record.id.as_bytes(), ":grid": text("grid"), ":category": text("category"),
        ":severity": text("severity"), ":status": text("status"), ":reported_at": times.0,
        ":ended_at": ended_at(record, times), ":due_on": text("due_on"),
        ":conflict": is_in_conflict(record),
        ":lat_e7": at.map(|at| at.lat_e7), ":lon_e7": at.map(|at| at.lon_e7),
    })?;
    Ok(())
}

/// The drawn line of a patrol, part by part; what cannot be read is left out.
fn parts(record: &Record) -> Vec<(&str, Vec<Position>)> {
    let texts = record.shown("line").and_then(Value::as_list).unwrap_or_default();
    let texts = texts.iter().filter_map(Value::as_text);
    texts.filter_map(|text| Some((text, line::decode(text, LINE_PRECISION).ok()?))).collect()
}

fn patrol(tx: &Transaction<'_>, record: &Record) -> Result<(), TownError> {
    if is_deleted(record) {
        return forget(tx, record);
    }
    let (received_at, _) = times(tx, record.id)?;
    let (texts, points): (Vec<&str>, Vec<Vec<Position>>) = parts(record).into_iter().unzip();
    let points: Vec<Position> = points.into_iter().flatten().collect();
    let texts = serde_json::to_string(&texts).map_err(|e| TownError::Corrupt(e.to_string()))?;
    let lats = || points.iter().map(|at| at.lat_e7);
    let lons = || points.iter().map(|at| at.lon_e7);
    tx.prepare_cached(
        "INSERT OR REPLACE INTO patrol_fact (record, grid, at, distance_cm, conflict, south_e7, west_e7, \
         north_e7, east_e7, line) VALUES (:record, :grid, :at, :distance_cm, :conflict, :south, :west, \
         :north, :east, :line)",
    )?
    .execute(named_params! {
        ":record": record.id.as_bytes(),
        ":grid": record.shown_text("grid").unwrap_or_default(),
        ":at": int(record, "started_at").unwrap_or(received_at).min(received_at),
        ":distance_cm": int(record, "distance_cm").unwrap_or_default(),
        ":conflict": is_in_conflict(record),
        ":south": lats().min(), ":west": lons().min(), ":north": lats().max(), ":east": lons().max(),
        ":line": texts,
    })?;
    Ok(())
}

/// A deleted template is still what its checks were made with.
fn template(tx: &Transaction<'_>, record: &Record) -> Result<(), TownError> {
    forget(tx, record)?;
    let code = record.shown_text("code").unwrap_or_default();
    let version = int(record, "version").unwrap_or_default();
    let sql = "INSERT INTO template_fact (code, version, record) VALUES (?1, ?2, ?3)";
    tx.prepare_cached(sql)?.execute((code, version, record.id.as_bytes()))?;
    let sql = "SELECT record FROM check_fact WHERE template = ?1 AND version = ?2";
    let mut statement = tx.prepare_cached(sql)?;
    let rows = statement.query_map((code, version), |row| id16(row, "record"))?;
    let checks: Vec<[u8; 16]> = rows.collect::<Result<_, _>>()?;
    for id in checks {
        if let Some(check) = load(tx, RecordId::from_bytes(id))? {
            project(tx, &check)?;
        }
    }
    Ok(())
}

/// How dangerous a dwelling was at a visit that took place.
fn risk_of(tx: &Connection, check: &Record) -> Result<&'static str, TownError> {
    if check.shown_text("outcome") != Some("done") {
        return Ok("");
    }
    let code = check.shown_text("template").unwrap_or_default();
    let version = int(check, "template_version").unwrap_or_default();
    let sql = "SELECT record FROM template_fact WHERE code = ?1 AND version = ?2 ORDER BY record";
    let mut statement = tx.prepare_cached(sql)?;
    let found = statement.query_row((code, version), |row| id16(row, "record")).optional()?;
    let Some(id) = found.map(RecordId::from_bytes) else { return Ok("") };
    let template = load(tx, id)?.and_then(|record| Template::of(&record).ok());
    let level = |template: Template| risk::assess(&template.items, &risk::answers_of(check)).level;
    Ok(template.map_or("", |template| level(template).as_str()))
}

const DELETE_CHECK: &str = "DELETE FROM check_fact WHERE record = ?1";

fn household_of(tx: &Connection, check: RecordId) -> Result<Option<RecordId>, TownError> {
    let mut statement = tx.prepare_cached("SELECT household FROM check_fact WHERE record = ?1")?;
    let found = statement.query_row([check.as_bytes()], |row| id16(row, "household"));
    Ok(found.optional()?.map(RecordId::from_bytes))
}

/// Returns the households whose rows depend on it.
fn check(tx: &Transaction<'_>, record: &Record) -> Result<Vec<RecordId>, TownError> {
    let before = household_of(tx, record.id)?;
    let household = record.shown_text("household").and_then(|text| text.parse::<RecordId>().ok());
    let Some(household) = household.filter(|_| !is_deleted(record)) else {
        tx.prepare_cached(DELETE_CHECK)?.execute([record.id.as_bytes()])?;
        return Ok(before.into_iter().collect());
    };
    let text = |path: &str| record.shown_text(path).unwrap_or_default();
    tx.prepare_cached(
        "INSERT OR REPLACE INTO check_fact (record, household, checked_at, due_on, risk, template, \
         version, conflict) VALUES (:record, :household, :checked_at, :due_on, :risk, :template, \
         :version, :conflict)",
    )?
    .execute(named_params! {
        ":record": record.id.as_bytes(), ":household": household.as_bytes(),
        ":checked_at": int(record, "checked_at").unwrap_or_default(), ":due_on": text("due_on"),
        ":risk": risk_of(tx, record)?, ":template": text("template"),
        ":version": int(record, "template_version").unwrap_or_default(),
        ":conflict": is_in_conflict(record),
    })?;
    Ok(before.into_iter().filter(|id| *id != household).chain([household]).collect())
}

const HOUSEHOLD: &str = "INSERT OR REPLACE INTO household_fact (record, grid, conflict, risk, checked_at, \
     due_on, lat_e7, lon_e7) SELECT :record, :grid, \
     CASE WHEN :conflict = 1 OR EXISTS (SELECT 1 FROM check_fact WHERE household = :record AND conflict = 1) \
     THEN 1 ELSE 0 END, \
     coalesce(visit.risk, ''), visit.checked_at, \
     coalesce((SELECT due_on FROM check_fact WHERE household = :record \
     ORDER BY checked_at DESC, record DESC LIMIT 1), ''), :lat_e7, :lon_e7 \
     FROM (SELECT 1) AS one LEFT JOIN (SELECT risk, checked_at FROM check_fact \
     WHERE household = :record AND risk <> '' ORDER BY checked_at DESC, record DESC LIMIT 1) AS visit ON 1 = 1";

fn household(tx: &Transaction<'_>, id: RecordId) -> Result<(), TownError> {
    let live = load(tx, id)?.filter(|record| record.kind == Kind::Household && !is_deleted(record));
    let Some(record) = live else {
        let sql = "DELETE FROM household_fact WHERE record = ?1";
        tx.prepare_cached(sql)?.execute([id.as_bytes()])?;
        return Ok(());
    };
    let at = record.shown("position").and_then(Position::of);
    tx.prepare_cached(HOUSEHOLD)?.execute(named_params! {
        ":record": id.as_bytes(), ":grid": record.shown_text("grid").unwrap_or_default(),
        ":conflict": is_in_conflict(&record),
        ":lat_e7": at.map(|at| at.lat_e7), ":lon_e7": at.map(|at| at.lon_e7),
    })?;
    Ok(())
}
