//! The town's own line of history, and what stands outside its file: opened, compared, renewed.

use std::path::Path;

use rusqlite::Transaction;
use yaoguan_model::Env;
use yaoguan_wire::Epoch;

use super::connection::Outside;
use super::identity::{self, Fresh};
use super::journal::Journal;
use super::{Sqlite, purge};
use crate::audit::{Attribution, restored};
use crate::error::TownError;
use crate::line::{Line, Mark};
use crate::storage::sql::{self, Engine as _};

impl Sqlite {
    /// Takes up what stands outside the data folder. A file that is not the line that the marker knows, as
    /// far as it had come, or that the journal is ahead of, hears from the journal what it missed and goes on
    /// as a new line. Returns whether that was so.
    pub async fn take_up(
        &self,
        line: &Path,
        journal: &Path,
        env: &dyn Env,
    ) -> Result<bool, TownError> {
        // Before the database: a server beside this program may write on meanwhile.
        let line = Line::read(line);
        let (town, mark): (Vec<u8>, Mark) = self
            .read(|connection| Ok((identity::town_id(connection)?, identity::here(connection)?)))
            .await?;
        let journal = Journal::open(journal, self.key(), &town)?;
        let ahead = self.with_raw(|connection| journal.is_ahead_of(connection))?;
        let continued = line.is_continued_by(mark) && !ahead;
        let empty = journal.is_empty()?;
        self.set_outside(Outside { journal, line });
        if empty {
            self.outside(|connection, outside| outside.journal.fill(connection)).await?;
        }
        if !continued {
            self.renew_line(env).await?;
        }
        self.outside(|connection, outside| outside.journal.catch_up(connection)).await?;
        self.mark_line().await?;
        Ok(!continued)
    }

    /// What the town is called by programs, whatever its line of history.
    pub async fn town_id(&self) -> Result<Vec<u8>, TownError> {
        self.read(identity::town_id).await
    }

    /// The first line of a town that was made just now.
    pub async fn begin_line(&self, line: &Path, journal: &Path) -> Result<(), TownError> {
        let town = self.town_id().await?;
        let (line, mut journal) = (Line::read(line), Journal::open(journal, self.key(), &town)?);
        if journal.is_empty()? {
            self.with_raw(|connection| journal.fill(connection))?;
        }
        self.set_outside(Outside { journal, line });
        self.mark_line().await
    }

    /// What the journal knows and this file does not.
    async fn replay(&self) -> Result<(), TownError> {
        let replayed = self
            .outside(|connection, outside| {
                let tx = Transaction::new_unchecked(
                    connection,
                    rusqlite::TransactionBehavior::Immediate,
                )?;
                let changed = outside.journal.replay(&tx)?;
                let purged = purge::replay(&sql::Transaction::of(&*tx))?;
                outside.journal.take_number(&tx)?;
                tx.commit()?;
                Ok((changed, purged))
            })
            .await?;
        if let Some((changed, purged)) = replayed {
            tracing::warn!(
                changed,
                purged,
                "this file is not where its town had come: the journal was replayed"
            );
        }
        Ok(())
    }

    /// Notes outside how far the line has come.
    pub async fn mark_line(&self) -> Result<(), TownError> {
        self.outside(|connection, outside| {
            outside.line.write(identity::here(&sql::Connection::of(connection))?)
        })
        .await?;
        Ok(())
    }

    /// This file goes on with another line of history than phones have seen of it: a new epoch, a new
    /// replica id, a new cursor secret, no push chains. Phones void their positions and reconcile. What the
    /// journal knows comes first: nobody is let in again meanwhile.
    pub async fn renew_line(&self, env: &dyn Env) -> Result<(), TownError> {
        self.replay().await?;
        let fresh = Fresh::new(env);
        let left = self.anchor().map(|anchor| anchor.read()).transpose()?.unwrap_or_default();
        let done = Attribution::town(env.now_s());
        self.write(move |tx| identity::renew(tx, &fresh, &restored(&done, left.last()))).await?;
        tracing::warn!("a new line of history: every phone compares itself with the town once");
        self.mark_line().await
    }

    /// A consistent copy of the database, and of the journal, while the town is in use.
    pub async fn copy_to(&self, database: &Path, journal: &Path) -> Result<Snapshot, TownError> {
        let (to, beside) = (database.to_owned(), journal.to_owned());
        self.outside(move |_, outside| outside.journal.copy(&beside)).await?;
        self.read_alone(move |connection| super::connection::copy(connection, &to)).await?;
        let key = *self.key();
        let made = database.to_owned();
        tokio::task::spawn_blocking(move || Snapshot::of(&made, &key))
            .await
            .map_err(|_| TownError::Input("the town is stopping".to_owned()))?
    }
}

/// What a copy of a database says of itself.
#[derive(Debug, Clone)]
pub struct Snapshot {
    pub town: Vec<u8>,
    pub name: String,
    pub epoch: Epoch,
    pub position: u64,
    pub schema: i64,
    pub records: u64,
}

impl Snapshot {
    /// Opens the copy and checks that every page can be read.
    pub fn of(database: &Path, key: &[u8; 32]) -> Result<Self, TownError> {
        let connection = super::connection::connect(database, key)?;
        let sound: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if sound != "ok" {
            return Err(TownError::BadBackup(sound));
        }
        let schema = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        let known = super::migrations::known();
        if schema > known {
            return Err(TownError::SchemaNewer { found: schema, known });
        }
        let Mark { epoch, position } = identity::here(&sql::Connection::of(&connection))?;
        let sql = "SELECT id, name, (SELECT count(*) FROM record) AS records FROM town";
        Ok(connection.query_row(sql, [], |row| {
            Ok(Self {
                town: row.get("id")?,
                name: row.get("name")?,
                epoch,
                position,
                schema,
                records: row.get("records")?,
            })
        })?)
    }
}

/// Refuses the journal of another town.
pub fn check_journal(journal: &Path, key: &[u8; 32], town: &[u8]) -> Result<(), TownError> {
    Journal::open(journal, key, town).map(|_| ())
}
