//! The table's head: what was measured, read back from what runs.

use anyhow::Result;
use rusqlite::Connection;
use serde_json::Value as Json;
use yaoguan_model::Role;
use yaoguan_testkit::town::{GRID, TestTown};

use crate::report::Report;

/// Settings of an open database.
fn durability(connection: &Connection) -> rusqlite::Result<String> {
    let text = |name: &str| -> rusqlite::Result<String> {
        connection.query_row(&format!("PRAGMA {name}"), [], |row| {
            row.get::<_, String>(0).or_else(|_| row.get::<_, i64>(0).map(|n| n.to_string()))
        })
    };
    let names = [
        "journal_mode",
        "synchronous",
        "cipher_version",
        "cipher",
        "cipher_page_size",
        "cipher_use_hmac",
        "secure_delete",
    ];
    let mut out = Vec::new();
    for name in names {
        let value = text(name).or_else(|error| match error {
            rusqlite::Error::QueryReturnedNoRows => Ok("-".to_owned()),
            other => Err(other),
        })?;
        out.push(format!("{name}={value}"));
    }
    let version: String = connection.query_row("SELECT sqlite_version()", [], |row| row.get(0))?;
    Ok(format!("SQLite {version}, {}", out.join(", ")))
}

pub async fn read_back(report: &mut Report, quick: bool) -> Result<()> {
    let mut town = TestTown::start().await?;
    let phone = town.phone(Role::Chief, &[GRID]).await?;
    report.head("run", if quick { "quick" } else { "whole" });
    report.head("phone's database", durability(phone.phone.store().raw())?);
    report.head("town's database", town.town.storage.embedded()?.with_raw(durability)?);
    let profile =
        if cfg!(debug_assertions) { "DEBUG BUILD" } else { "release, thin LTO, as the product's" };
    report.head("build", profile);
    report.head(
        "raw insert",
        "rusqlite in the same process, the same cipher, WAL, FULL, one table of id and body",
    );
    report.head(
        "peers",
        "PouchDB 9.0.0 with express-pouchdb 4.2.0 on LevelDB (batches of 1,000; no durable mode, no encryption), \
         better-sqlite3 12.4.1, rouchdb 0.5 (redb), automerge 0.12, yrs 0.28; Node as installed",
    );
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("?");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    report.head(
        "machine",
        format!(
            "{cores} cores, {}; load at start {}",
            model.trim_start_matches([' ', '\t', ':']),
            load.trim()
        ),
    );
    report.head(
        "workload",
        format!("seed {}, 15 values a record; every record of one grid", crate::workload::SEED),
    );
    town.stop().await
}

/// The JSON lines of another measurement.
pub fn lines_of(file: &str) -> Result<Vec<Json>> {
    let text = std::fs::read_to_string(file)?;
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Json>(line.trim()).ok());
    Ok(lines.filter(|line| line.get("name").is_some() && line.get("figure").is_some()).collect())
}
