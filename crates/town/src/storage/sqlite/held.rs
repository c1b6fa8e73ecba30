//! Held and recovered saves as SQL.

use yaoguan_model::faults::{Fault, is_broken};
use yaoguan_model::{AccountId, Changes, DeviceId, Dot, Kind, Record, RecordId, canonical, merge};
use yaoguan_wire::{ErrorCode, HoldId, HoldNews, HoldOutcome};

use super::super::Batch;
use super::super::held::{Held, Recovered, Release};
use super::push::{around, around_both, load, purged_context, write};
use super::{audit, blobs, feed, id16, own, people};
use crate::audit::{Act, Attribution, By, Subject};
use crate::error::TownError;
use crate::push::Hold;
use crate::release::{self, Start};
use crate::storage::sql::{self, Connection, OptionalExtension, Row, Transaction};

fn unreadable(error: &serde_json::Error) -> TownError {
    TownError::Corrupt(format!("held save: {error}"))
}

/// Keeps a held save. A later push of the same record that covers an earlier hold takes its place.
pub(super) fn keep(
    tx: &Transaction<'_>,
    batch: &Batch,
    incoming: &Record,
    (id, hold): (HoldId, &Hold),
) -> Result<(), TownError> {
    supersede(tx, incoming, Some(id), batch.now)?;
    let changes = serde_json::to_string(&hold.changes).map_err(|e| unreadable(&e))?;
    let context = serde_json::to_string(&incoming.context).map_err(|e| unreadable(&e))?;
    tx.prepare_cached(
        "INSERT INTO held (id, record, kind, created_by, account, device, changes, context, code, \
         detail, received_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) \
         ON CONFLICT (id) DO NOTHING",
    )?
    .execute((
        id.as_bytes(),
        incoming.id.as_bytes(),
        incoming.kind.as_str(),
        incoming.created_by.as_bytes(),
        batch.pusher.actor.account.as_bytes(),
        batch.device.as_bytes(),
        changes,
        context,
        hold.code.as_str(),
        &hold.detail,
        batch.now,
    ))?;
    blobs::refer_held(tx, id, &incoming.kind, &hold.changes)
}

/// A push that was taken, or held anew, covers what was held of the record before: nobody has to decide
/// on that any more.
pub(super) fn supersede(
    tx: &Transaction<'_>,
    pushed: &Record,
    but: Option<HoldId>,
    now: i64,
) -> Result<(), TownError> {
    let mut statement =
        tx.prepare_cached("SELECT id, context FROM held WHERE record = ?1 AND outcome = ''")?;
    let rows = statement.query_map([pushed.id.as_bytes()], |row| {
        Ok((HoldId::new(id16(row, "id")?), row.get::<_, String>("context")?))
    })?;
    let waiting: Vec<(HoldId, String)> = rows.collect::<Result<_, _>>()?;
    for (id, context) in waiting {
        let context = serde_json::from_str(&context).map_err(|e| unreadable(&e))?;
        if but != Some(id) && pushed.context.covers(&context) {
            decide(tx, id, "released", "", now)?;
        }
    }
    Ok(())
}

fn decide(
    tx: &Transaction<'_>,
    id: HoldId,
    outcome: &str,
    note: &str,
    now: i64,
) -> Result<(), TownError> {
    let sql = "UPDATE held SET outcome = ?2, note = ?3, decided_at = ?4 WHERE id = ?1";
    tx.prepare_cached(sql)?.execute((id.as_bytes(), outcome, note, now))?;
    Ok(())
}

const HELD: &str = "SELECT id, record, kind, created_by, account, device, changes, code, detail, \
     received_at FROM held WHERE outcome = ''";

fn held_row(row: &Row<'_>) -> sql::Result<(Held, String)> {
    let kind: Kind = row.get::<_, String>("kind")?.parse().unwrap_or_else(|never| match never {});
    let author = AccountId::from_bytes(id16(row, "created_by")?);
    let held = Held {
        id: HoldId::new(id16(row, "id")?),
        about: Record::new(RecordId::from_bytes(id16(row, "record")?), kind, author),
        account: AccountId::from_bytes(id16(row, "account")?),
        device: DeviceId(uuid::Uuid::from_bytes(id16(row, "device")?)),
        changes: Changes::default(),
        code: ErrorCode::from(row.get::<_, String>("code")?),
        detail: row.get("detail")?,
        received_at: row.get("received_at")?,
    };
    Ok((held, row.get("changes")?))
}

fn complete((mut held, changes): (Held, String)) -> Result<Held, TownError> {
    held.changes = serde_json::from_str(&changes).map_err(|e| unreadable(&e))?;
    Ok(held)
}

