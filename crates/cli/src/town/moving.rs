//! `yaoguan-town move`: from the folder into a PostgreSQL database.

use std::path::PathBuf;

use serde_json::json;
use yaoguan_model::env::System;
use yaoguan_town::data::{Place, default_key_file};
use yaoguan_town::moving::move_to;
use yaoguan_town::storage::postgres::DatabaseUrl;

use super::settings::{Settings, Source};
use crate::output::{Failure, Output};

pub(super) async fn run(
    output: &Output<'_>,
    settings: &Settings,
    from: Option<PathBuf>,
    to: Option<DatabaseUrl>,
) -> Result<(), Failure> {
    let to = to.or_else(|| settings.database.clone());
    let to = to.ok_or_else(|| Failure::Said("move_where", Vec::new()))?;
    let mut place = Place { database: None, ..settings.place() };
    if let Some(from) = from {
        let is_named = |name| {
            settings.all.iter().any(|e| e.setting.name == name && e.source != Source::Default)
        };
        if !is_named("key_file") {
            place.key_file = default_key_file(&from);
        }
        place.dir = from;
    }
    let bar = output.progress("moving");
    let taken = move_to(&place, &to, &System).await?;
    drop(bar);
    let (folder, there) = (place.dir.display().to_string(), to.to_string());
    let value = json!({
        "from": folder, "to": there, "records": taken.records, "tables": taken.tables,
        "rows": taken.rows,
    });
    output.result(&value, || {
        let [records, rows] = [taken.records, taken.rows].map(|n| n.to_string());
        let values = [("records", records.as_str()), ("rows", &rows), ("to", &there)];
        vec![
            output.words.say("say", "moved", &values),
            output.words.say("say", "moved_next", &[("folder", &folder)]),
        ]
    })
}
