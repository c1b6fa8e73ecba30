//! The list of tasks as SQL: a row for each task, derived from its record.

use yaoguan_model::deletion::{self, Deletion};
use yaoguan_model::{Record, RecordId};

use super::super::desk::{PAGE, TaskAsk, TaskRow};
use super::feed::{in_cells, names_of};
use super::{id16, inbox};
use crate::desk;
use crate::error::TownError;
use crate::storage::sql::{self, Connection, Row, Transaction, named_params};

/// Stands for "no day" when tasks are put in order, as in the index.
const NO_DAY: &str = "9999-12-31";

pub(super) fn project(tx: &Transaction<'_>, record: &Record) -> Result<(), TownError> {
    let state = deletion::state(record);
    if state == Deletion::Deleted {
        return remove(tx, record.id);
    }
    let text = |path: &str| record.shown_text(path).unwrap_or_default();
    let conflict = state == Deletion::Contested || record.conflicts().next().is_some();
    tx.prepare_cached(
        "INSERT OR REPLACE INTO desk_task (record, what, words, about, assignee, grid, due_on, status, \
         conflict) VALUES (:record, :what, :words, :about, :assignee, :grid, :due_on, :status, :conflict)",
    )?
    .execute(named_params! {
        ":record": record.id.as_bytes(), ":what": text("what"), ":words": text("words"),
        ":about": desk::record_id(record, "about").map(|id| *id.as_bytes()),
        ":assignee": text("assignee"), ":grid": text("grid"), ":due_on": text("due_on"),
        ":status": text("status"), ":conflict": conflict,
    })?;
    Ok(())
}

pub(super) fn remove(tx: &Transaction<'_>, id: RecordId) -> Result<(), TownError> {
    tx.prepare_cached("DELETE FROM desk_task WHERE record = ?1")?.execute([id.as_bytes()])?;
    Ok(())
}

/// Scope is in the statement itself.
pub(super) const PAGE_OF: &str = concat!(
    "SELECT desk_task.record AS record, what, words, about, assignee, grid, due_on, \
     status, conflict, changed_at, coalesce(giver.name, '') AS giver, coalesce(doer.name, '') AS doer \
     FROM desk_task CROSS JOIN record ON record.id = desk_task.record \
     LEFT JOIN account AS giver ON giver.id = record.created_by \
     LEFT JOIN account AS doer ON assignee <> '' AND doer.id = unhex(assignee, '-') \
     WHERE ",
    in_cells!("desk_task.record", ":cells"),
    " AND (:state = '' OR status = :state OR (:state = 'active' AND status IN ('open', 'acknowledged', 'declined'))) \
     AND (:giver IS NULL OR record.created_by = :giver) \
     AND (:assignee = '' OR assignee = :assignee) AND (:grid = '' OR grid = :grid) \
     AND (:words = '' OR words LIKE :words ESCAPE '\\') \
     AND (:due = '' OR (due_on <> '' AND due_on < :due AND status IN ('open', 'acknowledged', 'declined'))) \
     AND iif(due_on = '', '9999-12-31', due_on) >= :after_due \
     AND (iif(due_on = '', '9999-12-31', due_on), desk_task.record) > (:after_due, :after) \
     ORDER BY iif(due_on = '', '9999-12-31', due_on), desk_task.record LIMIT :limit"
);

fn row_of(row: &Row<'_>) -> sql::Result<TaskRow> {
    let about: Option<[u8; 16]> = row.get("about")?;
    Ok(TaskRow {
        id: RecordId::from_bytes(id16(row, "record")?),
        what: row.get("what")?,
        words: row.get("words")?,
        about: about.map(RecordId::from_bytes),
        assignee: row.get("assignee")?,
        doer: row.get("doer")?,
        grid: row.get("grid")?,
        due_on: row.get("due_on")?,
        status: row.get("status")?,
        conflict: row.get("conflict")?,
        giver: row.get("giver")?,
        changed_at: row.get("changed_at")?,
    })
}

/// A page of tasks, those that are due first at the top.
pub(super) fn page(connection: &Connection, ask: &TaskAsk) -> Result<Vec<TaskRow>, TownError> {
    rows(connection, ask, PAGE)
}

/// So many rows at most.
pub(super) fn rows(
    connection: &Connection,
    ask: &TaskAsk,
    limit: u32,
) -> Result<Vec<TaskRow>, TownError> {
    let words = match ask.words.is_empty() {
        true => String::new(),
        false => format!("%{}%", inbox::escaped(&ask.words)),
    };
    let after = ask.after.as_ref();
    let mut statement = connection.prepare_cached(PAGE_OF)?;
    let rows = statement.query_map(
        named_params! {
            ":cells": names_of(&ask.cells), ":state": ask.state,
            ":giver": ask.giver.map(|id| *id.as_bytes()),
            ":assignee": ask.assignee.map(|id| id.to_string()).unwrap_or_default(),
            ":grid": ask.grid, ":words": words,
            ":due": ask.due_before.as_deref().unwrap_or_default(),
            ":after": after.map_or([0; 16], |(_, id)| *id.as_bytes()),
            ":after_due": after.map_or("", |(due, _)| if due.is_empty() { NO_DAY } else { due }),
            ":limit": limit,
        },
        row_of,
    )?;
    Ok(rows.collect::<Result<_, _>>()?)
}
