//! Migrations of the database: one process at a time, each file in one transaction, never back.

use include_dir::{Dir, include_dir};
use tokio_postgres::{Client, GenericClient};

use crate::error::TownError;

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../migrations/town-postgres");

/// The schema of this program.
pub(super) fn known() -> i64 {
    i64::try_from(FILES.files().count()).unwrap_or(i64::MAX)
}

/// The schema of the database.
pub(super) async fn found(client: &impl GenericClient) -> Result<i64, TownError> {
    let sql = "SELECT coalesce(max(number), 0) AS found FROM migration";
    Ok(client.query_one(sql, &[]).await?.try_get("found")?)
}

/// Brings the database to the schema of this program; a newer one is not used.
pub(super) async fn apply(client: &mut Client) -> Result<(), TownError> {
    let known = known();
    let tx = client.transaction().await?;
    // Whoever comes second waits here, and finds the work done.
    tx.batch_execute(
        "SELECT pg_advisory_xact_lock(hashtext('yaoguan migrations')); \
         CREATE TABLE IF NOT EXISTS migration (number bigint PRIMARY KEY, \
         applied_at timestamptz NOT NULL DEFAULT now())",
    )
    .await?;
    let found = found(&tx).await?;
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
