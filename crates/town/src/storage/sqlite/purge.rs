//! Purging and erasure as SQL: the content goes, `(id, context)` stays, readers are told.

use std::collections::{BTreeMap, BTreeSet};

use yaoguan_model::retention::is_finished;
use yaoguan_model::{Kind, Record, RecordId, canonical};

use super::super::purge::{After, Erasure, MAX_KEEPS_DAYS, Purged};
use super::push::{checks_of, load, purged_context};
use super::{audit, blobs, facts, id16, inbox, search_index};
use crate::audit::{Act, Attribution, Subject};
use crate::days::DAY_S;
use crate::error::TownError;
use crate::storage::sql::{Connection, OptionalExtension, Transaction};

/// Candidates looked at in one transaction.
const BATCH: u32 = 500;

const DUE: &str = "SELECT id, changed_at, body FROM record WHERE changed_at <= ?1 \
     AND (changed_at, id) > (?2, ?3) ORDER BY changed_at, id LIMIT ?4";

/// Days that finished records are kept.
pub(super) fn keeps_days(connection: &Connection) -> Result<i64, TownError> {
    let sql = "SELECT days FROM retention WHERE what = 'records'";
    let days = connection.prepare_cached(sql)?.query_row([], |row| row.get("days")).optional()?;
    Ok(days.unwrap_or(MAX_KEEPS_DAYS))
}

pub(super) fn set_keeps_days(
    tx: &Transaction<'_>,
    days: i64,
    done: &Attribution,
) -> Result<(), TownError> {
    let before = keeps_days(tx)?;
    let sql = "INSERT OR REPLACE INTO retention (what, days) VALUES ('records', ?1)";
    tx.prepare_cached(sql)?.execute([days])?;
    let entry = done.entry(Act::SettingChanged, Subject::Town);
    audit::write(tx, &entry.with("retention_days", days).with("before", before))?;
    Ok(())
}

/// The next candidates after `after`, and where those behind them begin.
fn candidates(
    connection: &Connection,
    days: i64,
    after: Option<After>,
    now: i64,
) -> Result<(Vec<Record>, Option<After>), TownError> {
    let (since, id) = after.map_or((i64::MIN, [0; 16]), |after| (after.0, *after.1.as_bytes()));
    let mut statement = connection.prepare_cached(DUE)?;
    let rows = statement.query_map((now - days * DAY_S, since, id, BATCH), |row| {
        let at = After(row.get("changed_at")?, RecordId::from_bytes(id16(row, "id")?));
        Ok((at, row.get::<_, Vec<u8>>("body")?))
    })?;
    let candidates: Vec<(After, Vec<u8>)> = rows.collect::<Result<_, _>>()?;
    let next = candidates.last().map(|(at, _)| *at).filter(|_| candidates.len() >= BATCH as usize);
    let records = candidates.iter().map(|(_, body)| Ok(canonical::decode(body)?));
    Ok((records.collect::<Result<_, TownError>>()?, next))
}

/// What a purge would take.
pub(super) fn would(
    connection: &Connection,
    days: i64,
    after: Option<After>,
    now: i64,
) -> Result<Purged, TownError> {
    let (candidates, next) = candidates(connection, days, after, now)?;
    let mut counts = BTreeMap::new();
    for record in candidates {
        if is_due(connection, &record, now)? && !is_needed(connection, record.id)? {
            *counts.entry(record.kind.as_str().to_owned()).or_default() += 1;
        }
    }
    Ok(Purged { counts, next })
}

/// Purges what is due among the next candidates after `after`.
pub(super) fn due(
    tx: &Transaction<'_>,
    after: Option<After>,
    now: i64,
) -> Result<Purged, TownError> {
    let (candidates, next) = candidates(tx, keeps_days(tx)?, after, now)?;
    let mut purge = Purge::default();
    for record in candidates {
        if is_due(tx, &record, now)? && !is_needed(tx, record.id)? {
            purge.add(tx, &record, now)?;
        }
    }
    let counts = purge.counts.clone();
    if !counts.is_empty() {
        note(tx, &Attribution::town(now), (Act::Purged, Subject::Town), &counts)?;
    }
    purge.tell(tx)?;
    Ok(Purged { counts, next })
}

