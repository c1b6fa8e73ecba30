//! The inbox as SQL: a row for each hazard, derived from its record.

use rusqlite::{Connection, Row, Transaction, named_params};
use yaoguan_model::deletion::{self, Deletion};
use yaoguan_model::{Kind, Position, Record, RecordId, canonical};

use super::super::desk::{InboxAsk, InboxRow, PAGE};
use super::feed::names_of;
use super::id16;
use crate::error::TownError;

/// Derives the row of a record that was just written.
pub(super) fn project(tx: &Transaction<'_>, record: &Record) -> Result<(), TownError> {
    if record.kind != Kind::Hazard {
        return Ok(());
    }
    let state = deletion::state(record);
    if state == Deletion::Deleted {
        let sql = "DELETE FROM inbox WHERE record = ?1";
        tx.prepare_cached(sql)?.execute([record.id.as_bytes()])?;
        return Ok(());
    }
    let text = |path: &str| record.shown_text(path).unwrap_or_default();
    let at = record.shown("position").and_then(Position::of);
    let words = [text("title"), text("address"), text("description")].join("\n");
    let conflict = state == Deletion::Contested || record.conflicts().next().is_some();
    tx.prepare_cached(
        "INSERT OR REPLACE INTO inbox (record, title, category, severity, status, grid, address, words, \
         claimed_by, due_on, conflict, lat_e7, lon_e7) VALUES (:record, :title, :category, :severity, \
         :status, :grid, :address, :words, :claimed_by, :due_on, :conflict, :lat_e7, :lon_e7)",
    )?
    .execute(named_params! {
        ":record": record.id.as_bytes(), ":title": text("title"), ":category": text("category"),
        ":severity": text("severity"), ":status": text("status"), ":grid": text("grid"),
        ":address": text("address"), ":words": words, ":claimed_by": text("claimed_by"),
        ":due_on": text("due_on"), ":conflict": conflict,
        ":lat_e7": at.map(|at| at.lat_e7), ":lon_e7": at.map(|at| at.lon_e7),
    })?;
    Ok(())
}

/// Derives every row anew.
pub(super) fn rebuild(tx: &Transaction<'_>) -> Result<(), TownError> {
    tx.execute("DELETE FROM inbox", [])?;
    let mut statement = tx.prepare("SELECT body FROM record WHERE kind = 'hazard'")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let body: Vec<u8> = row.get("body")?;
        project(tx, &canonical::decode(&body)?)?;
    }
    Ok(())
}

/// Scope is in the statement itself.
const PAGE_OF: &str = "SELECT inbox.record AS record, title, category, severity, status, grid, address, \
     due_on, conflict, received_at, changed_at, coalesce(author.name, '') AS author, \
     (SELECT count(*) FROM blob_ref WHERE blob_ref.record = inbox.record AND NOT EXISTS \
     (SELECT 1 FROM blob WHERE blob.hash = blob_ref.hash)) AS coming, \
     coalesce(claimer.name, '') AS claimed_by \
     FROM inbox JOIN record ON record.id = inbox.record \
     LEFT JOIN account AS author ON author.id = record.created_by \
     LEFT JOIN account AS claimer ON claimed_by <> '' AND claimer.id = unhex(claimed_by, '-') \
     WHERE EXISTS (SELECT 1 FROM feed JOIN cell ON cell.id = feed.cell WHERE feed.record = inbox.record \
     AND feed.state = 0 AND cell.name IN (SELECT value FROM json_each(:cells))) \
     AND (:state = '' OR status = :state \
     OR (:state = 'open' AND status NOT IN ('closed', 'merged', 'unfounded'))) \
     AND (:category = '' OR category = :category) AND (:severity = '' OR severity = :severity) \
     AND (:grid = '' OR grid = :grid) AND (:words = '' OR words LIKE :words ESCAPE '\\') \
     AND (NOT :conflict OR conflict) \
     AND (:due = '' OR (due_on <> '' AND due_on < :due \
     AND status NOT IN ('closed', 'merged', 'unfounded'))) \
     AND (:after IS NULL OR (changed_at, inbox.record) < (:after_at, :after)) \
     ORDER BY changed_at DESC, inbox.record DESC LIMIT :limit";

fn row_of(row: &Row<'_>) -> rusqlite::Result<InboxRow> {
    Ok(InboxRow {
        id: RecordId::from_bytes(id16(row, "record")?),
        title: row.get("title")?,
        category: row.get("category")?,
        severity: row.get("severity")?,
        status: row.get("status")?,
        grid: row.get("grid")?,
        address: row.get("address")?,
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
    let words = match ask.words.is_empty() {
        true => String::new(),
        false => format!("%{}%", escaped(&ask.words)),
    };
    let mut statement = connection.prepare_cached(PAGE_OF)?;
    let rows = statement.query_map(
        named_params! {
            ":cells": names_of(&ask.cells), ":state": ask.state, ":category": ask.category,
            ":severity": ask.severity, ":grid": ask.grid, ":words": words,
            ":conflict": ask.conflict, ":due": ask.due_before.as_deref().unwrap_or_default(),
            ":after": ask.after.map(|(_, id)| *id.as_bytes()),
            ":after_at": ask.after.map_or(0, |(at, _)| at), ":limit": limit,
        },
        row_of,
    )?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Wildcards that somebody typed are letters.
fn escaped(words: &str) -> String {
    words.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}
