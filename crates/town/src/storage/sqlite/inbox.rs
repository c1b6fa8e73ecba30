//! The inbox as SQL: a row for each hazard, derived from its record, and the words that it is found by.

#[cfg(test)]
mod tests;

use yaoguan_model::deletion::{self, Deletion};
use yaoguan_model::{Kind, Position, Record, RecordId, canonical};

use super::super::desk::{
    CLAIM_HOLDS_S, InboxAsk, InboxRow, MAX_COUNTED, MAX_URGENT, PAGE, Waiting,
};
use super::feed::{in_cells, names_of};
use super::{desk_task, id16, search_index, walk};
use crate::desk;
use crate::error::TownError;
use crate::storage::sql::{
    self, Connection, OptionalExtension, Row, ToSql, Transaction, named_params, params,
};

/// Derives what the console shows of a record that was just written, `now` its last change.
pub(super) fn project(tx: &Transaction<'_>, record: &Record, now: i64) -> Result<(), TownError> {
    match record.kind {
        Kind::Hazard => project_hazard(tx, record, now),
        Kind::Task => desk_task::project(tx, record),
        Kind::Patrol | Kind::Household | Kind::HouseholdCheck | Kind::Notice => Ok(()),
        Kind::Grid | Kind::Template | Kind::Unknown(_) => Ok(()),
    }
}

fn project_hazard(tx: &Transaction<'_>, record: &Record, now: i64) -> Result<(), TownError> {
    let state = deletion::state(record);
    if state == Deletion::Deleted {
        return remove(tx, record.id);
    }
    let text = |path: &str| record.shown_text(path).unwrap_or_default();
    let at = record.shown("position").and_then(Position::of);
    let words = desk::words(record);
    let conflict = state == Deletion::Contested || record.conflicts().next().is_some();
    let linked = |path| desk::record_id(record, path).map(|id| *id.as_bytes());
    let seq: i64 = tx.prepare_cached(WRITE)?.query_row(
        named_params! {
            ":record": record.id.as_bytes(), ":title": text("title"), ":category": text("category"),
            ":severity": text("severity"), ":status": text("status"),
                ":status_dots": desk::status_dots(record), ":grid": text("grid"),
            ":address": text("address"), ":stage": desk::stage(record),
            ":assignee": text("assignee"), ":claimed_by": text("claimed_by"),
            ":claimed_at": desk::claimed_at(record), ":due_on": text("due_on"),
            ":conflict": conflict, ":changed_at": now, ":duplicate_of": linked("duplicate_of"),
            ":patrol": linked("patrol"), ":lat_e7": at.map(|at| at.lat_e7),
            ":lon_e7": at.map(|at| at.lon_e7),
        },
        |row| row.get("seq"),
    )?;
    search_index::put(tx, seq, &words)
}

/// Records whose words are held in memory while everything is derived anew.
const WORDS_AT_ONCE: usize = 4_096;

/// A row keeps its place in the search index.
const WRITE: &str = "INSERT INTO inbox (record, title, category, severity, status, status_dots, grid, address, \
     stage, assignee, claimed_by, claimed_at, due_on, conflict, changed_at, duplicate_of, patrol, lat_e7, \
     lon_e7) VALUES (:record, :title, :category, :severity, :status, :status_dots, :grid, :address, :stage, \
     :assignee, :claimed_by, :claimed_at, :due_on, :conflict, :changed_at, :duplicate_of, :patrol, \
     :lat_e7, :lon_e7) \
     ON CONFLICT (record) DO UPDATE SET title = excluded.title, category = excluded.category, \
     severity = excluded.severity, status = excluded.status, status_dots = excluded.status_dots, grid = excluded.grid, \
     address = excluded.address, stage = excluded.stage, \
     assignee = excluded.assignee, claimed_by = excluded.claimed_by, claimed_at = excluded.claimed_at, \
     due_on = excluded.due_on, conflict = excluded.conflict, changed_at = excluded.changed_at, \
     duplicate_of = excluded.duplicate_of, patrol = excluded.patrol, lat_e7 = excluded.lat_e7, \
     lon_e7 = excluded.lon_e7 RETURNING seq";

/// Takes out what the console shows of a record.
pub(super) fn remove(tx: &Transaction<'_>, id: RecordId) -> Result<(), TownError> {
    let sql = "DELETE FROM inbox WHERE record = ?1 RETURNING seq";
    let seq: Option<i64> =
        tx.prepare_cached(sql)?.query_row([id.as_bytes()], |row| row.get("seq")).optional()?;
    if let Some(seq) = seq {
        search_index::remove(tx, seq)?;
    }
    desk_task::remove(tx, id)
}

