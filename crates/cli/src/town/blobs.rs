//! `yaoguan-town blobs`: photos and tracks, one by one.

use std::path::Path;

use serde_json::json;
use yaoguan_model::env::System;
use yaoguan_town::{Storage as _, Town, lock};

use super::arguments::Blobs;
use crate::output::{Failure, Output};

pub(super) async fn run(
    town: &Town,
    dir: &Path,
    output: &Output<'_>,
    what: Blobs,
) -> Result<(), Failure> {
    let Blobs::Check { ask_again } = what;
    // A new line of history is begun while nobody serves the old one.
    let _held = if ask_again { Some(lock::take(dir)?) } else { None };
    let bar = output.progress("checking_files");
    let checked = town.blobs.check(&town.storage).await?;
    drop(bar);
    let sound = checked.bad.is_empty();
    let asked = ask_again && !sound;
    if asked {
        town.blobs.forget(&town.storage, &checked.bad).await?;
        town.storage.renew(&System).await?;
    }
    let bad: Vec<_> = checked
        .bad
        .iter()
        .map(|(hash, flaw)| json!({ "sha256": hash, "flaw": flaw.as_str() }))
        .collect();
    let value = json!({
        "ok": sound, "files": checked.files, "bytes": checked.bytes, "bad": bad,
        "unknown": checked.unknown, "asked_again": asked,
    });
    output.result(&value, || {
        let n = |n: usize| n.to_string();
        let mut lines: Vec<String> = checked
            .bad
            .iter()
            .map(|(hash, flaw)| {
                let flaw = output.words.say("blob_flaw", flaw.as_str(), &[]);
                format!("{hash}  {flaw}")
            })
            .collect();
        let (files, bad, unknown) =
            (checked.files.to_string(), n(checked.bad.len()), n(checked.unknown.len()));
        let values = [("files", files.as_str()), ("bad", &bad), ("unknown", &unknown)];
        lines.push(output.words.say("say", "files_checked", &values));
        if asked {
            lines.push(output.words.say("say", "files_asked_again", &[]));
        } else if !sound {
            lines.push(output.words.say("say", "files_remedy", &[]));
        }
        lines
    })?;
    if sound || asked { Ok(()) } else { Err(Failure::Shown) }
}