/// A household goes two years after its last check, which is when no check is left.
fn is_due(tx: &Connection, record: &Record, now: i64) -> Result<bool, TownError> {
    if record.kind != Kind::Household {
        return Ok(is_finished(record, now));
    }
    let in_question = record.conflicts().next().is_some()
        || yaoguan_model::deletion::state(record) == yaoguan_model::deletion::Deletion::Contested;
    Ok(!in_question && linked(tx, record.id)?.is_empty())
}

/// Somebody has yet to decide on something of it.
fn is_needed(tx: &Connection, id: RecordId) -> Result<bool, TownError> {
    let sql = "SELECT 1 FROM held WHERE record = ?1 AND outcome = '' \
         UNION ALL SELECT 1 FROM recovered WHERE record = ?1 AND taken_at IS NULL";
    Ok(tx.prepare_cached(sql)?.exists([id.as_bytes()])?)
}

/// Checks of a household, and hazards and tasks that name it. No index leads from a household to the latter
/// two: this is asked for an erasure, or for a household that nobody has touched for two years.
fn linked(tx: &Connection, household: RecordId) -> Result<BTreeSet<RecordId>, TownError> {
    let mut all: BTreeSet<RecordId> = checks_of(tx, household)?.into_iter().collect();
    let sql = "SELECT id, body FROM record WHERE kind IN ('hazard', 'task') \
         AND instr(body, CAST(?1 AS BLOB)) > 0";
    let mut statement = tx.prepare_cached(sql)?;
    let name = household.to_string();
    let rows = statement.query_map([&name], |row| row.get::<_, Vec<u8>>("body"))?;
    for body in rows {
        let record = canonical::decode(&body?)?;
        let names = |path| record.distinct(path).iter().any(|v| v.as_text() == Some(&name));
        if names("household") || names("about") {
            all.insert(record.id);
        }
    }
    Ok(all)
}

/// Erases a household with everything that hangs on it.
pub(super) fn erase(
    tx: &Transaction<'_>,
    id: RecordId,
    with_open: bool,
    done: &Attribution,
) -> Result<Erasure, TownError> {
    let now = done.at;
    let Some(household) = load(tx, id)?.filter(|record| record.kind == Kind::Household) else {
        return Ok(Erasure::NotFound);
    };
    let mut all = Vec::new();
    let (mut open, mut undecided) = (Vec::new(), Vec::new());
    for linked in linked(tx, id)? {
        let Some(record) = load(tx, linked)? else { continue };
        // An open case is a danger that somebody is still to put right.
        if record.kind != Kind::HouseholdCheck && !is_finished(&record, now) {
            open.push(linked);
        }
        all.push(record);
    }
    all.push(household);
    for record in &all {
        if is_needed(tx, record.id)? {
            undecided.push(record.id);
        }
    }
    if !undecided.is_empty() {
        return Ok(Erasure::Undecided(undecided));
    }
    if !open.is_empty() && !with_open {
        return Ok(Erasure::Open(open));
    }
    let mut purge = Purge::default();
    for record in &all {
        purge.add(tx, record, now)?;
    }
    let counts = purge.counts.clone();
    note(tx, done, (Act::Erased, Subject::Record(id)), &counts)?;
    purge.tell(tx)?;
    Ok(Erasure::Done(counts))
}

/// How many of each kind went, in the audit log.
fn note(
    tx: &Transaction<'_>,
    done: &Attribution,
    (act, about): (Act, Subject),
    counts: &BTreeMap<String, u64>,
) -> Result<(), TownError> {
    let mut entry = done.entry(act, about);
    for (kind, count) in counts {
        entry = entry.with(kind, *count);
    }
    audit::write(tx, &entry)?;
    Ok(())
}

