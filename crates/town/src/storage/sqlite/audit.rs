//! The audit log as SQL. Whatever changes accounts, devices, invites, grids or what is kept apart calls
//! [`write`] in its own transaction; the connection notes the new head outside after the commit.

use async_trait::async_trait;
use yaoguan_model::{AccountId, DeviceId};

use super::super::audit::{AUDIT_PAGE, AuditAsk, AuditLog, AuditSearch, Told};
use crate::audit::{Checked, Entry, GENESIS, MAX_REASON_CHARS, Walk, Written, seal};
use crate::error::TownError;
use crate::storage::sql::{self, Connection, Engine, OptionalExtension, Row, ToSql, Transaction};

/// Writes an entry; returns its sequence.
pub(super) fn write(tx: &Transaction<'_>, entry: &Entry) -> Result<u64, TownError> {
    let (last, before) = head(tx)?.unwrap_or((0, GENESIS));
    let mut written = Written {
        sequence: last + 1,
        at: entry.done.at,
        by: entry.done.by.to_string(),
        act: entry.act.as_str().to_owned(),
        subject_kind: entry.subject.kind().to_owned(),
        subject: entry.subject.id(),
        reason: entry.done.reason.chars().take(MAX_REASON_CHARS).collect(),
        detail: serde_json::Value::Object(entry.detail.clone()),
        hash: GENESIS,
    };
    written.hash = seal(&before, &written);
    tx.prepare_cached(
        "INSERT INTO audit (sequence, at, by, act, subject_kind, subject, reason, detail, hash) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute((
        written.sequence,
        written.at,
        &written.by,
        &written.act,
        &written.subject_kind,
        &written.subject,
        &written.reason,
        written.detail.to_string(),
        written.hash,
    ))?;
    Ok(written.sequence)
}

/// Sequence and hash of the last entry.
pub(in crate::storage) fn head(
    connection: &Connection,
) -> Result<Option<(u64, [u8; 32])>, TownError> {
    let sql = "SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1";
    let mut statement = connection.prepare_cached(sql)?;
    let row = statement.query_row([], |row| Ok((row.get("sequence")?, row.get("hash")?)));
    Ok(row.optional()?)
}

const COLUMNS: &str =
    "SELECT sequence, at, by, act, subject_kind, subject, reason, detail, hash FROM audit";

fn entry(row: &Row<'_>) -> sql::Result<Written> {
    let detail: String = row.get("detail")?;
    Ok(Written {
        sequence: row.get("sequence")?,
        at: row.get("at")?,
        by: row.get("by")?,
        act: row.get("act")?,
        subject_kind: row.get("subject_kind")?,
        subject: row.get("subject")?,
        reason: row.get("reason")?,
        // What is no JSON any more has another hash as text too.
        detail: serde_json::from_str(&detail).unwrap_or(serde_json::Value::String(detail)),
        hash: row.get("hash")?,
    })
}

fn list(connection: &Connection, ask: &AuditAsk) -> Result<Vec<Written>, TownError> {
    let sql = format!(
        "{COLUMNS} WHERE sequence > ?1 AND (?2 IS NULL OR subject = ?2) ORDER BY sequence LIMIT ?3"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map((ask.after, &ask.subject, ask.limit), entry)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Only what is asked for stands in the statement: so that the planner sees which index fits.
pub(super) fn search_sql(search: &AuditSearch) -> String {
    let asked = [
        (search.before.is_some(), "sequence < :before"),
        (!search.act.is_empty(), "act = :act"),
        (!search.by.is_empty(), "by = :by"),
        (!search.subject.is_empty(), "subject = :subject"),
        (search.since.is_some(), "at >= :since"),
        (search.until.is_some(), "at < :until"),
    ];
    let asked: Vec<&str> = asked.into_iter().filter(|(is, _)| *is).map(|(_, sql)| sql).collect();
    let conditions = if asked.is_empty() { "1 = 1".to_owned() } else { asked.join(" AND ") };
    format!("{COLUMNS} WHERE {conditions} ORDER BY sequence DESC LIMIT :limit")
}

fn search(connection: &Connection, search: &AuditSearch) -> Result<Vec<Told>, TownError> {
    let sql = search_sql(search);
    let mut statement = connection.prepare_cached(&sql)?;
    let all: [(&str, &dyn ToSql); 7] = [
        (":before", &search.before),
        (":act", &search.act),
        (":by", &search.by),
        (":subject", &search.subject),
        (":since", &search.since),
        (":until", &search.until),
        (":limit", &AUDIT_PAGE),
    ];
    let asked: Vec<_> = all.into_iter().filter(|(name, _)| sql.contains(name)).collect();
    let rows = statement.query_map(asked.as_slice(), entry)?;
    let told = |entry: Written| {
        let by_name = name_of(connection, "account", &entry.by)?;
        let subject_name = name_of(connection, &entry.subject_kind, &entry.subject)?;
        Ok(Told { entry, by_name, subject_name })
    };
    rows.map(|row| told(row?)).collect()
}

/// What people call an account or a device; of everything else there is only its id.
fn name_of(connection: &Connection, kind: &str, id: &str) -> Result<String, TownError> {
    let (sql, bytes) = match kind {
        "account" => {
            let id = id.parse::<AccountId>().ok().map(|id| id.as_bytes().to_vec());
            ("SELECT name FROM account WHERE id = ?1", id)
        }
        "device" => {
            let id = id.parse::<DeviceId>().ok().map(|id| id.as_bytes().to_vec());
            ("SELECT name FROM device WHERE id = ?1", id)
        }
        _ => return Ok(String::new()),
    };
    let mut statement = connection.prepare_cached(sql)?;
    let name = statement.query_row([bytes], |row| row.get::<_, String>("name")).optional()?;
    Ok(name.unwrap_or_default())
}

fn walk(connection: &Connection) -> Result<Walk, TownError> {
    let mut statement = connection.prepare_cached(&format!("{COLUMNS} ORDER BY sequence"))?;
    let mut walk = Walk::default();
    for row in statement.query_map([], entry)? {
        walk.entry(&row?);
    }
    Ok(walk)
}

#[async_trait]
impl<E: Engine> AuditLog for E {
    async fn note(&self, entry: Entry) -> Result<u64, TownError> {
        self.write(move |tx| write(tx, &entry)).await
    }

    async fn audit(&self, ask: AuditAsk) -> Result<Vec<Written>, TownError> {
        self.read(move |connection| list(connection, &ask)).await
    }

    async fn search_audit(&self, search: AuditSearch) -> Result<Vec<Told>, TownError> {
        self.read(move |connection| self::search(connection, &search)).await
    }

    async fn verify_audit(&self) -> Result<Checked, TownError> {
        // The noted heads first: a head noted meanwhile would be beyond the view of the database.
        let noted = self.anchor().map(|anchor| anchor.read()).transpose()?;
        let walk = self.read(walk).await?;
        Ok(walk.finish(noted.as_ref()))
    }
}