/// Held saves that wait.
pub(super) fn list(connection: &Connection) -> Result<Vec<Held>, TownError> {
    let sql = format!("{HELD} ORDER BY received_at, id");
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map([], held_row)?;
    rows.map(|row| complete(row?)).collect()
}

fn waiting(tx: &Transaction<'_>, id: HoldId) -> Result<Held, TownError> {
    let mut statement = tx.prepare_cached(&format!("{HELD} AND id = ?1"))?;
    let row = statement.query_row([id.as_bytes()], held_row).optional()?;
    let gone = || TownError::Input(format!("no held save {id} waits"));
    complete(row.ok_or_else(gone)?)
}

pub(super) fn refuse(
    tx: &Transaction<'_>,
    id: HoldId,
    note: &str,
    done: &Attribution,
) -> Result<(), TownError> {
    let held = waiting(tx, id)?;
    decide(tx, id, "refused", note, done.at)?;
    let entry = done.entry(Act::HoldRefused, Subject::Hold(id));
    audit::write(tx, &entry.with("record", held.about.id.to_string()))?;
    Ok(())
}

/// A fresh write of the town with the kept changes.
pub(super) fn release(
    tx: &Transaction<'_>,
    release: &Release,
    by: By,
) -> Result<RecordId, TownError> {
    let held = waiting(tx, release.hold)?;
    let before = load(tx, held.about.id)?;
    let purged = purged_context(tx, held.about.id)?.is_some() && before.is_none();
    let changes = held.changes.clone().mended(&release.mended);
    let grids = people::grids(tx)?;
    // What the released record hangs on is known once its values stand in it.
    let mut trial = before.clone().unwrap_or_else(|| held.about.clone());
    changes.put_on(&mut trial, || Dot::new(yaoguan_model::ReplicaId([0; 16]), 1));
    let around_before = before.as_ref().map(|b| around(tx, b)).transpose()?.unwrap_or_default();
    let around_after = around_both(tx, before.as_ref(), &trial)?;
    let start = Start {
        before: before.as_ref(),
        about: &held.about,
        anew: purged.then_some(release.fresh_id),
        grids: &grids,
        around_before: &around_before,
        around_after: &around_after,
    };
    let mut dots = own::dots(tx, changes.dots().len().max(1))?.into_iter();
    let blank = Dot::new(yaoguan_model::ReplicaId([0; 16]), 1);
    let record = release::put(start, &changes, &release.by, || dots.next().unwrap_or(blank))
        .map_err(|refusal| TownError::Input(refusal.to_string()))?;
    let record = match &before {
        Some(before) if is_broken(Fault::ReleaseByMerge) => as_pushed(tx, &held, before)?,
        Some(_) | None => record,
    };
    write(tx, &record, release.now)?;
    blobs::refer(tx, &record, blobs::pusher_of(tx, release.hold)?, &[])?;
    let mut placements = feed::Placements::default();
    placements.add(tx, &record, None)?;
    decide(tx, release.hold, "released", &release.note, release.now)?;
    placements.write(tx)?;
    let done = Attribution::new(by, release.now).because(release.note.clone());
    let entry = done.entry(Act::HoldReleased, Subject::Hold(release.hold));
    let mended = u64::try_from(release.mended.len()).unwrap_or(u64::MAX);
    audit::write(tx, &entry.with("record", record.id.to_string()).with("mended", mended))?;
    Ok(record.id)
}

/// What merging a held save as it was pushed would give: see [`Fault::ReleaseByMerge`].
fn as_pushed(tx: &Transaction<'_>, held: &Held, before: &Record) -> Result<Record, TownError> {
    let sql = "SELECT context FROM held WHERE id = ?1";
    let context: String =
        tx.prepare_cached(sql)?.query_row([held.id.as_bytes()], |row| row.get("context"))?;
    let context = serde_json::from_str(&context).map_err(|e| unreadable(&e))?;
    let mut pushed = Record { context, ..held.about.clone() };
    for (path, change) in &held.changes.paths {
        pushed.fields.insert(path.clone(), change.added.clone());
    }
    let merged = merge(before, &pushed);
    Ok(merged.map_err(|e| TownError::Corrupt(format!("held {}: {e}", held.id)))?.record)
}

/// Of these holds: what became of those that no longer wait.
pub(super) fn news(
    connection: &Connection,
    account: AccountId,
    holds: &[HoldId],
) -> Result<Vec<HoldNews>, TownError> {
    let sql = "SELECT outcome, note FROM held WHERE id = ?1 AND account = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let mut news = Vec::new();
    for hold in holds {
        let row = statement.query_row((hold.as_bytes(), account.as_bytes()), |row| {
            Ok((row.get::<_, String>("outcome")?, row.get::<_, String>("note")?))
        });
        let (outcome, note) = match row.optional()? {
            None => (HoldOutcome::Lost, String::new()),
            Some((outcome, note)) => match outcome.as_str() {
                "released" => (HoldOutcome::Released, note),
                "refused" => (HoldOutcome::Refused, note),
                _ => continue,
            },
        };
        news.push(HoldNews { hold: *hold, outcome, note });
    }
    Ok(news)
}