/// Carries out what the list of purged records says: after a database was put back from before. Returns how
/// many went.
pub(super) fn replay(tx: &Transaction<'_>) -> Result<u64, TownError> {
    let sql = "SELECT purged.id AS id FROM purged JOIN record ON record.id = purged.id";
    let mut statement = tx.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| id16(row, "id"))?;
    let ids: Vec<[u8; 16]> = rows.collect::<Result<_, _>>()?;
    let mut purge = Purge::default();
    for id in ids {
        let id = RecordId::from_bytes(id);
        let (Some(record), Some(purged)) = (load(tx, id)?, purged_context(tx, id)?) else {
            continue;
        };
        // What the purge had not seen is not its to destroy.
        if purged.covers(&record.context) {
            purge.take(tx, &record)?;
        }
    }
    let count = purge.ids.len() as u64;
    purge.tell(tx)?;
    Ok(count)
}

/// Records that go in this transaction.
#[derive(Default)]
struct Purge {
    ids: Vec<RecordId>,
    counts: BTreeMap<String, u64>,
}

impl Purge {
    fn add(&mut self, tx: &Transaction<'_>, record: &Record, now: i64) -> Result<(), TownError> {
        let corrupt = |e: serde_json::Error| TownError::Corrupt(format!("purged: {e}"));
        let context = serde_json::to_string(&record.context).map_err(corrupt)?;
        tx.prepare_cached(
            "INSERT INTO purged (id, kind, created_by, context, at) VALUES (?1, ?2, ?3, ?4, ?5) \
             ON CONFLICT (id) DO UPDATE SET context = excluded.context, at = excluded.at",
        )?
        .execute((
            record.id.as_bytes(),
            record.kind.as_str(),
            record.created_by.as_bytes(),
            context,
            now,
        ))?;
        *self.counts.entry(record.kind.as_str().to_owned()).or_default() += 1;
        self.take(tx, record)
    }

    /// The content goes, wherever it is.
    fn take(&mut self, tx: &Transaction<'_>, record: &Record) -> Result<(), TownError> {
        blobs::release(tx, record.id)?;
        inbox::remove(tx, record.id)?;
        for sql in [
            "DELETE FROM record WHERE id = ?1",
            "DELETE FROM feature WHERE record = ?1",
            "DELETE FROM check_of WHERE record = ?1",
            "DELETE FROM check_of WHERE household = ?1",
            "DELETE FROM held WHERE record = ?1 AND outcome <> ''",
            "DELETE FROM recovered_from WHERE hash IN \
             (SELECT hash FROM recovered WHERE record = ?1 AND taken_at IS NOT NULL)",
            "DELETE FROM recovered WHERE record = ?1 AND taken_at IS NOT NULL",
        ] {
            tx.prepare_cached(sql)?.execute([record.id.as_bytes()])?;
        }
        facts::forget(tx, record)?;
        self.ids.push(record.id);
        Ok(())
    }

    /// Feed rows, last in the transaction.
    fn tell(self, tx: &Transaction<'_>) -> Result<(), TownError> {
        if self.ids.is_empty() {
            return Ok(());
        }
        search_index::forget(tx)?;
        let count = i64::try_from(self.ids.len()).unwrap_or(i64::MAX);
        let sql = "UPDATE feed_head SET position = position + ?1 RETURNING position";
        let last: i64 = tx.prepare_cached(sql)?.query_row([count], |row| row.get("position"))?;
        for (position, id) in (last - count + 1..).zip(self.ids) {
            let sql = "UPDATE feed SET state = 2, position = ?2, origin = NULL WHERE record = ?1";
            tx.prepare_cached(sql)?.execute((id.as_bytes(), position))?;
        }
        Ok(())
    }
}

/// Whether a record was purged and is here all the same: for `verify`.
pub(super) fn is_back(connection: &Connection, record: &Record) -> Result<bool, TownError> {
    let sql = "SELECT context FROM purged WHERE id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let context =
        statement.query_row([record.id.as_bytes()], |row| row.get::<_, String>("context"));
    let Some(context) = context.optional()? else { return Ok(false) };
    let context: yaoguan_model::VersionVector =
        serde_json::from_str(&context).map_err(|e| TownError::Corrupt(format!("purged: {e}")))?;
    Ok(context.covers(&record.context))
}