/// Derives everything anew.
pub(in crate::storage) fn rebuild(tx: &Transaction<'_>) -> Result<(), TownError> {
    tx.execute("DELETE FROM inbox", [])?;
    search_index::clear(tx)?;
    tx.execute("DELETE FROM desk_task", [])?;
    let mut due = 0;
    for kind in ["hazard", "task"] {
        let mut rows = walk::records(tx, kind);
        while let Some(row) = rows.next()? {
            let body: Vec<u8> = row.get("body")?;
            project(tx, &canonical::decode(&body)?, row.get("changed_at")?)?;
            due += 1;
            if due == WORDS_AT_ONCE {
                search_index::write_due(tx)?;
                due = 0;
            }
        }
    }
    search_index::write_due(tx)
}

/// What the console shows of a report, from `inbox` and `record`.
macro_rules! shown {
    ($from:expr, $claims_since:literal, $order:literal) => {
        concat!(
            "SELECT inbox.record AS record, title, category, severity, status, status_dots, grid, \
             address, stage, due_on, conflict, received_at, inbox.changed_at AS changed_at, \
             coalesce(author.name, '') AS author, \
             (SELECT count(*) FROM blob_ref WHERE blob_ref.record = inbox.record AND NOT EXISTS \
             (SELECT 1 FROM blob WHERE blob.hash = blob_ref.hash)) AS coming, iif(claimed_at > ",
            $claims_since,
            ", coalesce(claimer.name, ''), '') AS claimed_by FROM ",
            $from,
            " CROSS JOIN record ON record.id = inbox.record \
             LEFT JOIN account AS author ON author.id = record.created_by \
             LEFT JOIN account AS claimer ON claimed_by <> '' AND claimer.id = unhex(claimed_by, '-') \
             ORDER BY ",
            $order
        )
    };
}

/// Scope is in the statement itself. The rows of a page are found in the index alone, in the order of their last
/// change; what is shown of them is read afterwards.
pub(super) const PAGE_OF: &str = shown!(
    concat!(
        "(SELECT seq FROM inbox WHERE (:expression = '' \
         OR +seq IN (SELECT rowid FROM inbox_text WHERE inbox_text MATCH :expression)) \
         AND (:state = '' OR status = :state \
         OR (:state = 'open' AND status NOT IN ('closed', 'merged', 'unfounded'))) \
         AND (:stage = '' OR stage = :stage) \
         AND (:category = '' OR category = :category) AND (:severity = '' OR severity = :severity) \
         AND (:grid = '' OR grid = :grid) \
         AND (NOT :conflict OR conflict) \
         AND (:due = '' OR (due_on <> '' AND due_on < :due \
         AND status NOT IN ('closed', 'merged', 'unfounded'))) \
         AND (:claimed_by = '' OR (claimed_by = :claimed_by AND claimed_at > :claims_since)) \
         AND (inbox.changed_at, inbox.record) < (:after_at, :after) AND ",
        in_cells!("inbox.record", ":cells"),
        " ORDER BY inbox.changed_at DESC, inbox.record DESC LIMIT :limit) AS page \
         CROSS JOIN inbox ON inbox.seq = page.seq"
    ),
    ":claims_since",
    "inbox.changed_at DESC, inbox.record DESC"
);

fn row_of(row: &Row<'_>) -> sql::Result<InboxRow> {
    Ok(InboxRow {
        id: RecordId::from_bytes(id16(row, "record")?),
        title: row.get("title")?,
        category: row.get("category")?,
        severity: row.get("severity")?,
        status: row.get("status")?,
        status_dots: row.get("status_dots")?,
        grid: row.get("grid")?,
        address: row.get("address")?,
        stage: row.get("stage")?,
        due_on: row.get("due_on")?,
        conflict: row.get("conflict")?,
        author: row.get("author")?,
        claimed_by: row.get("claimed_by")?,
        coming: row.get("coming")?,
        received_at: row.get("received_at")?,
        changed_at: row.get("changed_at")?,
    })
}

pub(super) fn page(connection: &Connection, ask: &InboxAsk) -> Result<Vec<InboxRow>, TownError> {
    rows(connection, ask, PAGE)
}