/// Keeps a record that rests on what this town has lost.
pub(super) fn recover(
    tx: &Transaction<'_>,
    batch: &Batch,
    incoming: &Record,
) -> Result<(), TownError> {
    let body = canonical::encode(incoming);
    let hash = canonical::hash(&body);
    tx.prepare_cached(
        "INSERT INTO recovered (hash, record, kind, body, received_at) VALUES (?1, ?2, ?3, ?4, ?5) \
         ON CONFLICT (hash) DO NOTHING",
    )?
    .execute((hash, incoming.id.as_bytes(), incoming.kind.as_str(), body, batch.now))?;
    tx.prepare_cached(
        "INSERT OR IGNORE INTO recovered_from (hash, device, account, at) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute((
        hash,
        batch.device.as_bytes(),
        batch.pusher.actor.account.as_bytes(),
        batch.now,
    ))?;
    Ok(())
}

/// What was recovered and waits.
pub(super) fn recovered(connection: &Connection) -> Result<Vec<Recovered>, TownError> {
    let mut statement = connection.prepare_cached(
        "SELECT hash, body, received_at FROM recovered WHERE taken_at IS NULL ORDER BY received_at, hash",
    )?;
    let rows = statement.query_map([], |row| {
        let hash: [u8; 32] = row.get("hash")?;
        Ok((hash, row.get::<_, Vec<u8>>("body")?, row.get("received_at")?))
    })?;
    let mut from = connection
        .prepare_cached("SELECT device FROM recovered_from WHERE hash = ?1 ORDER BY device")?;
    let mut all = Vec::new();
    for row in rows {
        let (hash, body, received_at) = row?;
        let record = canonical::decode(&body)?;
        let devices = from.query_map([hash], |row| id16(row, "device"))?;
        let from = devices
            .map(|id| Ok(DeviceId(uuid::Uuid::from_bytes(id?))))
            .collect::<Result<_, sql::Error>>()?;
        let (id, kind) = (record.id, record.kind.clone());
        all.push(Recovered { hash, id, kind, record, from, received_at });
    }
    Ok(all)
}

/// Whose references a recovered record's are: its author's, unless only others brought it back. These then bring its
/// files too.
fn bringer(
    tx: &Transaction<'_>,
    recovered: &[u8; 32],
    record: &Record,
) -> Result<AccountId, TownError> {
    let sql = "SELECT account FROM recovered_from WHERE hash = ?1 ORDER BY account <> ?2, account LIMIT 1";
    let found = tx
        .prepare_cached(sql)?
        .query_row((recovered, record.created_by.as_bytes()), |row| id16(row, "account"))
        .optional()?;
    Ok(found.map_or(record.created_by, AccountId::from_bytes))
}

/// Merges what was recovered.
pub(super) fn take_recovered(
    tx: &Transaction<'_>,
    hashes: Option<&[[u8; 32]]>,
    done: &Attribution,
) -> Result<u64, TownError> {
    let now = done.at;
    let mut placements = feed::Placements::default();
    let mut taken = 0;
    // Households first: their checks stand where they stand.
    let mut waiting = recovered(tx)?;
    waiting.retain(|one| hashes.is_none_or(|hashes| hashes.contains(&one.hash)));
    waiting.sort_by_key(|one| (one.kind != Kind::Household, one.id));
    for one in waiting {
        let sql = "UPDATE recovered SET taken_at = ?2 WHERE hash = ?1";
        tx.prepare_cached(sql)?.execute((one.hash, now))?;
        taken += 1;
        // What was erased meanwhile stays erased.
        let before = load(tx, one.id)?;
        if before.is_none() && purged_context(tx, one.id)?.is_some() {
            continue;
        }
        let merged = match &before {
            None => one.record,
            Some(before) => {
                let merged = merge(before, &one.record)
                    .map_err(|e| TownError::Corrupt(format!("recovered {}: {e}", one.id)))?;
                if merged.alarm.is_some() {
                    tracing::error!(record = %one.id, "a recovered record breaks an invariant");
                }
                merged.record
            }
        };
        if before.as_ref() != Some(&merged) {
            write(tx, &merged, now)?;
            own::project(tx, &merged)?;
            blobs::refer(tx, &merged, bringer(tx, &one.hash, &merged)?, &[])?;
            placements.add(tx, &merged, None)?;
        }
    }
    placements.write(tx)?;
    if taken > 0 {
        let entry = done.entry(Act::RecoveredTaken, Subject::Town);
        audit::write(tx, &entry.with("records", taken))?;
    }
    Ok(taken)
}
