//! The town's line of history: what this process knows of it, and what stands outside the database.
//!
//! A database that is behind what a process has seen of it was put back to an earlier moment (a recovery to a
//! point in time, a replica that took over and had not heard everything). Phones then hold what it has lost: the
//! town goes on as a new line. Whichever process notices first renews it; the lines before stand in the database
//! (`former_line`), so that the others find theirs continued.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use yaoguan_model::Env;
use yaoguan_model::env::System;

use super::super::sql::{Connection, Engine as _, Transaction};
use super::super::sqlite::identity;
use super::Postgres;
use crate::error::TownError;
use crate::line::{Line, Mark};

/// What outlives the database.
#[derive(Default)]
pub(super) struct Outside {
    /// How far this process saw the line come.
    seen: Mutex<Option<Mark>>,
    /// The marker beside the data folder; none before the town was taken up.
    line: Mutex<Option<Line>>,
}

impl Outside {
    /// Whether the database has all that this process saw of it.
    pub(super) fn is_continued_by(&self, connection: &Connection<'_>) -> Result<bool, TownError> {
        let seen = *self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.map_or(Ok(true), |seen| continues(connection, seen))
    }

    /// A commit was seen, or a read.
    pub(super) fn saw(&self, here: Mark) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let is_older = |seen: Mark| seen.epoch == here.epoch && seen.position > here.position;
        if !seen.is_some_and(is_older) {
            *seen = Some(here);
        }
    }

    /// The line was renewed: what was seen of the one before is no measure.
    pub(super) fn forget(&self) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// The line as it was is in the database, or one that followed it.
fn continues(connection: &Connection<'_>, mark: Mark) -> Result<bool, TownError> {
    let sql = "SELECT (epoch = ?1 AND position >= ?2) OR EXISTS \
         (SELECT 1 FROM former_line WHERE former_line.epoch = ?1) AS same FROM town CROSS JOIN feed_head";
    let asked = (mark.epoch.as_bytes(), mark.position);
    Ok(connection.prepare_cached(sql)?.query_row(asked, |row| row.get("same"))?)
}

/// Keeps the epoch that is about to be left.
pub(super) fn keep(tx: &Transaction<'_>) -> Result<(), TownError> {
    tx.execute("INSERT OR IGNORE INTO former_line (epoch) SELECT epoch FROM town", [])?;
    Ok(())
}

impl Postgres {
    /// Takes up the marker beside the data folder. A database that is not as far as it, or of another line, goes
    /// on as a new one; returns whether that was so. A folder without a marker is a new process's.
    pub async fn take_up(&self, line: &Path, env: &dyn Env) -> Result<bool, TownError> {
        let line = Line::read(line);
        let continued = match line.mark() {
            None => true,
            Some(mark) => self.read(move |connection| continues(connection, mark)).await?,
        };
        *self.inner.outside.line.lock().unwrap_or_else(PoisonError::into_inner) = Some(line);
        if !continued {
            self.renew_line(env).await?;
        }
        self.mark_line().await?;
        Ok(!continued)
    }

    /// Notes outside how far the line has come; renews it when the database was put back meanwhile.
    pub async fn mark_line(&self) -> Result<(), TownError> {
        let inner = std::sync::Arc::clone(&self.inner);
        let look = move |connection: &Connection<'_>| {
            let continued = inner.outside.is_continued_by(connection)?;
            Ok((continued, identity::here(connection)?))
        };
        let (continued, mut here) = self.read(look).await?;
        if !continued {
            self.renew_line(&System).await?;
            here = self.read(identity::here).await?;
        }
        self.inner.outside.saw(here);
        match self.inner.outside.line.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            Some(line) => line.write(here),
            None => Ok(()),
        }
    }
}