/// So many rows at most.
pub(super) fn rows(
    connection: &Connection,
    ask: &InboxAsk,
    limit: u32,
) -> Result<Vec<InboxRow>, TownError> {
    // Nothing is after the last moment.
    let (after_at, after) = match ask.after {
        Some((at, id)) => (at, *id.as_bytes()),
        None => (i64::MAX, [0xFF; 16]),
    };
    let mut statement = search_index::asked(connection, PAGE_OF)?;
    let rows = statement.query_map(
        named_params! {
            ":cells": names_of(&ask.cells), ":state": ask.state, ":stage": ask.stage,
            ":category": ask.category, ":severity": ask.severity, ":grid": ask.grid,
            ":expression": search_index::expression(connection, &ask.words)?,
            ":conflict": ask.conflict, ":due": ask.due_before.as_deref().unwrap_or_default(),
            ":claimed_by": ask.claimed_by.map(|id| id.to_string()).unwrap_or_default(),
            ":claims_since": ask.now - CLAIM_HOLDS_S,
            ":after": after, ":after_at": after_at, ":limit": limit,
        },
        row_of,
    )?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Wildcards that somebody typed are letters.
pub(super) fn escaped(words: &str) -> String {
    words.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

/// Major dangers that nobody looked at and nobody is on, oldest first. Scope is in the statement.
pub(super) const URGENT: &str = shown!(
    concat!(
        "(SELECT seq FROM inbox CROSS JOIN record ON record.id = inbox.record \
         WHERE severity = 'major' AND status = 'reported' AND (claimed_by = '' OR claimed_at <= ?2) AND ",
        in_cells!("inbox.record", "?1"),
        " ORDER BY received_at, inbox.record LIMIT ?3) AS page CROSS JOIN inbox ON inbox.seq = page.seq"
    ),
    "?2",
    "received_at, inbox.record"
);

/// Counts of what waits, each ending at a bound. Scope is in the statement.
macro_rules! counted {
    ($condition:literal) => {
        concat!(
            "SELECT count(*) AS n FROM (SELECT 1 FROM inbox WHERE ",
            $condition,
            " AND ",
            in_cells!("inbox.record", ":cells"),
            " LIMIT :most) AS bounded"
        )
    };
}
pub(super) const IN_STAGE: &str = counted!("stage = :value AND stage <> ''");
pub(super) const IN_CONFLICT: &str = counted!("conflict");
pub(super) const OVERDUE: &str = counted!(
    "due_on <> '' AND due_on < :value AND status NOT IN ('closed', 'merged', 'unfounded')"
);
pub(super) const CLAIMED: &str = counted!(
    "claimed_by <> '' AND claimed_by = :value AND claimed_at > :since \
     AND status NOT IN ('closed', 'merged', 'unfounded')"
);

/// How much waits in each view. Scope is in the statement; each count ends at a bound.
pub(super) fn waiting(
    connection: &Connection,
    ask: &InboxAsk,
    today: &str,
) -> Result<Waiting, TownError> {
    let cells = names_of(&ask.cells);
    let since = ask.now - CLAIM_HOLDS_S;
    let mut urgent = connection.prepare_cached(URGENT)?;
    let rows = urgent.query_map(params![cells, since, MAX_URGENT], row_of)?;
    let mut waiting = Waiting { urgent: rows.collect::<Result<_, _>>()?, ..Waiting::default() };
    let mine = ask.account.map(|id| id.to_string()).unwrap_or_default();
    let count = |sql: &str, own: &[(&str, &dyn ToSql)]| -> Result<u32, TownError> {
        let mut statement = connection.prepare_cached(sql)?;
        let of_all: &[(&str, &dyn ToSql)] = &[(":cells", &cells), (":most", &MAX_COUNTED)];
        Ok(statement.query_row([of_all, own].concat().as_slice(), |row| row.get("n"))?)
    };
    waiting.new = count(IN_STAGE, &[(":value", &desk::NEW)])?;
    waiting.corrected = count(IN_STAGE, &[(":value", &desk::CORRECTED)])?;
    waiting.changed = count(IN_STAGE, &[(":value", &desk::CHANGED)])?;
    waiting.conflict = count(IN_CONFLICT, &[])?;
    waiting.overdue = count(OVERDUE, &[(":value", &today)])?;
    waiting.claimed = count(CLAIMED, &[(":value", &mine), (":since", &since)])?;
    Ok(waiting)
}
