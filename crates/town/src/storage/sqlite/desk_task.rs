//! The list of tasks as SQL: a row for each task, derived from its record.

use crate::storage::sql::{self, Connection, Row, Transaction, named_params};
use yaoguan_model::deletion::{self, Deletion};
use yaoguan_model::{Record, RecordId};

use super::super::desk::{PAGE, TaskAsk, TaskRow};
use super::feed::names_of;
use super::{id16, inbox};
use crate::desk;
use crate::error::TownError;

/// Stands for "no day" when tasks are put in order.
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
const PAGE_OF: &str = "SELECT desk_task.record AS record, what, words, about, assignee, grid, due_on, \
     status, conflict, changed_at, coalesce(giver.name, '') AS giver, coalesce(doer.name, '') AS doer \
     FROM desk_task JOIN record ON record.id = desk_task.record \
     LEFT JOIN account AS giver ON giver.id = record.created_by \
     LEFT JOIN account AS doer ON assignee <> '' AND doer.id = unhex(assignee, '-') \
     WHERE EXISTS (SELECT 1 FROM feed JOIN cell ON cell.id = feed.cell WHERE feed.record = desk_task.record \
     AND feed.state = 0 AND cell.name IN (SELECT value FROM json_each(:cells))) \
     AND (:state = '' OR status = :state OR (:state = 'active' AND status IN ('open', 'acknowledged', 'declined'))) \
     AND (:giver IS NULL OR record.created_by = :giver) \
     AND (:assignee = '' OR assignee = :assignee) AND (:grid = '' OR grid = :grid) \
     AND (:words = '' OR words LIKE :words ESCAPE '\\') \
     AND (:due = '' OR (due_on <> '' AND due_on < :due AND status IN ('open', 'acknowledged', 'declined'))) \
     AND (:after IS NULL OR (iif(due_on = '', :no_day, due_on), desk_task.record) > (:after_due, :after)) \
     ORDER BY iif(due_on = '', :no_day, due_on), desk_task.record LIMIT :limit";

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
            ":due": ask.due_before.as_deref().unwrap_or_default(), ":no_day": NO_DAY,
            ":after": after.map(|(_, id)| *id.as_bytes()),
            ":after_due": after.map_or(NO_DAY, |(due, _)| if due.is_empty() { NO_DAY } else { due }),
            ":limit": PAGE,
        },
        row_of,
    )?;
    Ok(rows.collect::<Result<_, _>>()?)
}
