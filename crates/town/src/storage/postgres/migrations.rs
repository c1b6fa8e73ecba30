//! Migrations of the database: one process at a time, each file in one transaction, never back.

use include_dir::{Dir, include_dir};
use tokio_postgres::Client;

use crate::error::TownError;

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../migrations/town-postgres");

/// Brings the database to the schema of this program; a newer one is not used.
pub(super) async fn apply(client: &mut Client) -> Result<(), TownError> {
    let known = i64::try_from(FILES.files().count()).unwrap_or(i64::MAX);
    let tx = client.transaction().await?;
    // Whoever comes second waits here, and finds the work done.
    tx.batch_execute(
        "SELECT pg_advisory_xact_lock(hashtext('yaoguan migrations')); \
         CREATE TABLE IF NOT EXISTS migration (number bigint PRIMARY KEY, \
         applied_at timestamptz NOT NULL DEFAULT now())",
    )
    .await?;
    let found: i64 = tx
        .query_one("SELECT coalesce(max(number), 0) AS found FROM migration", &[])
        .await?
        .try_get("found")?;
    if found > known {
        return Err(TownError::SchemaNewer { found, known });
    }
    let mut files: Vec<_> = FILES.files().collect();
    files.sort_by_key(|file| file.path());
    for (number, file) in (1_i64..).zip(files).filter(|(number, _)| *number > found) {
        let unreadable = || TownError::Corrupt(format!("migration {}", file.path().display()));
        tx.batch_execute(file.contents_utf8().ok_or_else(unreadable)?).await?;
        tx.execute("INSERT INTO migration (number) VALUES ($1)", &[&number]).await?;
    }
    tx.commit().await?;
    Ok(())
}
